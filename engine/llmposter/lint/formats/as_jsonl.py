"""One JSON object a line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from llmposter_dsl.report import record

if TYPE_CHECKING:
    from llmposter.lint.formats import Told


def write(told: Told) -> str:
    return "\n".join(json.dumps(record(each), ensure_ascii=False) for each in told.diagnostics)
