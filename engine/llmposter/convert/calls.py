"""Tool calls of other formats, whose arguments are data or the JSON text of it."""

from __future__ import annotations

import json
from typing import Any

from llmposter.convert.spelling import template, templates


def call(tool: str, arguments: Any, id_: Any = None) -> dict[str, Any]:
    """A call as a table; arguments that are the JSON text of a table become one."""
    made: dict[str, Any] = {"tool": tool}
    if arguments not in (None, {}, "{}", ""):
        made["arguments"] = _arguments(arguments)
    if id_:
        made["id"] = template(str(id_))
    return made


def _arguments(arguments: Any) -> Any:
    if not isinstance(arguments, str):
        return templates(arguments if isinstance(arguments, dict) else json.dumps(arguments))
    try:
        data = json.loads(arguments)
    except ValueError:
        return template(arguments)
    return templates(data) if isinstance(data, dict) else template(arguments)
