"""Where in an answer a fault strikes: from the words of a phrase to a place among the bytes.

Pure. Points count what is said, and not how a provider cuts it, so that one phrase means the same on each of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, assert_never

import msgspec
from msgspec.structs import replace

from llmposter.model import Delta, Ended, Frame, Send, Started, Struct, ToolCall, Wait

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from llmposter.model import Item, Piece, Told
    from llmposter_dsl.program import Fault, Point


class Place(NamedTuple):
    """A place in an answer; places are in their order.

    Attributes:
        part: 0 before the head, 1 inside it, 2 in the body.
        item: the place is before this item of the body. inside: or so many bytes or seconds into it.
    """

    part: int
    item: int = 0
    inside: float = 0


class Laid(Struct, frozen=True):
    """An answer as it would go out without its faults.

    Attributes:
        items: of its body: events with the waits between them, or all of it in one. pieces: what they say.
    """

    items: tuple[Item, ...]
    pieces: tuple[Piece, ...] = ()
    streamed: bool = False

    @property
    def body(self) -> bytes:
        return b"".join([item.data for item in self.items if isinstance(item, Send)])


def divided(pieces: Iterable[Piece], faults: Sequence[Fault]) -> tuple[Piece, ...]:
    """The pieces, with a stretch cut in two where a fault strikes inside it and it would come whole."""
    told = tuple(pieces)
    kinds = {fault.point.kind for fault in faults}
    alone = {n[0] for n in (_deltas(told),) if "halfway" in kinds and len(n) == 1}
    alone |= {n[0] for n in (_arguments(told),) if "inside tool arguments" in kinds and len(n) == 1}
    return tuple(half for n, piece in enumerate(told) for half in (_halves(piece) if n in alone else (piece,)))


def _halves(piece: Piece) -> Iterator[Piece]:
    assert isinstance(piece, Delta)
    middle = len(piece.text) // 2
    if middle:
        yield replace(piece, text=piece.text[:middle])
    yield replace(piece, text=piece.text[middle:])


def find(fault: Fault, laid: Laid) -> Place | None:
    """Where it strikes; None in an answer that lacks the point."""
    place = _found(fault.point, laid)
    if place is None or place.part < 2:
        return place
    if fault.action == "error" and not laid.streamed:
        return Place(0)  # no event can follow one body, so that the error comes in place of it
    if fault.action == "duplicate" and not laid.streamed:
        return None
    if fault.action in ("error", "corrupt", "duplicate"):
        place = place._replace(inside=0)  # what happens to events happens between them
    return place if fault.action not in ("corrupt", "duplicate") or event(laid, place) is not None else None


def event(laid: Laid, place: Place) -> int | None:
    """The next event."""
    return next((n for n in range(place.item, len(laid.items)) if isinstance(laid.items[n], Frame)), None)


def _found(point: Point, laid: Laid) -> Place | None:
    match point.kind:
        case "before headers":
            return Place(0)
        case "inside headers":
            return Place(1)
        case "after headers" | "everywhere":
            return Place(2)
        case "bytes":
            return _after_bytes(laid, int(point.amount))
        case "time":
            return _after_seconds(laid, point.amount)
        case "events":
            return _after_events(laid, int(point.amount))
        case "chunks" | "halfway" | "inside tool arguments" | "between tool calls":
            return _in_stream(point, laid) if laid.streamed else _in_body(point, laid)
        case "before finish":
            return _before(laid, "finish")
        case "before usage":
            return _before(laid, "usage")
        case "before the end":
            return _before(laid, "end")
        case _:
            assert_never(point.kind)


# --- bytes, time, events --------------------------------------------------------------------------------------------


def _after_bytes(laid: Laid, count: int) -> Place | None:
    for n, item in enumerate(laid.items):
        if isinstance(item, Send):
            if count < len(item.data):
                return Place(2, n, count)
            count -= len(item.data)
    return None


def _after_seconds(laid: Laid, seconds: float) -> Place | None:
    if laid.streamed and not seconds:
        return Place(2)
    for n, item in enumerate(laid.items):
        if isinstance(item, Wait):
            if seconds < item.seconds:
                return Place(2, n, seconds)
            seconds -= item.seconds
    return None


def _after_events(laid: Laid, count: int) -> Place | None:
    places = [-1, *(n for n, item in enumerate(laid.items) if isinstance(item, Frame))]
    return Place(2, places[count] + 1) if laid.streamed and count < len(places) else None


def _before(laid: Laid, told: Told) -> Place | None:
    if not laid.streamed:
        return Place(2, 0, len(laid.body) - 1)  # all but its last byte, whatever order the provider tells things in
    places = (n for n, item in enumerate(laid.items) if isinstance(item, Frame) and told in item.tells)
    return next((Place(2, n) for n in places), None)


# --- what is said ---------------------------------------------------------------------------------------------------


def _deltas(pieces: Sequence[Piece]) -> list[int]:
    return [n for n, piece in enumerate(pieces) if isinstance(piece, Delta)]


def _calls(pieces: Sequence[Piece]) -> list[Started]:
    return [piece for piece in pieces if isinstance(piece, Started) and isinstance(piece.part, ToolCall)]


def _arguments(pieces: Sequence[Piece]) -> list[int]:
    """The stretches of the first call's arguments."""
    index = next((call.index for call in _calls(pieces)), None)
    return [n for n in _deltas(pieces) if pieces[n].index == index]


def _last_said(point: Point, pieces: Sequence[Piece]) -> int | None:
    """The piece after which a fault strikes; None where there is none."""
    match point.kind:
        case "chunks":
            said, count = _deltas(pieces), int(point.amount)
            return said[count - 1] if count <= len(said) else None
        case "between tool calls":
            calls = _calls(pieces)
            ends = (n for n, piece in enumerate(pieces) if isinstance(piece, Ended) and piece.index == calls[0].index)
            return next(ends) if len(calls) > 1 else None
        case "halfway":
            said = _deltas(pieces)
        case _:
            said = _arguments(pieces)
    if not said:
        return None
    return said[len(said) // 2 - 1] if len(said) > 1 else said[0] - 1


def _in_stream(point: Point, laid: Laid) -> Place | None:
    if (last := _last_said(point, laid.pieces)) is None:
        return None
    order = {id(piece): n for n, piece in enumerate(laid.pieces)}
    spoken = [(n, order[id(i.piece)]) for n, i in enumerate(laid.items) if isinstance(i, Frame) and i.piece is not None]
    if point.kind == "inside tool arguments":
        own = _arguments(laid.pieces)
        if not any(said in own for _, said in spoken):
            return _inside_event(laid, spoken, own)
    after = [n + 1 for n, said in spoken if said <= last]
    # Nothing of it was sent yet: what begins the answer is.
    return Place(2, after[-1] if after else next((n for n, _ in spoken), 0))


def _inside_event(laid: Laid, spoken: Sequence[tuple[int, int]], own: Sequence[int]) -> Place | None:
    """On a provider that sends arguments whole: among the bytes of the event that has them."""
    for n, said in spoken:
        item, ended = laid.items[n], laid.pieces[said]
        if said > own[-1] and ended.index == laid.pieces[own[0]].index and isinstance(item, Send):
            found = _stretch(item.data, ended.part.arguments if isinstance(ended.part, ToolCall) else "")
            return Place(2, n, sum(found) // 2 if found is not None else len(item.data) // 2)
    return None


def _in_body(point: Point, laid: Laid) -> Place | None:
    """The same in one body, by where its text stands in it."""
    body, pieces = laid.body, laid.pieces
    if point.kind == "halfway":
        return Place(2, 0, len(body) // 2) if body else None
    if (last := _last_said(point, pieces)) is None or last < 0:
        return None
    index, part = pieces[last].index, pieces[last].part
    text = part.arguments if isinstance(part, ToolCall) else part.text
    if (found := _stretch(body, text)) is None:
        return None
    said = "".join([p.text for p in pieces[: last + 1] if isinstance(p, Delta) and p.index == index])
    if point.kind == "between tool calls":
        said = text
    escaped = found[1] - found[0] != len(text.encode("utf-8", "replace"))
    size = len(_escaped(said) if escaped else said.encode("utf-8", "replace"))
    return Place(2, 0, min(found[0] + size, len(body) - 1))


def _stretch(data: bytes, text: str) -> tuple[int, int] | None:
    """From where to where a text stands in JSON, as a text of it or as JSON itself."""
    for form in (_escaped(text), text.strip().encode("utf-8", "replace")):
        # Two characters are an empty object, of which there may be others.
        if len(form) > 2 and (at := data.find(form)) >= 0:
            return at, at + len(form)
    return None


def _escaped(text: str) -> bytes:
    return msgspec.json.encode(text.encode("utf-8", "replace").decode())[1:-1]
