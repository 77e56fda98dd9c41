"""What is wrong with a body, in the words of Google's JSON parser: every refusal of the decoder becomes one of them.

The decoder tells the first thing wrong and its place; the value there is looked up to be quoted, as Google does.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import msgspec

from llmposter.model import BadRequest
from llmposter.wire.sse import encode

if TYPE_CHECKING:
    from collections.abc import Iterator

NOT_JSON: Final = BadRequest("Invalid JSON payload received. Unexpected token.")
NO_CONTENTS: Final = "* GenerateContentRequest.contents: contents is not specified\n"

# The forms of msgspec's messages; tests/wire/test_gemini_read.py holds one of each, so that a new version of it that
# words them otherwise is noticed.
_TYPE: Final = re.compile(r"Expected `([^`]*)`")
_PLACE: Final = re.compile(r" - at `\$\.?([^`]*)`\Z")
_STEP: Final = re.compile(r"\[(\d+|\.\.\.)\]|\.?([^.\[\]]+)")
_UPPER: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")

_PLAIN: Final = {"str": "TYPE_STRING", "int": "TYPE_INT32", "float": "TYPE_FLOAT", "bool": "TYPE_BOOL"}
_PACKAGE: Final = "type.googleapis.com/google.ai.generativelanguage.v1beta."
_STRUCT: Final = "type.googleapis.com/google.protobuf.Struct"
_MESSAGES: Final = {
    "contents": "Content", "content": "Content", "system_instruction": "Content", "parts": "Part",
    "inline_data": "Blob", "file_data": "FileData", "function_call": "FunctionCall",
    "function_response": "FunctionResponse", "tools": "Tool", "function_declarations": "FunctionDeclaration",
    "parameters": "Schema", "response_schema": "Schema", "tool_config": "ToolConfig",
    "function_calling_config": "FunctionCallingConfig", "generation_config": "GenerationConfig",
    "thinking_config": "ThinkingConfig", "requests": "EmbedContentRequest",
    "generate_content_request": "GenerateContentRequest",
}  # fmt: skip


def refusal(told: str, data: bytes) -> BadRequest:
    """A decoder's message about *data* in Google's words."""
    place = _PLACE.search(told)
    steps = list(_steps(place[1])) if place else []
    if not steps:
        return BadRequest('Invalid JSON payload received. Unknown name "": Root element must be a message.')
    try:
        value: Any = msgspec.json.decode(data)
    except (msgspec.MsgspecError, RecursionError):
        # The decoder tells a wrong type before it has seen the end.
        return NOT_JSON
    field = _field(steps)
    wanted = _TYPE.match(told)
    kind = _kind(field, wanted[1] if wanted else "")
    return BadRequest(f"Invalid value at '{field}'{kind and f' ({kind})'}{_quoted(value, steps)}", field)


def _steps(path: str) -> Iterator[str | int]:
    for step in _STEP.finditer(path):
        yield step[2] or (int(step[1]) if step[1].isdigit() else step[1])


def _field(steps: list[str | int]) -> str:
    """The place as the .proto file spells it."""
    named = (f"[{step}]" if isinstance(step, int) else f".{_UPPER.sub('_', step).lower()}" for step in steps)
    return "".join(named).lstrip(".")


def _kind(field: str, wanted: str) -> str:
    """What should stand there, by the name of its type."""
    plain = [_PLAIN[kind] for kind in wanted.split(" | ") if kind in _PLAIN]
    name = field.rpartition(".")[2].partition("[")[0]
    if plain:
        return plain[0]
    if name in _MESSAGES:
        return _PACKAGE + _MESSAGES[name]
    return _STRUCT if name in ("args", "response", "labels") else ""


def _quoted(value: Any, steps: list[str | int]) -> str:
    try:
        for step in steps:
            value = value[step]
    except (LookupError, TypeError):
        # A member that stands twice: the decoder told of the first, and the last is what is left.
        return ""
    return f", {encode(value).decode()}"
