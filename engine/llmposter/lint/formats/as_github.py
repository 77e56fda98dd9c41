"""Workflow commands, which GitHub Actions shows beside the lines.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands: values are escaped as in
`@actions/core` (`src/command.ts`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from llmposter.lint.formats import Told
    from llmposter_dsl.diagnostic import Diagnostic

_COMMANDS: Final = {"error": "error", "warning": "warning", "info": "notice"}


def write(told: Told) -> str:
    return "\n".join(_command(told, each) for each in told.diagnostics)


def _command(told: Told, found: Diagnostic) -> str:
    place, name = found.place, found.place.source.name
    (line, column), (end_line, end_column) = map(place.source.position, (place.span.start, place.span.end))
    at = {"file": told.inside(name) or name, "line": line, "endLine": end_line}
    if line == end_line:  # columns of annotations are of one line
        at |= {"col": column, "endColumn": end_column}
    properties = ",".join(f"{key}={_property(str(value))}" for key, value in {**at, "title": found.code}.items())
    message = found.message if found.help is None else f"{found.message}\n{found.help}"
    return f"::{_COMMANDS[found.severity]} {properties}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
