"""Where each character of a decoded string stands in the source.

Folding, chomping, indenting and escaping never reorder, drop or invent a character that is not blank. So the two
texts are matched on those alone, which needs one rule for TOML's four forms of string and YAML's five.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, TypeAlias

Form: TypeAlias = Literal["toml", '"', "'", "|", ">", ""]
"""How a string is written: any of TOML's forms, or YAML's style as its parsers name it, plain being empty."""

Unit: TypeAlias = tuple[str, int, int]
"""A character and the half-open range of the source that it is written in."""

_TOML = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", "e": "\x1b", '"': '"', "\\": "\\"}
_YAML = {
    **_TOML,
    "0": "\0",
    "a": "\a",
    "v": "\v",
    " ": " ",
    "\t": "\t",
    "/": "/",
    "N": "\x85",
    "_": "\xa0",
    "L": "\u2028",
    "P": "\u2029",
}
_HEX = {"x": 2, "u": 4, "U": 8}


def units(raw: str, form: Form) -> Iterator[Unit]:
    """The characters that *raw* writes, before folding, with their ranges in it."""
    start, end = content(raw, form)
    match form:
        case "toml" if raw[0] == '"':
            return _escaped(raw, start, end, _TOML)
        case '"':
            return _escaped(raw, start, end, _YAML)
        case "'":
            return _doubled(raw, start, end)
        case _:
            return ((raw[at], at, at + 1) for at in range(start, end))


def content(raw: str, form: Form) -> tuple[int, int]:
    """The range of what stands between the quotes, or below a block's header line."""
    match form:
        case "toml":
            quotes = 3 if raw[:3] in ('"""', "'''") else 1
            # A line break right behind three quotes is none of the string (TOML 1.0, "String").
            return quotes + (quotes == 3 and raw[3:4] == "\n"), len(raw) - quotes
        case '"' | "'":
            return 1, len(raw) - 1
        case "|" | ">":
            return (raw.find("\n") + 1 or len(raw)), len(raw)
        case _:
            return 0, len(raw)


def ranges(value: str, raw: str, form: Form) -> list[tuple[int, int]] | None:
    """For each character of *value* its range in *raw*; None if the two do not belong together."""
    found: list[tuple[int, int]] = []
    source = units(raw, form)
    at, length = 0, len(value)
    while True:
        blank_start = at
        while at < length and value[at].isspace():
            at += 1
        blanks, solid = _next_solid(source)
        found += _match_blanks(value[blank_start:at], blanks, solid[1] if solid else len(raw))
        if at == length or solid is None:
            return found if at == length and solid is None else None
        if solid[0] != value[at]:
            return None
        found.append(solid[1:])
        at += 1


def _next_solid(source: Iterator[Unit]) -> tuple[list[Unit], Unit | None]:
    blanks: list[Unit] = []
    for unit in source:
        if not unit[0].isspace():
            return blanks, unit
        blanks.append(unit)
    return blanks, None


def _match_blanks(value: str, raw: list[Unit], end: int) -> list[tuple[int, int]]:
    """Ranges of a run of blanks; of what folding made, the whole stretch it was made from."""
    if len(value) == len(raw):
        return [unit[1:] for unit in raw]
    tail = 0
    # Indentation comes before the blanks that are content, so those are counted from the end of the run.
    while tail < min(len(value), len(raw)) and value[-1 - tail] == raw[-1 - tail][0] != "\n":
        tail += 1
    head = 0
    while head < min(len(value), len(raw)) - tail and value[head] == raw[head][0]:
        head += 1
    made_from = raw[head : len(raw) - tail]
    after = raw[len(raw) - tail][1] if tail else end
    rest = (made_from[0][1], made_from[-1][2]) if made_from else (after, after)
    folded = [rest] * (len(value) - head - tail)
    return [*(u[1:] for u in raw[:head]), *folded, *(u[1:] for u in raw[len(raw) - tail :])]


def _escaped(raw: str, at: int, end: int, escapes: dict[str, str]) -> Iterator[Unit]:
    while at < end:
        if raw[at] != "\\":
            yield raw[at], at, at + 1
            at += 1
            continue
        kind = raw[at + 1]
        if kind in _HEX:
            stop = at + 2 + _HEX[kind]
            yield chr(int(raw[at + 2 : stop], 16)), at, stop
            at = stop
        elif kind in escapes:
            yield escapes[kind], at, at + 2
            at += 2
        else:  # the line goes on below: the backslash is no character, and what follows it is blank
            at += 1


def _doubled(raw: str, at: int, end: int) -> Iterator[Unit]:
    while at < end:
        stop = at + (2 if raw[at] == "'" else 1)
        yield raw[at], at, stop
        at = stop
