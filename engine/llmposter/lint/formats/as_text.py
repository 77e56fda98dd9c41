"""For people: each finding with the lines that it speaks of, carets below, and what would be right."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmposter_dsl import report

if TYPE_CHECKING:
    from llmposter.lint.formats import Told


def write(told: Told) -> str:
    return "\n".join(report.text(each, told.paint) for each in told.diagnostics)
