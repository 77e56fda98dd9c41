"""A file's text as read once, and places in it.

Offsets count code points of the text after the byte order mark was dropped and CRLF was made LF.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

_END: Final = re.compile(r"\r\n?|\n")
"""What ends a line to editors, and to nobody else; `str.splitlines` takes more:
https://microsoft.github.io/language-server-protocol/specifications/lsp/3.17/specification/#textDocuments"""


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

    def start(self, number: int) -> int:
        """The offset at which a 1-based line begins; the end of the text for one behind the last."""
        return self._starts[number - 1] if number <= len(self._starts) else len(self.text)

    def line(self, number: int) -> str:
        """The text of a 1-based line, without its line end; empty behind the last."""
        start = self.start(number)
        end = _END.search(self.text, start)
        return self.text[start:] if end is None else self.text[start : end.start()]

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *(end.end() for end in _END.finditer(self.text))]
