"""Fixes: what takes a finding away, as edits of the file as it is written.

Only stretches that must change are touched, so that comments and layout stay; where that cannot be, there is no fix.
A fix is safe where nobody could have meant anything else.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from llmposter_dsl import words, written
from llmposter_dsl.diagnostic import Edit, Fix
from llmposter_dsl.place import At, Place, Within
from llmposter_dsl.source import Span
from llmposter_dsl.tree import Document

if TYPE_CHECKING:
    from llmposter_dsl.expressions.syntax import Trouble

NONE: Final[tuple[Fix, ...]] = ()
_SHORT: Final = 3
"""A word of fewer letters says too little of what it should have been."""
_LONG: Final = 8
"""A word of so many letters may have two slips."""
_MOST: Final = 100
"""Names that a word is held against; among more of them nobody is sure."""


def meant(place: Place, word: str, known: Iterable[str]) -> tuple[Fix, ...]:
    """The known name that was meant in place of *word*; safe where it alone is near."""
    names = list(known)
    name = words.close(word, names)
    return NONE if name is None else renamed(place, word, name, safe=alone(word, name, names))


def renamed(place: Place, word: str, name: str, *, safe: bool) -> tuple[Fix, ...]:
    """*name* in place of *word*, which is the key, the text, or the stretch of a text at *place*, its quotes aside."""
    at = _exactly(place, word)
    return NONE if at is None else instead(at, name, safe=safe)


def instead(place: Place, text: str, *, safe: bool, message: str | None = None) -> tuple[Fix, ...]:
    """*text* in place of the key, or of the stretch of a text, at *place*."""
    spelled = _spelled(place, text)
    if spelled is None:
        return NONE
    return as_written(place, spelled, safe=safe, message=message or f"write {words.shown(text)}")


def as_written(place: Place, text: str, *, safe: bool, message: str | None = None) -> tuple[Fix, ...]:
    """*text*, as the file has it, in place of what stands at *place*."""
    if _document(place) is None and not isinstance(place, At):
        return NONE
    return (Fix(message or f"write {words.shown(text)}", (Edit(place, text),), safe),)


def wrapped(place: Place, before: str, after: str, *, safe: bool) -> tuple[Fix, ...]:
    """What stands at *place*, with something before and after it."""
    text = slice_of(place)
    return NONE if text is None or "\n" in text else as_written(place, f"{before}{text}{after}", safe=safe)


def slice_of(place: Place) -> str | None:
    """What the file has at *place*; None where it is no file."""
    if _document(place) is None:
        return None
    span = place.span
    return place.source.text[span.start : span.end]


def _document(place: Place) -> Document | None:
    """The document of a place; None where it is no text, such as what a program has built, or sent as data."""
    document = place.document if isinstance(place, Within) else None
    return document if type(document) is Document and document.source.text else None


def of_trouble(trouble: Trouble, place: Within) -> tuple[Fix, ...]:
    """What is to be written where a text of a language of its own is wrong; *place* is that text's beginning."""
    if trouble.instead is None:
        return NONE
    base = 0 if place.inner is None else place.inner[0]
    start = trouble.start if trouble.since is None else trouble.since
    return instead(place.stretch(base + start, base + trouble.end), trouble.instead, safe=trouble.sure)


def _exactly(place: Place, word: str) -> Within | None:
    """Where *word* alone stands."""
    document = _document(place)
    if document is None or not isinstance(place, Within):
        return None
    if place.part == "key":
        return place if place.path[-1:] == (word,) else None
    value = document.lookup(place.path)
    if not isinstance(value, str):
        return None
    start, end = place.inner or (0, len(value))
    for by in (0, 1):
        if value[start + by : end - by] == word:
            return place.stretch(start + by, end - by)
    return None


def _spelled(place: Place, text: str) -> str | None:
    document = _document(place)
    if document is None or not isinstance(place, Within):
        return None
    if place.part == "key":
        raw = slice_of(place)
        return None if raw is None else written.key(text, raw, document)
    found = document.string(place.path)
    if found is None or place.inner is None:
        return None
    raw, form = found
    return written.inside(text, raw, form, first=place.inner[0] == 0)


def alone(word: str, name: str, known: list[str]) -> bool:
    """Whether *name* is the one that is near, so that nothing else can have been meant."""
    folded = word.casefold()
    if len(known) > _MOST:
        return False
    others = [each for each in dict.fromkeys(known) if each != name]
    slips = _slips(folded, name.casefold())
    if slips and min(len(word), len(name)) < _SHORT:
        return False
    near = slips <= (2 if len(word) >= _LONG else 1)
    return near and all(_slips(folded, each.casefold()) > slips for each in others)


def _slips(word: str, name: str) -> int:
    """How many letters were left out, added, taken for another, or swapped with their neighbour."""
    before: list[int] = []
    row = list(range(len(name) + 1))
    for at, letter in enumerate(word, 1):
        before, last, row = row, before, [at]
        for to, other in enumerate(name, 1):
            least = min(before[to] + 1, row[-1] + 1, before[to - 1] + (letter != other))
            if last and to > 1 and letter == name[to - 2] and word[at - 2] == other:
                least = min(least, last[to - 2] + 1)
            row.append(least)
    return row[-1]


def whole_line(place: At) -> At:
    """The line of a place with its end, where nothing else stands in it; else the place and the blanks before it."""
    text, span = place.source.text, place.span
    start = text.rfind("\n", 0, span.start) + 1
    end = text.find("\n", span.end)
    end = len(text) if end < 0 else end
    if not text[start : span.start].strip() and not text[span.end : end].strip():
        return At(place.source, Span(start, min(end + 1, len(text))))
    blanks = len(text[start : span.start]) - len(text[start : span.start].rstrip())
    return At(place.source, Span(span.start - blanks, span.end))
