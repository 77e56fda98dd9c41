"""One line for each finding, as editors and scripts read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmposter_dsl import report

if TYPE_CHECKING:
    from llmposter.lint.formats import Told


def write(told: Told) -> str:
    return "\n".join(report.short(each, told.paint) for each in told.diagnostics)
