"""Where something stands, known before anybody has worked out its offsets.

A clean file never pays for places: a `Place` is a path into the document, and turns into a `Span` only when
a diagnostic or an explanation is written.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from llmposter_dsl.source import Source, Span

Path: TypeAlias = tuple[str | int, ...]
"""Keys and indices from the root of a document to a value: ``("states", "ask", 0, "when")``."""


class Located(Protocol):
    """A document that can say where its values are; see `llmposter_dsl.tree`."""

    @property
    def source(self) -> Source: ...

    @property
    def kind(self) -> Literal["toml", "yaml", "json"]: ...

    def source_of(self, path: Path) -> Source:
        """Where the value at *path* is written, and where its spans are."""

    def value_span(self, path: Path) -> Span:
        """The value at *path*; of a missing one the nearest value around it."""

    def key_span(self, path: Path) -> Span:
        """The last key of *path* as written; for an item of a list, the item."""

    def inner_span(self, path: Path, start: int, end: int) -> Span:
        """The characters *start* to *end* (offsets in the decoded string) of the string at *path*."""


@dataclass(frozen=True, slots=True)
class At:
    """A place whose offsets are known."""

    source: Source
    span: Span


@dataclass(frozen=True, slots=True)
class Within:
    """A value of a document, its key, or a stretch of the string that it is."""

    document: Located
    path: Path
    part: Literal["value", "key"] = "value"
    inner: tuple[int, int] | None = None

    @property
    def source(self) -> Source:
        return self.document.source_of(self.path)

    @property
    def span(self) -> Span:
        if self.inner is not None:
            return self.document.inner_span(self.path, *self.inner)
        return self.document.key_span(self.path) if self.part == "key" else self.document.value_span(self.path)

    def child(self, *more: str | int) -> Within:
        """The place of a value further in."""
        return Within(self.document, (*self.path, *more))

    def key(self, *more: str | int) -> Within:
        """The place of the key of this value, or of one further in."""
        return Within(self.document, (*self.path, *more), "key")

    def stretch(self, start: int, end: int) -> Within:
        """The place of a stretch of this string; of a stretch, counted from the string's own start."""
        return Within(self.document, self.path, "value", (start, end))


Place: TypeAlias = At | Within


def where(place: Place) -> str:
    """``weather.toml:14:8``: the file and the 1-based line and column where the place starts."""
    line, column = place.source.position(place.span.start)
    return f"{place.source.name}:{line}:{column}"


def assigned(key: str, value: str, place: Place) -> str:
    """A key with its value in backquotes, as the file of *place* is written."""
    yaml = isinstance(place, Within) and place.document.kind == "yaml"
    return f"`{key}: {value}`" if yaml else f"`{key} = {value}`"
