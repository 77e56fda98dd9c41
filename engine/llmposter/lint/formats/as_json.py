"""One JSON array, indented."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from llmposter_dsl.report import record

if TYPE_CHECKING:
    from llmposter.lint.formats import Told


def write(told: Told) -> str:
    return json.dumps([record(each) for each in told.diagnostics], ensure_ascii=False, indent=2)
