"""Every place where a document names a state, a variable, a rule or a tool: to find, to go to, and to rename."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from llmposter_dsl import keys, shapes
from llmposter_dsl.expressions import syntax
from llmposter_dsl.expressions.parse import parse
from llmposter_dsl.expressions.template import stretches
from llmposter_dsl.place import Path
from llmposter_dsl.source import Span
from llmposter_dsl.tree import Document, walk

Kind: TypeAlias = Literal["state", "variable", "rule", "tool"]

SECTIONS: Final[dict[str, Kind]] = {"states": "state", "vars": "variable", "tools": "tool"}
"""Tables of a document that declare names."""
_ASKED: Final[dict[str, Kind]] = {"fired": "rule", "result": "tool", "call": "tool"}
"""Functions that take a name."""
_UNNAMED: Final = re.compile(r"([\w-]+)#\d+")
"""What a rule without a name is called by."""


class Use(NamedTuple):
    """One place.

    Attributes:
        defines: it is where the name is declared.
    """

    kind: Kind
    name: str
    document: Document
    span: Span
    defines: bool = False


class Expression(NamedTuple):
    """A stretch of a text that is an expression, or a call."""

    start: int
    end: int
    call: bool = False


def uses(document: Document) -> Iterator[Use]:
    """All of them, in no order; only what stands in the text with its own letters."""
    seen: set[Span] = set()
    for use in _all(document):
        if use.span not in seen and document.source.text[use.span.start : use.span.end] == use.name:
            seen.add(use.span)
            yield use


def _all(document: Document) -> Iterator[Use]:
    yield from _declared(document)
    for path, value, _ in walk(document.data):
        spot = shapes.spot(path)
        if spot.owner == "rule" and spot.key is not None and spot.key.name == "set" and len(spot.beyond) == 1:
            yield Use("variable", spot.beyond[0], document, document.key_span(path))
        if isinstance(value, str):
            yield from _texts(document, path, value, spot)


def _declared(document: Document) -> Iterator[Use]:
    if document.kind == "toml":
        from llmposter_dsl.toml_tree import header_keys

        for (section, _), *names in header_keys(document.source.text):
            if names and section in SECTIONS:
                yield Use(SECTIONS[section], names[0][0], document, _bare(document, names[0][1]), defines=True)
    for section, kind in SECTIONS.items():
        for name in table(document.data, section):
            span = _bare(document, document.key_span((section, name)))
            yield Use(kind, name, document, span, defines=True)


def table(data: Any, section: str) -> dict[str, Any]:
    """A table of a document; empty where there is none."""
    found = data.get(section) if isinstance(data, dict) else None
    return found if isinstance(found, dict) else {}


def _bare(document: Document, span: Span) -> Span:
    """A key without its quotes."""
    quoted = document.source.text[span.start] in "\"'"
    return Span(span.start + 1, span.end - 1) if quoted else span


def _texts(document: Document, path: Path, value: str, spot: shapes.Spot) -> Iterator[Use]:
    kind = named(spot)
    if kind is not None:
        span = document.inner_span(path, 0, len(value))
        yield Use(kind, value, document, span, defines=kind == "rule")
        return
    for stretch in expressions(value, spot):
        tree = parse(value[stretch.start : stretch.end], "tool_call" if stretch.call else "start")
        if isinstance(tree, syntax.Trouble):
            continue
        for found, name, start, end in _named(tree):
            if found != "variable" or not _is_fact(name, spot):
                span = document.inner_span(path, stretch.start + start, stretch.start + end)
                yield Use(found, name, document, span)


def _is_fact(name: str, spot: shapes.Spot) -> bool:
    return spot.key is not None and name in shapes.vocabulary(spot.owner, spot.key.name).facts


def named(spot: shapes.Spot) -> Kind | None:
    """What a text at a spot names, as a whole."""
    if spot.key is None or spot.beyond:
        return None
    match spot.owner, spot.key.name:
        case "scenario", "foreign":
            return "state"
        case "rule", "name":
            return "rule"
        case (("call" | "turn" | "message call" | "message result"), "tool"):
            return "tool"
        case "request", "tools":
            return "tool"
        case _:
            return "state" if spot.form in (keys.STATE, keys.STATES) else None


def expressions(value: str, spot: shapes.Spot) -> Iterator[Expression]:
    """The stretches of a text at a spot that are expressions."""
    if spot.key is None:
        return
    form, held = spot.key.form, spot.holds
    whole = form in (keys.CONDITION, keys.CONDITIONS, keys.EXPRESSION)
    if whole or (held.inside == "named" and spot.owner == "rule" and spot.beyond):
        yield Expression(0, len(value))
    elif form == keys.CALLS and spot.form is not None:
        yield Expression(0, len(value), call=True)
    elif form == keys.TEMPLATE or (held.inside == "templates" and spot.owner != "request"):
        for start, end, coded in stretches(value):
            if coded:
                yield Expression(start, min(end, len(value)))


def _named(tree: Any) -> Iterator[tuple[Kind, str, int, int]]:
    """What a tree names, with offsets in its text."""
    if isinstance(tree, syntax.ToolCall):
        yield "tool", tree.tool, tree.start, tree.start + len(tree.tool)
    pending = [tree]
    while pending:
        node = pending.pop()
        match node:
            case syntax.Name(name=name):
                yield "variable", name, node.start, node.start + len(name)
            case syntax.Apply(function=function, arguments=(syntax.Literal(kind="text") as given, *_)):
                if function in _ASKED:
                    yield from _literal(_ASKED[function], given)
            case syntax.Compare(left=left, right=right) if syntax.Name("state") in (left, right):
                yield from _states(right if left == syntax.Name("state") else left)
        pending += _below(node)


def _states(node: Any) -> Iterator[tuple[Kind, str, int, int]]:
    for each in node.items if isinstance(node, syntax.ListOf) else (node,):
        if isinstance(each, syntax.Literal) and each.kind == "text":
            yield from _literal("state", each)


def _literal(kind: Kind, node: syntax.Literal) -> Iterator[tuple[Kind, str, int, int]]:
    text, start = str(node.value), node.start + 1
    unnamed = _UNNAMED.fullmatch(text) if kind == "rule" else None
    if unnamed is not None:
        yield "state", unnamed[1], start, start + len(unnamed[1])
    else:
        yield kind, text, start, start + len(text)


def _below(node: Any) -> list[Any]:
    found: list[Any] = []
    for name in getattr(node, "__struct_fields__", ()):
        value = getattr(node, name)
        found += [each for each in (value if isinstance(value, tuple) else (value,)) if isinstance(each, syntax.Placed)]
    return found
