"""Fixes that change the shape of a file: what is taken out, put into a list, or moved, with the lines it stands in.

Comments stay where they are; where a line holds more than what is moved, and nothing between says so, there is no fix.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from llmposter_dsl import fixing, words
from llmposter_dsl.diagnostic import Edit, Fix
from llmposter_dsl.place import At, Path, Place, Within
from llmposter_dsl.source import Span
from llmposter_dsl.tree import Document
from llmposter_dsl.written import in_double_quotes

if TYPE_CHECKING:
    from llmposter_dsl.rules import Line
    from llmposter_dsl.tree import Node

_ITEM: Final = re.compile(r"[ \t]*(?:-[ \t]+)*-[ \t]+")
_SIMPLE: Final = re.compile(r"[\w.][\w .-]*")
_BLANK: Final = re.compile(r"\s*(#.*)?")


def listed(place: Within) -> tuple[Fix, ...]:
    """What stands at *place*, put into a list of its own."""
    document, text = _document(place), fixing.slice_of(place)
    if document is None or not text:
        return fixing.NONE
    message = "put it in a list"
    # A table with a header has the header's own place.
    if text[0] in "[{\"'" or (document.kind == "yaml" and _SIMPLE.fullmatch(text)):
        if text.startswith("[["):
            return fixing.NONE
        return fixing.as_written(place, f"[{text}]", safe=True, message=message)
    if isinstance(value := document.lookup(place.path), str) and "\n" not in text:
        return fixing.as_written(place, f"[{in_double_quotes(value)}]", safe=True, message=message)
    if document.kind != "yaml" or not isinstance(document.lookup(place.path), dict):
        return fixing.NONE
    indented = re.sub(r"\n(?=[^\n])", "\n  ", text)
    return fixing.as_written(place, f"- {indented}", safe=True, message=message)


def without(place: Within, message: str | None = None) -> tuple[Fix, ...]:
    """The key at *place*, or the item of a list, taken out with its value."""
    document = _document(place)
    span = None if document is None else extent(document, place.path)
    if span is None:
        return fixing.NONE
    name = f"`{place.path[-1]}`" if isinstance(place.path[-1], str) else "it"
    return (Fix(message or f"take {name} out", (Edit(At(place.source, span), ""),)),)


def without_one(place: Place, message: str) -> tuple[Fix, ...]:
    """One of several items of a list taken out."""
    document = _document(place)
    if document is None or not isinstance(place, Within):
        return fixing.NONE
    items = document.lookup(place.path[:-1])
    return without(place, message) if isinstance(items, list) and len(items) > 1 else fixing.NONE


def all_without(places: list[Within], message: str) -> tuple[Fix, ...]:
    """Several keys or items taken out at once, or none of them."""
    found = [without(each) for each in places]
    if not found or not all(found):
        return fixing.NONE
    return (Fix(message, tuple(edit for (fix,) in found for edit in fix.edits)),)


def without_rules(place: Within, lines: list[Line]) -> tuple[Fix, ...]:
    """The state whose name stands at *place* taken out, with all of its rules."""
    document, message = _document(place), f"take the state `{place.path[-1]}` out"
    node = None if document is None else document.node(place.path)
    if document is None or node is None:
        return fixing.NONE
    if document.kind == "toml" and not node.closed:
        return all_without([line.place for line in lines], message)
    return without(place, message)


def lifted(place: Within, *, safe: bool) -> tuple[Fix, ...]:
    """The key at *place* as a key of the table around its own."""
    document, (*above, name) = _document(place), place.path
    if document is None or not above or name in (document.lookup(tuple(above[:-1])) or {}):
        return fixing.NONE
    gone, added = extent(document, place.path), _beside(document, tuple(above), place)
    if gone is None or added is None:
        return fixing.NONE
    edits = (Edit(At(document.source, gone), ""), added)
    return (Fix(f"write {words.shown(name)} beside `{above[-1]}`", edits, safe),)


def put_last(place: Within, last: Within) -> tuple[Fix, ...]:
    """The item of a list at *place* after *last*, which is another of its items."""
    document = _document(place)
    if document is None or last.document is not document:
        return fixing.NONE
    span, end = extent(document, place.path, following=False), extent(document, last.path, following=False)
    if span is None or end is None or not _whole_lines(document, span) or span.end > end.start:
        return fixing.NONE
    text, source = document.source.text, document.source
    moved = text[span.start : span.end].rstrip("\n")
    gap = "\n" if document.kind == "toml" else ""
    after = f"{gap}{moved}\n" if text[: end.end].endswith("\n") else f"\n{gap}{moved}"
    gone = extent(document, place.path)
    assert gone is not None
    edits = (Edit(At(source, gone), ""), Edit(At(source, Span(end.end, end.end)), after))
    return (Fix("put the rule that always fires last", edits),)


def extent(document: Document, path: Path, *, following: bool = True) -> Span | None:
    """All that goes with the value at *path*: its key, its lines and, if *following*, the empty lines below."""
    node, holder = document.node(path), document.node(path[:-1])
    if node is None or holder is None:
        return None
    text = document.source.text
    if document.kind == "toml" and not node.closed:
        return _below_header(document, node, path, following=following)
    if text[holder.span.start : holder.span.start + 1] in ("{", "[") and (document.kind == "yaml" or holder.closed):
        return _between_commas(document, holder, node)
    return _lines(document, holder, node)


def _below_header(document: Document, node: Node, path: Path, *, following: bool) -> Span | None:
    text = document.source.text
    given, index = _headers(text)
    own = index.get(node.span)
    if own is None or isinstance(node.children, list):
        return None
    names = given[own][0]
    if names[-1] != next((step for step in reversed(path) if isinstance(step, str)), None):
        return None
    after = own + 1
    while after < len(given) and len(given[after][0]) > len(names) and given[after][0][: len(names)] == names:
        after += 1
    start = _line_start(text, node.span.start)
    if after == len(given):
        return Span(start, len(text))
    return Span(start, _above_comments(text, start, given[after][1].start, following=following))


@lru_cache(maxsize=8)
def _headers(text: str) -> tuple[list[tuple[tuple[str, ...], Span]], dict[Span, int]]:
    """The headers of a TOML text, and which is where; a file of many findings asks for them as often."""
    from llmposter_dsl.toml_tree import headers

    given = list(headers(text))
    return given, {span: at for at, (_, span) in enumerate(given)}


def _above_comments(text: str, start: int, stop: int, *, following: bool) -> int:
    """Where the lines end that are not comments on what begins at *stop*."""
    end = _line_start(text, stop)
    while end > start:
        before = _line_start(text, end - 1)
        line = text[before : end - 1]
        if not _BLANK.fullmatch(line) or (following and not line.strip()):
            break
        end = before
    return end


def _between_commas(document: Document, holder: Node, node: Node) -> Span | None:
    """The stretch of an inline table, or of a list in brackets, up to the commas that stay."""
    text = document.source.text
    children = holder.children or ()
    every = list(children.values()) if isinstance(children, dict) else list(children)
    every.sort(key=_start)
    at = next((at for at, each in enumerate(every) if each is node), None)
    if at is None:
        return None
    if at:
        span = Span(every[at - 1].span.end, node.span.end)
    elif len(every) > 1:
        span = Span(_start(node), _start(every[1]))
    else:
        span = Span(_start(node), node.span.end)
    return None if "#" in text[span.start : _start(node)] or "#" in text[node.span.end : span.end] else span


def _lines(document: Document, holder: Node, node: Node) -> Span | None:
    text, start = document.source.text, _start(node)
    line = _line_start(text, start)
    end = text.find("\n", max(node.span.end, node.raw.end - 1 if node.raw else 0))
    end = len(text) if end < 0 else end
    if not _BLANK.fullmatch(text[node.span.end : end]):
        return None
    before = text[line:start]
    children = holder.children or ()
    if len(children) == 1 and document.kind == "yaml":
        return None  # nothing would be left of what holds it
    if not before.strip() or (isinstance(children, list) and _ITEM.fullmatch(before) and before.count("-") == 1):
        return Span(line, min(end + 1, len(text)))
    if isinstance(children, dict) and _ITEM.fullmatch(before):
        later = min((_start(each) for each in children.values() if _start(each) > start), default=None)
        return None if later is None or "#" in text[node.span.end : later] else Span(start, later)
    dotted = document.kind == "toml" and re.fullmatch(r"[ \t]*(?:[\w\"'-]+[ \t]*\.[ \t]*)+", before)
    return Span(line, min(end + 1, len(text))) if dotted else None


def _beside(document: Document, path: Path, place: Within) -> Edit | None:
    """The key at *place*, written once more beside the table at *path*."""
    node, table, holder = document.node(place.path), document.node(path), document.node(path[:-1])
    if node is None or node.key is None or table is None or table.key is None or holder is None:
        return None
    text, source = document.source.text, document.source
    pair, inline = text[node.key.start : node.span.end], text[table.span.start] == "{"
    if "\n" in pair or "#" in pair:
        return None
    if not inline:  # a comment behind it goes along
        pair = text[node.key.start :].split("\n", 1)[0]
    if inline and text[holder.span.start] == "{":
        return Edit(At(source, Span(table.span.end, table.span.end)), f", {pair}")
    if inline or document.kind == "yaml":
        indent = " " * (source.position(table.key.start)[1] - 1)
        if not inline:  # its own lines may end with those that are taken out
            return Edit(At(source, Span(table.key.start, table.key.start)), f"{pair}\n{indent}")
        end = text.find("\n", table.span.end)
        end = len(text) if end < 0 else end
        return Edit(At(source, Span(end, end)), f"\n{indent}{pair}")
    if table.closed or holder.closed:
        return None
    return Edit(At(source, Span(holder.span.end, holder.span.end)), f"\n{pair}")


def _document(place: Place) -> Document | None:
    document = place.document if isinstance(place, Within) else None
    return document if type(document) is Document and document.kind in ("toml", "yaml") else None


def _start(node: Node) -> int:
    return node.key.start if node.key is not None else node.span.start


def _line_start(text: str, at: int) -> int:
    return text.rfind("\n", 0, at) + 1


def _whole_lines(document: Document, span: Span) -> bool:
    text = document.source.text
    return span.start == _line_start(text, span.start) and (span.end == len(text) or text[span.end - 1] == "\n")
