"""When the pieces of a stream are due: the gaps between them, drawn from a seed, as waits between a wire's frames.

Pure and lazy. A piece takes its time whether or not the provider shows it: reasoning that an API keeps to itself, or
arguments that it sends in one go, come as late as they would there.
"""

from __future__ import annotations

import re
from collections import deque
from hashlib import blake2b
from itertools import count, repeat
from struct import unpack
from typing import TYPE_CHECKING, Final, assert_never

from llmposter.model import Delta, Send, Struct, ToolCall, Wait

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from llmposter.core.chance import Chance
    from llmposter.model import Frame, Item, Piece
    from llmposter_dsl.program import Flow

_UNIT: Final = 1 / (1 << 53)
_WORD: Final = re.compile(r"\S+")
_JSON_WORD: Final = re.compile(r"\w+")
_HEAD: Final = Send(b"")
"""Nothing of the body, which sends the head."""


class Rhythm(Struct, frozen=True):
    """When the chunks of one answer are due.

    Attributes:
        ttft: seconds to the first token, drawn already.
        seed: what the gaps are drawn from: the same for the same answer.
    """

    flow: Flow
    ttft: float
    seed: bytes


def rhythm(flow: Flow, chance: Chance, rule: str) -> Rhythm:
    """What chance makes of a flow in the answer of a rule."""
    return Rhythm(flow, chance.seconds(flow.ttft, f"ttft {rule}"), chance.digest(f"stream {rule}"))


def paced(
    said: Iterable[Piece], rhythm: Rhythm, spoken: Callable[[Iterator[Piece]], Iterator[Frame]]
) -> Iterator[Item]:
    """The frames that a wire makes of the pieces, with the waits before them."""
    if rhythm.flow.pace is not None and rhythm.flow.pace.unit == "event":
        yield from _event_by_event(spoken(iter(said)), rhythm.flow.pace.seconds, _shares(rhythm))
        return
    score = _Score(said, _gaps(rhythm))
    headed = False
    for frame in spoken(score.pieces()):
        seconds = score.until(frame.piece)
        if seconds > 0:
            if not headed:
                yield _HEAD
            yield Wait(seconds)
        headed = True
        yield frame


def _event_by_event(frames: Iterable[Frame], seconds: float, shares: Iterator[float]) -> Iterator[Item]:
    """The frames with a wait before each but the first."""
    for number, frame in enumerate(frames):
        if number and (wait := seconds * max(0.0, next(shares))) > 0:
            yield Wait(wait)
        yield frame


class _Score:
    """The pieces with the gaps before them, as far as a wire has taken and not yet sent them."""

    def __init__(self, said: Iterable[Piece], gap: Callable[[Delta], float]) -> None:
        self._said, self._gap = said, gap
        self._ahead: deque[Piece] = deque()
        self._last: Piece | None = None

    def pieces(self) -> Iterator[Piece]:
        for piece in self._said:
            self._ahead.append(piece)
            yield piece

    def until(self, piece: Piece | None) -> float:
        """The seconds from the last frame to one that speaks *piece*, those of pieces between that had none included.

        A frame of the provider's own comes at once before the first piece, and after all that were taken else.
        """
        seconds = 0.0
        if self._last is None and piece is None:
            return seconds
        # By identity: pieces that are alike are due at times of their own.
        while self._ahead and (piece is None or self._last is not piece):
            self._last = last = self._ahead.popleft()
            if isinstance(last, Delta):
                seconds += self._gap(last)
        return seconds


def _gaps(rhythm: Rhythm) -> Callable[[Delta], float]:
    """The seconds before each chunk, asked for one after the other."""
    flow, first = rhythm.flow, True
    seconds = 0.0 if flow.pace is None else flow.pace.seconds
    measure = _measure(rhythm)
    shares = _shares(rhythm)

    def gap(piece: Delta) -> float:
        nonlocal first
        size = measure(piece)
        if first:
            first = False
            return rhythm.ttft
        return seconds * size * next(shares)

    return gap


def _measure(rhythm: Rhythm) -> Callable[[Delta], float]:
    """How many units of the pace a chunk is."""
    unit = "chunk" if rhythm.flow.pace is None else rhythm.flow.pace.unit
    match unit:
        case "chunk" | "event":
            return lambda _: 1.0
        case "character":
            return lambda piece: float(len(piece.text))
        case "token":
            return _tokens
        case "word":
            return _Words().of
        case _:
            assert_never(unit)


def _tokens(piece: Delta) -> float:
    """As `core.tokens` estimates, but not rounded: a whole answer takes as long as its tokens do."""
    text = piece.text
    return len(text if text.isascii() else text.encode("utf-8", "surrogatepass")) / 4


class _Words:
    """Counts words, each in the chunk that it begins in."""

    def __init__(self) -> None:
        self._index, self._inside = -1, False

    def of(self, piece: Delta) -> float:
        # Arguments are JSON without white space: their words are what stands between the punctuation.
        word = _JSON_WORD if isinstance(piece.part, ToolCall) else _WORD
        goes_on = self._inside and self._index == piece.index and word.match(piece.text) is not None
        self._index, self._inside = piece.index, word.match(piece.text[-1:]) is not None
        return float(len(word.findall(piece.text)) - goes_on)


def _shares(rhythm: Rhythm) -> Iterator[float]:
    """What each gap is of its usual length: 1 in the mean."""
    flow = rhythm.flow
    if flow.jitter == flow.burst == 0:
        return repeat(1.0)
    return (_share(unit, flow) for unit in _units(rhythm.seed))


def _share(unit: float, flow: Flow) -> float:
    if unit < flow.burst:
        return 0.0
    # What is left of the unit is again any number from 0 to below 1.
    rest = (unit - flow.burst) / (1 - flow.burst)
    return (1 + flow.jitter * (2 * rest - 1)) / (1 - flow.burst)


def _units(seed: bytes) -> Iterator[float]:
    """Numbers from 0 to below 1 without end; the same seed gives the same."""
    for number in count():
        drawn = blake2b(number.to_bytes(8, "big"), key=seed)
        for value in unpack(">8Q", drawn.digest()):
            yield (value >> 11) * _UNIT
