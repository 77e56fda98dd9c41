"""Regular expressions that are only a text, what places they ask for, and texts that they find.

It reads the part of RE2's syntax that Python's own parser reads alike; anything else gives nothing.
"""

from __future__ import annotations

import re
import string
import warnings
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Final, Literal

_PLAIN: Final = re.compile(r"(\^?)((?:[^\\^$.|?*+()\[\]{}]|\\[^\w\s])*)(\$?)")
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)
_NAMED: Final = re.compile(r"\(\?<(\w)")
_PLACES: Final = {"AT_BEGINNING": "begin", "AT_BEGINNING_STRING": "begin", "AT_END": "end", "AT_END_STRING": "end"}
_ALPHABET: Final = string.ascii_lowercase + string.digits + string.ascii_uppercase + " " + string.punctuation + "é\n\t"


def plain(pattern: str, flags: str) -> tuple[Literal["has", "starts with", "ends with", "=="], str] | None:
    """The test of text that a regular expression is which is only a text; None where it is more."""
    found = _PLAIN.fullmatch(pattern)
    # RE2 is handed a question mark for half of a character, which no text holds.
    if found is None or "i" in flags or ("m" in flags and (found[1] or found[3])) or "?" in found[2]:
        return None
    text = _ESCAPE.sub(r"\1", found[2])
    if found[1]:
        return ("==" if found[3] else "starts with"), text
    return ("ends with" if found[3] else "has"), text


def folded(pattern: str, flags: str) -> str | None:
    """The text in lower case that a regular expression without regard to case is; None where it is more."""
    found = _PLAIN.fullmatch(pattern)
    if found is None or "i" not in flags or found[1] or found[3] or not pattern.isascii():
        return None
    return _ESCAPE.sub(r"\1", found[2]).lower()


def places(pattern: str) -> frozenset[str] | None:
    """Which places it asks for: ``begin``, ``end``, or ``other`` such as the edge of a word; None if unknown."""
    parsed = _parsed(pattern)
    if parsed is None:
        return None
    return frozenset(_places(parsed))


def _places(parsed: Iterable[Any]) -> Iterable[str]:
    for operation, argument in parsed:
        name = str(operation)
        if name == "AT":
            yield _PLACES.get(str(argument), "other")
        elif name in ("ASSERT", "ASSERT_NOT", "GROUPREF", "GROUPREF_EXISTS"):
            yield "other"
        for below in _below(name, argument):
            yield from _places(below)


def _below(name: str, argument: Any) -> list[Any]:
    if name == "BRANCH":
        return list(argument[1])
    if name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
        return [argument[2]]
    return [argument[3]] if name == "SUBPATTERN" else [argument] if name == "ATOMIC_GROUP" else []


def example(pattern: str, branch: int = 0) -> str | None:
    """A short text that it should find; whoever uses it has to try. *branch* says which way it takes."""
    parsed = _parsed(pattern)
    return None if parsed is None else _written(parsed, branch)


def _written(parsed: Iterable[Any], branch: int) -> str | None:
    made = ""
    for operation, argument in parsed:
        text = _one(str(operation), argument, branch)
        if text is None:
            return None
        made += text
    return made


def _one(name: str, argument: Any, branch: int) -> str | None:
    match name:
        case "LITERAL":
            return chr(argument)
        case "NOT_LITERAL":
            return next(each for each in _ALPHABET if ord(each) != argument)
        case "ANY":
            return "x"
        case "IN":
            return next((each for each in _ALPHABET if _within(each, argument)), None)
        case "AT":
            return ""
        case "BRANCH":
            ways = argument[1]
            return _written(ways[branch % len(ways)], branch)
        case "MAX_REPEAT" | "MIN_REPEAT":
            least, _, below = argument
            text = _written(below, branch)
            return None if text is None or least > 1000 else text * least
        case "SUBPATTERN":
            return _written(argument[3], branch)
        case _:
            return None


def _within(char: str, items: Iterable[tuple[Any, Any]]) -> bool:
    negated, found = False, False
    for operation, argument in items:
        match str(operation):
            case "NEGATE":
                negated = True
            case "LITERAL":
                found = found or ord(char) == argument
            case "RANGE":
                found = found or argument[0] <= ord(char) <= argument[1]
            case _:
                found = found or _category(char, str(argument))
    return found != negated


def _category(char: str, name: str) -> bool:
    kinds = {
        "DIGIT": char in string.digits,
        "SPACE": char in " \n\t",
        "WORD": char.isascii() and (char.isalnum() or char == "_"),
    }
    what = name.removeprefix("CATEGORY_").removeprefix("NOT_")
    return kinds.get(what, False) != ("NOT_" in name)


@lru_cache(maxsize=1024)
def _parsed(pattern: str) -> tuple[Any, ...] | None:
    import re._parser as parser  # type: ignore[import-not-found]

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return tuple(parser.parse(_NAMED.sub(r"(?P<\1", pattern).replace(r"\z", r"\Z")))
    except (re.error, RecursionError, OverflowError, Warning):
        return None
