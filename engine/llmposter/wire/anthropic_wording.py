"""What is wrong with a body, in Anthropic's words: every refusal of the decoder becomes one of its messages.

The decoder tells the first thing wrong and its place; the body is looked at again only to name the place as Anthropic
does, with the type of each block in it: ``messages.0.content.1.text.text``.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from llmposter.model import BadRequest

if TYPE_CHECKING:
    from llmposter.model import Json

# The forms of msgspec's messages; tests/wire/test_anthropic_read.py holds one of each, so that a new version of it
# that words them otherwise is noticed.
_MISSING: Final = re.compile(r"Object missing required field `([^`]*)`")
_UNKNOWN: Final = re.compile(r"Invalid value '(.*)'", re.DOTALL)
_BOUND: Final = re.compile(r"Expected `(?:int|float)` (>=|<=) ([\d.]+)")
_TYPE: Final = re.compile(r"Expected `([^`]*)`")
_PLACE: Final = re.compile(r" - at `\$\.?([^`]*)`\Z")
_STEP: Final = re.compile(r"\[(\d+)\]|([^.\[\]]+)")

_WANTED: Final = {
    "str": "string", "int": "integer", "float": "number", "bool": "boolean", "array": "list", "object": "dictionary",
}  # fmt: skip
IN_RESULTS: Final = ("document", "image", "search_result", "text", "tool_reference")
_TOOL_USE: Final = "https://platform.claude.com/docs/en/agents-and-tools/tool-use/overview"
_SIGNS: Final = {">=": "greater", "<=": "less"}


def not_json(data: bytes, told: str) -> BadRequest:
    """The answer to a body that is no JSON; *told* is the decoder's message."""
    try:
        json.loads(data)
    except UnicodeDecodeError:
        why = "str is not valid UTF-8"
    except json.JSONDecodeError as error:
        why = str(error)
    except RecursionError:
        why = "too deeply nested"
    else:
        # The standard library, which tells the line, takes what JSON does not have: `NaN`, halves of surrogate pairs.
        why = told
    return BadRequest(f"The request body is not valid JSON: {why}")


def refusal(told: str, data: Json, within: tuple[str, ...] = ()) -> BadRequest:
    """A decoder's message in Anthropic's words.

    Args:
        told: its message.
        data: what it was given.
        within: where that stands in the body.
    """
    found = _PLACE.search(told)
    place = [*within, *_tagged(found[1] if found else "", data)]
    if missing := _MISSING.match(told):
        place.append(missing[1])
        what = "Field required"
    elif unknown := _UNKNOWN.match(told):
        return _unknown(unknown[1], place)
    else:
        what = _unfit(told[: found.start() if found else None])
    return BadRequest(f"{'.'.join(place)}: {what}" if place else what)


def _unknown(value: str, place: list[str]) -> BadRequest:
    """A role, or a type of block, that has no business there."""
    *where, field = place
    if field == "role":
        # The API answers so to the role of OpenAI's results, as quoted by users of it.
        guide = f" For instructions on how to use tools, see {_TOOL_USE}." if value == "tool" else ""
        return BadRequest(f'messages: Unexpected role "{value}". Allowed roles are "user" or "assistant".{guide}')
    where = where[:-1]
    known = IN_RESULTS if "tool_result" in where else ("text",)
    tags = ", ".join(f"'{each}'" for each in known)
    found = f"Input tag '{value}' found using '{field}' does not match any of the expected tags: {tags}"
    return BadRequest(f"{'.'.join(where)}: {found}")


def _unfit(told: str) -> str:
    if bound := _BOUND.match(told):
        return f"Input should be {_SIGNS[bound[1]]} than or equal to {float(bound[2]):g}"
    if kind := _TYPE.match(told):
        kinds = kind[1].split(" | ")
        # Of a union pydantic tells the last that fails: a list, where a text or a list may stand.
        wanted = "array" if "array" in kinds else kinds[0]
        return f"Input should be a valid {_WANTED.get(wanted, wanted)}"
    return told


def _tagged(path: str, data: Json) -> list[str]:
    """The steps of a path, after each block of content and each tool its type."""
    steps: list[str] = []
    before = ""
    for match in _STEP.finditer(path):
        number, name = match.groups()
        data = _inner(data, int(number) if number else name)
        steps.append(number or name)
        if (number and before in ("content", "system", "tools")) or name in ("thinking", "tool_choice", "source"):
            steps += _tag(data, "custom" if before == "tools" else "")
        before = number or name
    return steps


def _inner(data: Json, step: int | str) -> Json:
    try:
        return data[step]
    except (LookupError, TypeError):
        return None


def _tag(data: Json, usual: str) -> list[str]:
    tag = data.get("type", usual) if isinstance(data, dict) else ""
    return [tag] if isinstance(tag, str) and tag else []
