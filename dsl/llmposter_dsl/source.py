"""A file's text as read once, and places in it.

Offsets count code points of the text after the byte order mark was dropped and CRLF was made LF.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cached_property


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A half-open range of offsets in a source."""

    start: int
    end: int


@dataclass(frozen=True)
class Source:
    """The text of one scenario file.

    Attributes:
        name: the path as its user wrote it, for messages.
        text: the whole text, without byte order mark and with LF line ends.
        path: the absolute path on disk, or None for text that came from elsewhere.
    """

    name: str
    text: str = field(repr=False)
    path: str | None = None

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset, both 1-based, the column in code points."""
        line = bisect_right(self._starts, offset) - 1
        return line + 1, offset - self._starts[line] + 1

    def line(self, number: int) -> str:
        """The text of a 1-based line, without its line end."""
        start = self._starts[number - 1]
        end = self.text.find("\n", start)
        return self.text[start:] if end < 0 else self.text[start:end]

    @cached_property
    def _starts(self) -> list[int]:
        starts = [0]
        at = self.text.find("\n")
        while at >= 0:
            starts.append(at + 1)
            at = self.text.find("\n", at + 1)
        return starts
