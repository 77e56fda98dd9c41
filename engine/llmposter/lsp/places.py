"""Places as the protocol counts them: lines from 0, and columns in the units that the editor and we agreed on."""

from __future__ import annotations

from collections.abc import Callable

from lsprotocol import types

from llmposter_dsl.source import Source, Span


def _utf16(text: str) -> int:
    return len(text) + sum(character > "\uffff" for character in text)


_UNITS: dict[str, Callable[[str], int]] = {
    "utf-8": lambda text: len(text.encode("utf-8", "surrogatepass")),
    "utf-16": _utf16,
    "utf-32": len,
}


class Places:
    """From offsets of a source to the protocol's places, and back."""

    def __init__(self, encoding: str = "utf-16") -> None:
        self._units = _UNITS[encoding]

    def range(self, source: Source, span: Span) -> types.Range:
        """The range of a span."""
        return types.Range(self.position(source, span.start), self.position(source, span.end))

    def position(self, source: Source, offset: int) -> types.Position:
        """The position of an offset."""
        line, column = source.position(offset)
        return types.Position(line - 1, self._units(source.line(line)[: column - 1]))

    def offset(self, text: str, at: types.Position) -> int:
        """The offset of a position; the nearest one where there is no such place."""
        source = Source("", text)
        start, line = source.start(at.line + 1), source.line(at.line + 1)
        units = 0
        for column, character in enumerate(line):
            if units >= at.character:
                return start + column
            units += self._units(character)
        return start + len(line)
