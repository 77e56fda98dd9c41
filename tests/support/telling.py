"""What is said of a finding, without its picture, for tests in which places are numbers."""

from __future__ import annotations

import re

from llmposter_dsl import report
from llmposter_dsl.diagnostic import Diagnostic

_PICTURE = re.compile(r" +(?:\d+|\.\.\.)? \|| {5,}\|")


def without_lines(finding: Diagnostic) -> str:
    """The line of the finding, its help and the further places."""
    return "\n".join(line for line in report.text(finding).split("\n") if not _PICTURE.match(line))
