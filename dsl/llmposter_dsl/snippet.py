"""The lines that a finding speaks of, with what it means underlined: as wide as a terminal shows them, and harmless.

What would move the cursor or turn the text around is shown as a sign of its own, so that no scenario can fool a reader.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate
from typing import Final, NamedTuple
from unicodedata import category, east_asian_width

from llmposter_dsl.source import Source, Span

WIDEST: Final = 120
"""Cells of a line that are shown; of a longer one what is around the place."""

_TAB: Final = 4
_BEFORE: Final = 20
"""Cells that are shown before the place where a long line is cut."""
_MOST_LINES: Final = 4
"""Lines that are shown of a place; of more only the first and the last."""
_TURNS: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u2028\u2029")


class Shown(NamedTuple):
    """A line of the picture: its number, None where lines are left out; what it holds, and the carets below."""

    number: int | None
    text: str
    marks: str


def snippet(source: Source, span: Span, widest: int = WIDEST) -> Iterator[Shown]:
    """The lines of a place; none where there is no text to show."""
    if not source.text:
        return
    first, start = source.position(span.start)
    last, end = source.position(max(span.end, span.start))
    if last > first and end == 1:  # the end of a line belongs to it
        last, end = last - 1, len(source.line(last - 1)) + 1
    for number in range(first, last + 1):
        if last - first >= _MOST_LINES and first < number < last:
            if number == first + 1:
                yield Shown(None, "", "")
            continue
        line = source.line(number)
        begin = start - 1 if number == first else len(line) - len(line.lstrip())
        yield _line(number, line, begin, end - 1 if number == last else len(line), widest)


def _line(number: int, line: str, begin: int, end: int, widest: int) -> Shown:
    # Many findings on one very long line must not each look at all of it.
    low, high = max(0, begin - 2 * widest), begin + 2 * widest
    begin, end, long = begin - low, min(end, high) - low, (low > 0, high < len(line))
    cells = list(_cells(line[low:high]))
    ends = [0, *accumulate(width for _, width in cells)]
    from_, to = 0, len(cells)
    if ends[-1] > widest:
        from_ = next(at for at in range(len(ends)) if ends[at] >= min(ends[begin] - _BEFORE, ends[-1] - widest))
        to = max(at for at in range(from_, len(ends)) if ends[at] - ends[from_] <= widest - 2)
    before, after = "…" * (from_ > 0 or long[0]), "…" * (to < len(cells) or long[1])
    text = before + "".join(shown for shown, _ in cells[from_:to]) + after
    marked = ends[min(max(end, begin), to)] - ends[begin]
    room = " " * (len(before) + ends[begin] - ends[from_])
    return Shown(number, text.rstrip(), f"{room}{'^' * max(marked, 1)}")


def _cells(line: str) -> Iterator[tuple[str, int]]:
    """Each character as it is shown, and how many cells it takes."""
    at = 0
    for character in line:
        shown, width = _cell(character, at)
        at += width
        yield shown, width


def _cell(character: str, at: int) -> tuple[str, int]:
    if " " <= character <= "~":
        return character, 1
    if character == "\t":
        width = _TAB - at % _TAB
        return " " * width, width
    if ord(character) < 32:
        return chr(0x2400 + ord(character)), 1
    kind = category(character)
    if character in _TURNS or kind in ("Cc", "Cs"):
        return "\N{REPLACEMENT CHARACTER}", 1
    if kind in ("Mn", "Me", "Cf"):
        return character, 0
    return character, 2 if east_asian_width(character) in "WF" else 1
