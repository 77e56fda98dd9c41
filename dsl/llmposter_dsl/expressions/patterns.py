"""The user's regular expressions (RE2) and JSONPath queries (RFC 9535), compiled once; both libraries load late."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from llmposter_dsl.expressions.syntax import Trouble
from llmposter_dsl.program import Value


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression: how to search UTF-8 with it, and its named groups with their places in it."""

    search: Callable[[bytes], Any]
    names: tuple[str, ...]
    places: Mapping[str, tuple[int, int]]


_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_ESCAPED = {"\b": "b", "\t": "t", "\n": "n", "\f": "f", "\r": "r", "\x1b": "e"}
_GROUP = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]|\(\?P?<(\w+)>", re.DOTALL)
_BRACKET = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|[()]", re.DOTALL)
_BYTE = re.compile(r"\\(.)", re.DOTALL)
_REASONS = {
    "missing )": "a `(` is not closed",
    "unexpected )": "a `)` closes nothing",
    "missing ]": "a `[` is not closed",
    "no argument for repetition operator": "nothing stands before the repetition",
    "bad repetition operator": "two repetitions stand side by side",
    "invalid repetition size": "the repetition is too large: 1000 is the most",
    "invalid character class range": "the range of the character class runs backwards",
    "invalid escape sequence": "the escape is not known",
    "trailing \\": "the last `\\` escapes nothing",
    "invalid perl operator": "the group is of a kind that RE2 does not have",
    "invalid named capture group": "the group's name is not a name",
    "bad named capture group": "the group's name is not a name",
    "pattern too large": "it is too large",
}
_NO_LOOKING = "RE2 has no look-around and no back-references"


@lru_cache(maxsize=4096)
def compile_pattern(pattern: str, flags: str) -> Pattern | Trouble:
    """The pattern ready to search, or what is wrong with it, at offsets in *pattern*."""
    control = _CONTROL.search(pattern)
    if control is not None:
        return _control(control)
    for escape in _BYTE.finditer(pattern):
        if escape[1] == "C":
            return Trouble(*escape.span(), "bad regular expression: `\\C` matches single bytes", None, "LP207")
    import re2

    options = re2.Options()
    options.log_errors = False
    kinds = "".join(sorted(set(flags)))
    try:
        compiled = re2.compile(f"(?{kinds}){pattern}" if kinds else pattern, options)
    except re2.error as error:
        return _bad(pattern, error)
    except UnicodeEncodeError:
        return Trouble(0, len(pattern), "bad regular expression: it holds half a character", None, "LP207")
    places: dict[str, tuple[int, int]] = {}
    for group in _GROUP.finditer(pattern):
        if group[1] in places:
            return Trouble(*group.span(1), f"bad regular expression: two groups are called `{group[1]}`", None, "LP207")
        if group[1] in compiled.groupindex:
            places[group[1]] = group.span(1)
    names = sorted(compiled.groupindex, key=compiled.groupindex.__getitem__)
    return Pattern(compiled.search, tuple(names), places)


def _control(found: re.Match[str]) -> Trouble:
    letter = _ESCAPED.get(found[0])
    what = f"`\\{letter}`" if letter else f"U+{ord(found[0]):04X}"
    message = f"a control character, {what}, stands in a regular expression: the file's own escape ate the backslash"
    cure = "put the expression in '…', where a backslash stays a backslash"
    instead = f"\\{letter}" if letter else None
    return Trouble(*found.span(), message, cure, "LP122", instead, sure=True)


def _bad(pattern: str, error: Exception) -> Trouble:
    raw = error.args[0] if error.args else b""
    reason = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else str(raw)
    kind, _, fragment = reason.partition(": ")
    words = _REASONS.get(kind, kind)
    if kind == "invalid character class range" and fragment[:1] in ("\\", "[") and "-" not in fragment:
        words = "the character class is not known"
    start, end = _bracket(pattern) if kind in ("missing )", "unexpected )") else _stretch(pattern, fragment)
    looks = kind == "invalid perl operator" or (kind == "invalid escape sequence" and fragment[-1:].isdigit())
    quoted = f" at `{pattern[start:end]}`" if end - start < len(pattern) else ""
    return Trouble(start, end, f"bad regular expression{quoted}: {words}", _NO_LOOKING if looks else None, "LP207")


def _stretch(pattern: str, fragment: str) -> tuple[int, int]:
    at = pattern.find(fragment) if fragment else -1
    return (at, at + len(fragment)) if at >= 0 else (0, len(pattern))


def _bracket(pattern: str) -> tuple[int, int]:
    """The `(` that nothing closes, or the `)` that closes nothing."""
    stack: list[int] = []
    for found in _BRACKET.finditer(pattern):
        if found[0] == "(":
            stack.append(found.start())
        elif found[0] == ")" and not stack:
            return found.span()
        elif found[0] == ")":
            stack.pop()
    return (stack[-1], stack[-1] + 1) if stack else (0, len(pattern))


@lru_cache(maxsize=1024)
def compile_query(query: str) -> Callable[[Value], Iterable[Value]] | Trouble:
    """A function from a document to what the query finds in it, or what is wrong with the query."""
    return query_in(_queries(), query)


def query_in(environment: Any, query: str) -> Callable[[Value], Iterable[Value]] | Trouble:
    """Likewise, with the functions of a `JSONPathEnvironment`."""
    from jsonpath_rfc9535 import JSONPathError

    try:
        compiled = environment.compile(query)
    except JSONPathError as error:
        reason, _, _ = str(error).partition(", line ")
        start = min(getattr(error.token, "index", 0), len(query))
        end = max(start, min(start + len(getattr(error.token, "value", "")), len(query)))
        help_ = "write `any(jsonpath(…), it matches /…/)`" if reason.startswith(_REGEX_FUNCTIONS) else None
        return Trouble(start, end, f"bad JSONPath: {reason}", help_, "LP208")
    except (RecursionError, ValueError) as error:
        return Trouble(0, len(query), f"bad JSONPath: {error}", None, "LP208")
    return lambda document: (node.value for node in compiled.finditer(document))


_REGEX_FUNCTIONS = ("function 'match'", "function 'search'")


@cache
def _queries() -> Any:
    from jsonpath_rfc9535 import JSONPathEnvironment

    environment = JSONPathEnvironment()
    # Their regular expressions are not RE2's: one of them could run for ever.
    del environment.function_extensions["match"], environment.function_extensions["search"]
    return environment
