"""A scenario file as data, which can say where each of its values stands.

Nothing about places is worked out before somebody asks, so that a clean file never pays for them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from llmposter_dsl.place import Path, Within
from llmposter_dsl.source import Source, Span
from llmposter_dsl.undisturbed import undisturbed

if TYPE_CHECKING:
    from llmposter_dsl.diagnostic import Diagnostic
    from llmposter_dsl.inner import Form

Kind: TypeAlias = Literal["toml", "yaml", "json"]
"""A scenario is TOML or YAML; JSON is read of what others wrote."""

DEEPEST = 100
"""How many levels a document may be nested; whatever walks one may recurse."""


@dataclass(slots=True)
class Node:
    """The places of one value.

    Attributes:
        span: the value; of a TOML table its header.
        key: its key, None for an item of a list and for the root.
        children: of a table or list; a list holds them in order.
        raw: where the whole of a string is written, which may end later than `span` (a block's last line ends).
        form: how that string is written; None for what is no string.
        closed: a value written whole, to which no later header can add.
        later: works out the children that are not known yet.
    """

    span: Span
    key: Span | None = None
    children: dict[str, Node] | list[Node] | None = None
    raw: Span | None = None
    form: Form | None = None
    closed: bool = False
    later: Callable[[], None] | None = None

    def child(self, step: str | int) -> Node | None:
        """The node one step further in, or None."""
        if self.later is not None:
            work_out, self.later = self.later, None
            work_out()
        match self.children, step:
            case dict(members), str():
                return members.get(step)
            case list(items), int() if -len(items) <= step < len(items):
                return items[step]
            case _:
                return None


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a tree reader gives: the values, and what it found odd but could read."""

    data: Any
    findings: tuple[Diagnostic, ...] = ()


@dataclass(frozen=True, eq=False)
class Document:
    """A file that could be read.

    Attributes:
        source: its text.
        data: dict, list, str, int, float, bool and None only; to be treated as frozen, since aliases share.
        kind: what it was written in.
        findings: warnings of reading, for whoever collects diagnostics.
    """

    source: Source
    data: Any = field(repr=False)
    kind: Kind
    findings: tuple[Diagnostic, ...] = ()

    def root(self) -> Within:
        """The place of the whole document, from which all others descend."""
        return Within(self, ())

    def source_of(self, path: Path) -> Source:  # noqa: ARG002 - a file holds all of its values
        """Where the value at *path* is written."""
        return self.source

    def value_span(self, path: Path) -> Span:
        """The value at *path*, quotes included; of a missing one the nearest value around it."""
        return self._nearest(path).span

    def key_span(self, path: Path) -> Span:
        """The last key of *path* as written; for an item of a list, the item; for a missing one, the nearest around."""
        node = self._nearest(path)
        return node.key or node.span

    def inner_span(self, path: Path, start: int, end: int) -> Span:
        """The characters *start* to *end* of the decoded string at *path*; a character's whole escape belongs to it."""
        node = self._nearest(path)
        ranges = self._ranges(path)
        if node.raw is None or node.form is None or ranges is None:
            return node.span
        begin = node.raw.start
        if start >= len(ranges):
            from llmposter_dsl.inner import content

            raw = self.source.text[begin : node.raw.end]
            at = begin + (ranges[-1][1] if ranges else content(raw, node.form)[0])
            return Span(at, at)
        first = ranges[max(start, 0)][0]
        last = ranges[min(end, len(ranges)) - 1][1] if end > start else first
        return Span(begin + first, begin + last)

    def node(self, path: Path) -> Node | None:
        """The places of the value at *path*; None where there is none."""
        node: Node | None = self._tree
        for step in path:
            node = None if node is None else node.child(step)
        return node

    def string(self, path: Path) -> tuple[str, Form] | None:
        """The string at *path* as it is written, quotes included, and in which form; None where there is none."""
        node = self._nearest(path)
        if node.raw is None or node.form is None or not isinstance(self.lookup(path), str):
            return None
        return self.source.text[node.raw.start : node.raw.end], node.form

    def lookup(self, path: Path) -> Any:
        """The value at *path*, or None where there is none."""
        value = self.data
        for step in path:
            match value, step:
                case (dict() as members, str()) if step in members:
                    value = members[step]
                case (list() as items, int()) if -len(items) <= step < len(items):
                    value = items[step]
                case _:
                    return None
        return value

    @cached_property
    def _tree(self) -> Node:
        match self.kind:
            case "toml":
                from llmposter_dsl.toml_tree import places
            case "yaml":
                from llmposter_dsl.yaml_tree import places
            case "json":
                from llmposter_dsl.json_tree import places
        with undisturbed():
            return places(self.source)

    @cached_property
    def _known_ranges(self) -> dict[Path, list[tuple[int, int]] | None]:
        return {}

    def _ranges(self, path: Path) -> list[tuple[int, int]] | None:
        known = self._known_ranges
        if path not in known:
            known[path] = self._work_out_ranges(path)
        return known[path]

    def _work_out_ranges(self, path: Path) -> list[tuple[int, int]] | None:
        from llmposter_dsl.inner import ranges

        value, node = self.lookup(path), self._nearest(path)
        if not isinstance(value, str) or node.raw is None or node.form is None:
            return None
        return ranges(value, self.source.text[node.raw.start : node.raw.end], node.form)

    def _nearest(self, path: Path) -> Node:
        node = self._tree
        for step in path:
            further = node.child(step)
            if further is None:
                break
            node = further
        return node


def walk(data: Any) -> Iterator[tuple[Path, Any, Any]]:
    """Every value of *data* with its path and the container that holds it; does not go below `DEEPEST` levels."""
    stack: list[tuple[Path, Any, Any]] = [((), data, None)]
    while stack:
        entry = stack.pop()
        yield entry
        path, value, _ = entry
        if len(path) > DEEPEST:
            continue
        if isinstance(value, dict):
            stack += [((*path, key), child, value) for key, child in reversed(value.items())]
        elif isinstance(value, list):
            stack += [((*path, at), value[at], value) for at in range(len(value) - 1, -1, -1)]
