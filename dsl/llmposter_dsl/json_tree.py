"""JSON: the standard library decides validity and values, a scanner over the same text finds the places.

For files that others wrote; scenarios are TOML or YAML.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NoReturn

from llmposter_dsl.diagnostic import Diagnostic
from llmposter_dsl.place import At
from llmposter_dsl.source import Source, Span
from llmposter_dsl.tree import DEEPEST, Loaded, Node

_LEXEME = re.compile(r'"(?:\\.|[^"\\])*"|[\[\]{},:]|[^\s\[\]{},:"]+', re.DOTALL)


class _NoNumber(ValueError):  # noqa: N818 - it says what the word is
    """`NaN` and `Infinity`, which Python would read."""


def load(source: Source) -> Loaded | tuple[Diagnostic, ...]:
    """The values of a JSON text."""
    if (deep := _too_deep(source.text)) is not None:
        message = f"values are nested more than {DEEPEST} levels deep"
        return (Diagnostic("LP107", message, At(source, Span(deep, deep + 1))),)
    try:
        return Loaded(json.loads(source.text, parse_constant=_refuse))
    except json.JSONDecodeError as error:
        at = min(error.pos, len(source.text))
        message = f"broken JSON: {error.msg[:1].lower()}{error.msg[1:]}"
        return (Diagnostic("LP104", message, At(source, Span(at, min(at + 1, len(source.text))))),)
    except ValueError as error:  # no number, or more digits than Python reads
        return (Diagnostic("LP104", f"broken JSON: {error}", At(source, Span(0, 0))),)


def _refuse(word: str) -> NoReturn:
    raise _NoNumber(f"`{word}` is no JSON")


def _too_deep(text: str) -> int | None:
    depth = 0
    for found in _LEXEME.finditer(text):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(found[0], 0)
        if depth > DEEPEST:
            return found.start()
    return None


def places(source: Source) -> Node:
    """The places of a text that `load` accepted."""
    lexemes = ((found[0], Span(*found.span())) for found in _LEXEME.finditer(source.text))
    return _value(*next(lexemes), lexemes)


def _value(word: str, span: Span, lexemes: Iterator[tuple[str, Span]]) -> Node:
    match word[0]:
        case "{":
            return _object(span, lexemes)
        case "[":
            return _array(span, lexemes)
        case '"':
            return Node(span, None, None, span, '"')
        case _:
            return Node(span)


def _object(begins: Span, lexemes: Iterator[tuple[str, Span]]) -> Node:
    members: dict[str, Node] = {}
    end = begins
    for word, span in lexemes:
        end = span
        if word == "}":
            break
        if word != ",":
            next(lexemes)  # the colon
            node = _value(*next(lexemes), lexemes)
            node.key = span
            name: Any = json.loads(word)
            members[name] = node
    return Node(Span(begins.start, end.end), None, members)


def _array(begins: Span, lexemes: Iterator[tuple[str, Span]]) -> Node:
    items: list[Node] = []
    end = begins
    for word, span in lexemes:
        end = span
        if word == "]":
            break
        if word != ",":
            items.append(_value(word, span, lexemes))
    return Node(Span(begins.start, end.end), None, items)
