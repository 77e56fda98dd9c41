"""What is wrong with a body, in OpenAI's words: every refusal of the decoder becomes one of its messages.

The decoder tells the first thing wrong and its place; the body is looked at again only to quote a number.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import msgspec

from llmposter.model import BadRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

NOT_JSON: Final = BadRequest(
    "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP library "
    "correctly. The API expects a JSON payload, but what was sent was not valid JSON.)"
)
NO_MODEL: Final = BadRequest("you must provide a model parameter")

# The forms of msgspec's messages; tests/wire/test_openai_chat_read.py holds one of each, so that a new version of it
# that words them otherwise is noticed.
_MISSING: Final = re.compile(r"Object missing required field `([^`]*)`")
_UNKNOWN: Final = re.compile(r"Invalid value '(.*)'", re.DOTALL)
_BOUND: Final = re.compile(r"Expected `(int|float|array|str)`(?: of length)? (>=|<=) (\d+)")
_TYPE: Final = re.compile(r"Expected `([^`]*)`(?:, got `([^`]*)`)?")
_PLACE: Final = re.compile(r" - at `\$\.?([^`]*)`\Z")

_NOUNS: Final = {
    "str": "a string", "int": "an integer", "float": "a decimal", "bool": "a boolean", "array": "an array",
    "object": "an object", "null": "null",
}  # fmt: skip


def refusal(told: str, supported: Mapping[str, tuple[str, ...]], data: bytes = b"") -> BadRequest:
    """A decoder's message about *data* in OpenAI's words; *supported* lists the values of a field by its name."""
    place = _PLACE.search(told)
    path = place[1] if place else ""
    if missing := _MISSING.match(told):
        return _missing(f"{path}.{missing[1]}" if path else missing[1])
    if unknown := _UNKNOWN.match(told):
        return _invalid_value(path, unknown[1], supported.get(path.rpartition(".")[2], ()))
    if bound := _BOUND.match(told):
        return _out_of_bounds(path, bound, _quoted(data, path))
    if kind := _TYPE.match(told):
        return _invalid_type(path, kind[1], kind[2])
    return BadRequest(f"Invalid value for '{path}': {told[: place.start() if place else None]}.", path or None)


def _missing(path: str) -> BadRequest:
    if path == "model":
        return NO_MODEL
    return BadRequest(f"Missing required parameter: '{path}'.", path, "missing_required_parameter")


def _invalid_value(path: str, value: str, supported: tuple[str, ...]) -> BadRequest:
    *most, last = (f"'{each}'" for each in supported)
    listed = f"{', '.join(most)}{',' if len(most) > 1 else ''} and {last}" if most else last
    return BadRequest(f"Invalid value: '{value}'. Supported values are: {listed}.", path, "invalid_value")


def _out_of_bounds(path: str, told: re.Match[str], got: str) -> BadRequest:
    kind, sign, bound = told.groups()
    if kind == "array":
        wanted = f"Expected an array with minimum length {bound}, but got an empty array instead."
        return BadRequest(f"Invalid '{path}': empty array. {wanted}", path, "empty_array")
    noun = "integer" if kind == "int" else "decimal"
    side, short = ("above maximum", "above_max") if sign == "<=" else ("below minimum", "below_min")
    message = f"Invalid '{path}': {noun} {side} value. Expected a value {sign} {bound}{got}."
    return BadRequest(message, path, f"{noun}_{short}_value")


def _quoted(data: bytes, field: str) -> str:
    """What stands there in place of a number within its bounds: all that have some are fields of the body itself."""
    try:
        return f", but got {msgspec.json.encode(msgspec.json.decode(data)[field]).decode()} instead"
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, LookupError, TypeError):
        # The decoder tells a wrong value before it has seen the end.
        return ""


def _invalid_type(path: str, expected: str, got: str | None) -> BadRequest:
    kinds = [kind for kind in expected.split(" | ") if kind != "null"]
    wanted = _NOUNS.get(kinds[0], kinds[0])
    if len(kinds) > 1:
        items = "objects" if path.endswith(("content", "input", "output")) else "strings"
        wanted = f"one of {wanted} or {f'array of {items}' if kinds[1] == 'array' else kinds[1]}"
    but = f", but got {_NOUNS.get(got, got)} instead" if got else ""
    subject = f"type for '{path}'" if path else "type"
    return BadRequest(f"Invalid {subject}: expected {wanted}{but}.", path or None, "invalid_type")
