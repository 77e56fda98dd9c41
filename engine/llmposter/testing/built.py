"""A scenario's document put together from parts, each with its own places: calls in Python, and files.

To the compiler it is a document like any other; nothing about places is worked out before somebody asks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from llmposter_dsl.tree import Document

if TYPE_CHECKING:
    from llmposter.testing.site import Site
    from llmposter_dsl.place import Path
    from llmposter_dsl.source import Source, Span


class Origin(Protocol):
    """Where a part was written; paths are those within the part."""

    @property
    def source(self) -> Source: ...

    def value_span(self, path: Path, /) -> Span: ...
    def key_span(self, path: Path, /) -> Span: ...
    def inner_span(self, path: Path, start: int, end: int, /) -> Span: ...


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """One rule, or what else a call of its own builds: its keys as the file has them, and the call."""

    keys: Mapping[str, Any]
    site: Site


@dataclass(frozen=True, slots=True, eq=False)
class Argument:
    """What a call has at one of its places, such as the name of a state."""

    site: Site
    place: int

    @property
    def source(self) -> Source:
        return self.site.source

    def value_span(self, path: Path) -> Span:
        return self.site.value_span((self.place, *path))

    def key_span(self, path: Path) -> Span:
        return self.site.key_span((self.place, *path)) if path else self.value_span(())

    def inner_span(self, path: Path, start: int, end: int) -> Span:
        return self.site.inner_span((self.place, *path), start, end)


@dataclass(frozen=True, eq=False)
class Built(Document):
    """A document of parts: *origins* has where each was written, by its path; the root's is always there."""

    origins: Mapping[Path, Origin] = field(default_factory=dict)

    def source_of(self, path: Path) -> Source:
        return self._origin(path)[0].source

    def value_span(self, path: Path) -> Span:
        origin, rest = self._origin(path)
        return origin.value_span(rest)

    def key_span(self, path: Path) -> Span:
        origin, rest = self._origin(path)
        return origin.key_span(rest)

    def inner_span(self, path: Path, start: int, end: int) -> Span:
        origin, rest = self._origin(path)
        return origin.inner_span(rest, start, end)

    def _origin(self, path: Path) -> tuple[Origin, Path]:
        for length in range(len(path), 0, -1):
            if (found := self.origins.get(path[:length])) is not None:
                return found, path[length:]
        return self.origins[()], path


def plain(value: object, path: Path, origins: dict[Path, Origin]) -> Any:
    """*value* as a file would hold it; the rules in it leave their calls in *origins*.

    Raises:
        TypeError: no file can hold it.
    """
    match value:
        case None | bool():
            return value
        case str():
            return str.__str__(value)
        case int():
            return int(value)
        case float():
            return float(value)
        case Rule():
            origins[path] = value.site
            return plain(value.keys, path, origins)
        case Mapping():
            return {_name(key, path): plain(each, (*path, key), origins) for key, each in value.items()}
        case Sequence() if not isinstance(value, bytes | bytearray):
            return [plain(each, (*path, n), origins) for n, each in enumerate(value)]
        case _:
            raise TypeError(
                f"{_at(path)} is {value!r}, and a scenario holds texts, numbers, true and false, lists and tables"
            )


def _name(key: object, path: Path) -> str:
    if isinstance(key, str):
        return str.__str__(key)
    raise TypeError(f"{_at(path)} has the key {key!r}, and the keys of a scenario are texts")


def _at(path: Path) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")
