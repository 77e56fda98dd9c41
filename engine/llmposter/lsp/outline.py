"""The parts of a scenario for an editor's outline: states with their rules, variables, tools, examples."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, NamedTuple, TypeAlias

from llmposter.lsp.uses import table
from llmposter_dsl.place import Path
from llmposter_dsl.source import Span
from llmposter_dsl.tree import Document, walk

Sort: TypeAlias = Literal["state", "rule", "variable", "tool", "example"]


class Part(NamedTuple):
    """One entry: the whole of it, and where its name stands."""

    name: str
    detail: str
    sort: Sort
    span: Span
    at: Span
    parts: tuple[Part, ...] = ()


def outline(document: Document) -> list[Part]:
    """The entries in the order of the file."""
    data = document.data
    found = [_part(document, ("vars", name), name, "variable") for name in table(data, "vars")]
    found += [_part(document, ("tools", name), name, "tool") for name in table(data, "tools")]
    found += [_state(document, ("states", name), name, rules) for name, rules in table(data, "states").items()]
    if isinstance(data, dict):
        groups = ("always", "otherwise", "embeddings", "moderations")
        found += [_state(document, (name,), name, data[name]) for name in groups if name in data]
        found += _listed(document, ("examples",), data.get("examples"), "example")
    return sorted(found, key=lambda part: part.span)


def _state(document: Document, path: Path, name: str, rules: Any) -> Part:
    return _part(document, path, name, "state", _listed(document, path, rules, "rule"))


def _listed(document: Document, path: Path, items: Any, sort: Sort) -> list[Part]:
    return [
        _part(document, (*path, number), _name(each, f"{sort} {number + 1}"), sort)
        for number, each in enumerate(items if isinstance(items, list) else ())
        if isinstance(each, dict)
    ]


def _name(each: dict[str, Any], otherwise: str) -> str:
    name = each.get("name")
    return name if isinstance(name, str) and name else otherwise


def _detail(each: dict[str, Any]) -> str:
    when, goto = each.get("when"), each.get("goto")
    return f"{when if isinstance(when, str) else ''}{f' → {goto}' if isinstance(goto, str) else ''}".strip()


def _part(document: Document, path: Path, name: str, sort: Sort, parts: Iterable[Part] = ()) -> Part:
    at, within = document.key_span(path), tuple(parts)
    spans = [at, *(part.span for part in within)]
    if not within:
        inside = [(*path, *below) for below, _, _ in walk(document.lookup(path))]
        spans += [span for each in inside for span in (document.value_span(each), document.key_span(each))]
    whole = Span(min(spans).start, max(span.end for span in spans))
    return Part(name, _detail(document.lookup(path)) if sort == "rule" else "", sort, whole, at, within)
