"""Faults in an answer: what goes out in place of it, and which of them struck.

Pure. An answer that has faults is spoken to its end before any of it goes out, so that every point in it is known; all
others pay nothing for them.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, assert_never

from msgspec.structs import replace

from llmposter.core.conversation import Damage, Struck
from llmposter.core.delivery import pieces
from llmposter.core.pacing import paced
from llmposter.core.points import Laid, Place, divided, event, find
from llmposter.model import (
    Broken,
    Delta,
    Ends,
    Failure,
    Frame,
    Miss,
    PartOfHead,
    Reply,
    Response,
    Send,
    Struct,
    ToolCall,
    Wait,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from llmposter.core.conversation import Step
    from llmposter.model import Item, Part, Turn, Wire
    from llmposter_dsl.program import Fault

_HOW: Final = {"drop": Ends("reset"), "close": Ends("close"), "hang": Ends("hang")}
_HEAD: Final = Send(b"")


class Played(Struct, frozen=True):
    """How an answer goes out, and what its faults did."""

    plan: Broken
    damage: Damage

    @property
    def struck(self) -> tuple[Struck, ...]:
        return self.damage.struck


class Teller(Struct, frozen=True):
    """How the provider tells of an error: by an answer, or in a stream after so many events."""

    failure: Callable[[Failure], Response]
    broken: Callable[[Failure, int], Iterable[Frame]] | None = None


def of_step(step: Step, turn: Turn, wire: Wire, now: float) -> Played:
    """The answer to a request, as its faults leave it."""
    teller = Teller(lambda failure: wire.failure(failure, now))
    match step.outcome:
        case Reply() as reply if turn.stream:
            said = divided(pieces(reply, step.delivery.chunk), step.faults)
            speak = partial(wire.stream, turn, reply)
            items = speak(said) if step.rhythm is None else paced(said, step.rhythm, speak)
            laid = Laid(tuple(items), said, streamed=True)
            teller = Teller(teller.failure, lambda failure, sent: wire.broken(turn, reply, failure, now, sent))
            return _played(step.faults, laid, Response(200, wire.head(turn, reply), b""), teller, step.latency)
        case Reply() as reply:
            response = wire.whole(turn, reply)
            laid = Laid((Frame(response.body),), divided(pieces(reply, step.delivery.chunk), step.faults))
        case Failure() as failure:
            response = wire.failure(failure, now)
            laid = Laid((Frame(response.body),))
        case Miss(message=message):
            response = wire.miss(message, now)
            laid = Laid((Frame(response.body),))
        case _:
            assert_never(step.outcome)
    return _played(step.faults, laid, response, teller, step.latency)


def of_response(response: Response, faults: Sequence[Fault], failure: Callable[[Failure], Response]) -> Played:
    """Any other answer, which is one body."""
    return _played(faults, Laid((Frame(response.body),)), response, Teller(failure), 0.0)


def _played(faults: Sequence[Fault], laid: Laid, head: Response, teller: Teller, latency: float) -> Played:
    placed = [(place, n) for n, fault in enumerate(faults) if (place := find(fault, laid)) is not None]
    course = _Course(laid, head, teller, latency)
    struck: dict[int, int] = {}
    for place, n in sorted(placed, key=lambda each: each[0]):
        course.goes_to(place)
        struck[n] = course.sent
        course.strike(faults[n], place)
        if course.over:
            break
    told = tuple(Struck(fault, struck.get(n)) for n, fault in enumerate(faults))
    plan = course.plan()
    return Played(plan, Damage(told, course.heard, course.intact))


class _Course:
    """An answer on its way through its faults.

    Attributes:
        sent: bytes of the body so far. over: nothing of the answer itself follows.
    """

    def __init__(self, laid: Laid, head: Response, teller: Teller, latency: float) -> None:
        self._laid, self._head, self._teller, self._streamed = laid, head, teller, laid.streamed
        self._out: list[Item | PartOfHead | Ends] = [Wait(latency)] if latency > 0 else []
        self._at = Place(0)
        self._spoilt: set[int] = set()
        self._unread: set[int] = set()
        self._twice: set[int] = set()
        self._said: list[Delta] = []
        self._events = self.sent = self._spoken = 0
        self.over = False

    # --- to the next fault

    def goes_to(self, place: Place) -> None:
        """All that comes before it."""
        if place.part == 1 and self._at.part < 1:
            self._out.append(PartOfHead())
        if place.part == 2:
            if self._at.part < 2:
                self._out.append(_HEAD)
                self._at = Place(2)
            while self._at.item < place.item:
                self._passes(self._at.item, self._at.inside, None)
                self._at = Place(2, self._at.item + 1)
            if place.inside > self._at.inside:
                self._passes(place.item, self._at.inside, place.inside)
        self._at = max(self._at, place)

    def _passes(self, n: int, begin: float, end: float | None) -> None:
        """An item, or a stretch of it."""
        item = self._laid.items[n]
        if isinstance(item, Wait):
            self._out.append(Wait((item.seconds if end is None else end) - begin))
            return
        data = _spoilt(item.data) if n in self._spoilt else item.data
        self._send(data[int(begin) : None if end is None else int(end)])
        if end is None and isinstance(item, Frame):
            self._events += 1
            new = self._new(item)
            if n not in self._unread:
                self._said += new
            if n in self._twice:
                self._send(data)
                self._said += new

    def _new(self, frame: Frame) -> list[Delta]:
        """The stretches that an event says and none before it did: it may be several, or one of several events."""
        if frame.piece is None:
            return []
        begin, pieces = self._spoken, self._laid.pieces
        self._spoken = max(begin, next(m for m, piece in enumerate(pieces) if piece is frame.piece) + 1)
        return [piece for piece in pieces[begin : self._spoken] if isinstance(piece, Delta)]

    def _send(self, data: bytes) -> None:
        self._out.append(Send(data))
        self.sent += len(data)

    # --- what a fault does

    def strike(self, fault: Fault, place: Place) -> None:
        match fault.action:
            case "drop" | "close" | "hang":
                self._out.append(_HOW[fault.action])
                self.over = True
            case "stall":
                self._out.append(Wait(fault.seconds))
            case "corrupt":
                self._spoilt.update(_next(self._laid, place))
                self._unread.update(self._spoilt)
            case "duplicate" if fault.point.kind == "everywhere":
                self._twice.update(range(len(self._laid.items)))
            case "duplicate":
                self._twice.update(_next(self._laid, place))
            case "send" if place.part == 0:
                self._answer(_in_place(fault, self._head))
            case "send":
                self._send(fault.body.encode("utf-8", "replace"))
                if not fault.body.endswith(("\n", "\r")):
                    # Clients take it for the beginning of the next event's line.
                    self._unread.update(_next(self._laid, place))
            case "error":
                self._fail(fault, place)
            case _:
                assert_never(fault.action)

    def _fail(self, fault: Fault, place: Place) -> None:
        assert fault.error is not None
        failure = Failure(name=fault.error.name, status=fault.error.status)
        if place.part == 0 or self._teller.broken is None:
            self._answer(self._teller.failure(failure))
            return
        for frame in self._teller.broken(failure, self._events):
            self._send(frame.data)
        self.over = True

    def _answer(self, response: Response) -> None:
        """Another answer in place of this one."""
        self._head, self._streamed, self._laid = response, False, Laid(())
        self._send(response.body)
        self.over = True

    # --- what comes of it

    @property
    def heard(self) -> tuple[Part, ...] | None:
        """The parts as the client has them, were it to take them for the whole."""
        if not self._streamed or self._at.part < 2:
            return None
        spoken: dict[int, list[str]] = {}
        for piece in self._said:
            spoken.setdefault(piece.index, []).append(piece.text)
        parts = {piece.index: piece.part for piece in self._laid.pieces}
        return tuple(_cut_off(parts[index], "".join(texts)) for index, texts in spoken.items())

    @property
    def intact(self) -> bool:
        """The client has all that is said, once, and the end of it."""
        return not self.over and self._said == [piece for piece in self._laid.pieces if isinstance(piece, Delta)]

    def plan(self) -> Broken:
        """How the answer goes out."""
        if not self.over:
            self.goes_to(Place(2, len(self._laid.items)))
        items = tuple(item for item in self._out if isinstance(item, Send | Wait))
        left = 0 if self._streamed else self._left()
        head = self._head
        return Broken(head.status, head.headers, self._streamed, items, tuple(self._out), self.sent + left)

    def _left(self) -> int:
        """Bytes of the body that were announced and do not come."""
        rest = (len(item.data) for item in self._laid.items[self._at.item :] if isinstance(item, Send))
        return max(0, sum(rest) - int(self._at.inside))


def _cut_off(part: Part, text: str) -> Part:
    return replace(part, arguments=text) if isinstance(part, ToolCall) else replace(part, text=text)


def _in_place(fault: Fault, head: Response) -> Response:
    """What is sent for an answer; without a media type, plain text, or the one event of what would be a stream."""
    told, media = fault.body.encode("utf-8", "replace"), fault.media
    if not media:
        meant = next((value for name, value in head.headers if name == "content-type"), "")
        media = meant if meant.startswith("text/event-stream") else "text/plain"
        told = b"data: %b\n\n" % told if media == meant else told
    return Response(fault.status or 200, (("content-type", media),), told)


def _next(laid: Laid, place: Place) -> tuple[int, ...]:
    found = event(laid, place)
    return () if found is None else (found,)


def _spoilt(data: bytes) -> bytes:
    """JSON that is none, on the same line and in the same event."""
    brackets = [at for at in (data.find(b"{"), data.find(b"[")) if at >= 0]
    at = min(brackets, default=-1) + 1
    return b"%b<corrupt>%b" % (data[:at], data[at:])
