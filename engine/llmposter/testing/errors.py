"""What the library raises for scenarios that are wrong, with all findings at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llmposter_dsl.diagnostic import Diagnostic


class ScenarioError(ValueError):
    """Scenarios that cannot be served; the message has every finding with its place.

    Attributes:
        findings: errors and warnings, sorted by file and place.
    """

    def __init__(self, findings: Sequence[Diagnostic]) -> None:
        from llmposter_dsl.report import text

        self.findings = tuple(each for each in findings if each.severity != "info")
        super().__init__("\n".join(map(text, self.findings)))
