"""The embedding of a text that no rule has: a unit vector made from its words, the same for the same text.

Each word stands for a direction that its hash gives; a text is the sum of its words, longer words counting for more.
So texts that share words are close, and all others nearly at right angles. No order, case or punctuation counts.
"""

from __future__ import annotations

import re
import sys
from array import array
from collections import Counter
from hashlib import shake_128
from math import sqrt
from typing import Final

_WORD: Final = re.compile(r"\w+")
_HEAVIEST: Final = 10
_MIDDLE: Final = 127.5
"""Of a byte: with it taken off, directions of two words are as often against each other as with each other."""
_DIGITS: Final = 9
"""Behind the point; more than the 32-bit numbers that providers compute with have."""
_LANE: Final = array("I").itemsize


def embedding(text: str, dimensions: int) -> tuple[float, ...]:
    """The unit vector of a text."""
    words = _WORD.findall(text.casefold())
    values = _sum(words or [text], dimensions)
    if not any(values):
        # In few dimensions words may cancel each other out; one by itself never does.
        values = _sum([text], dimensions)
    length = sqrt(sum([value * value for value in values]))
    return tuple([round(value / length, _DIGITS) for value in values])


def _sum(words: list[str], dimensions: int) -> list[float]:
    weights = {word: times * (min(len(word), _HEAVIEST) or 1) for word, times in Counter(words).items()}
    # One sum of long whole numbers adds all dimensions at once. A lane has room for more words than a body holds.
    total = sum(_direction(word, dimensions) * weight for word, weight in weights.items())
    middle = _MIDDLE * sum(weights.values())
    return [lane - middle for lane in array("I", total.to_bytes(dimensions * _LANE, sys.byteorder))]


def _direction(word: str, dimensions: int) -> int:
    """A byte for each dimension, each in the lowest part of a lane."""
    lanes = bytearray(dimensions * _LANE)
    lowest = 0 if sys.byteorder == "little" else _LANE - 1
    lanes[lowest::_LANE] = shake_128(word.encode("utf-8", "surrogatepass")).digest(dimensions)
    return int.from_bytes(lanes, sys.byteorder)
