"""Attempts: what a history cannot show, kept in a lane until an answer succeeds; and which lane a request is of.

Clients that stand at the same place at the same time get a lane each. A *place* is a position after an answer, where
any input goes on in the lane; or, at an opening, the exact history. A closed lane keeps its answer for a while.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Final

import msgspec

from llmposter.core.buckets import Places
from llmposter.model import Connection, Struct

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from llmposter.core.conversation import Conversation, Step
    from llmposter.core.positions import Position, Talk

KEEPS_ANSWER: Final = 600.0
"""Seconds for which a closed lane keeps its answer."""
MOST_CLOSED: Final = 10_000
"""Closed lanes that keep their answer, on the whole server."""
_AT_ONCE: Final = 100
"""The share of those that is let go of at once where there are too many."""
_GLANCE: Final = 64
"""How many lanes are looked at, oldest first, for one whose connection is closed."""


NOWHERE: Final = Connection(0)
"""The connection of every client under a key, and of none."""


class Caller(Struct, frozen=True):
    """What tells who asks.

    Attributes:
        who: the client's mark. Under a key it is the same for all, as is the connection.
        input: the fingerprint of the whole history.
        retry: the SDK's count, or None.
        alone: nothing says so far that its session has several clients.
    """

    who: bytes
    connection: Connection
    input: bytes
    retry: int | None
    alone: bool = False


class Lane(msgspec.Struct, eq=False):
    """One client's attempts at one place.

    Attributes:
        origin: the position that it started from; None for an opening.
        stands: the conversation, with what its errors did.
        retry: the SDK's count with the last request, None where the client sends none.
        before: the number of the connection that the client was on before this one, 0 for none.
        answer: the step that closed it. gives: the position that the answer led to, while it is kept.
    """

    talk: Talk
    stands: Conversation
    origin: Position | None
    place: bytes
    who: bytes
    input: bytes
    connection: Connection
    retry: int | None
    attempts: int = 1
    before: int = 0
    answer: Step | None = None
    closed_at: float = 0.0
    gives: Position | None = None

    def came(self, caller: Caller) -> None:
        """A request of this client came: its attempts go on, or begin again with another input."""
        self.attempts = self.attempts + 1 if caller.input == self.input else 1
        self.seen(caller)

    def seen(self, caller: Caller) -> None:
        if caller.connection is not self.connection:
            self.before = self.connection.number
        self.who, self.connection, self.input, self.retry = caller.who, caller.connection, caller.input, caller.retry


def _among_open(lane: Lane) -> tuple[Hashable, ...]:
    """What tells an open lane from others at its place."""
    who, said, count, number = lane.who, lane.input, lane.retry, lane.connection.number
    return who, (who, number), (who, said, count, "sdk"), (who, said, count, number)


def _among_closed(lane: Lane) -> tuple[Hashable, ...]:
    """What tells a closed lane from others that were asked the same."""
    place, who, count, number = lane.place, lane.who, lane.retry, lane.connection.number
    return (place, who, number), (place, who, count, "sdk"), (place, who, count, number)


class Kept:
    """All closed lanes of the server, the first closed first."""

    __slots__ = ("_due", "lanes")

    def __init__(self) -> None:
        self.lanes: OrderedDict[Lane, None] = OrderedDict()
        self._due = 0.0

    def add(self, lane: Lane, now: float) -> None:
        lanes = self.lanes
        lanes[lane] = None
        if len(lanes) > MOST_CLOSED or now > self._due:
            self._trim(now)

    def _trim(self, now: float) -> None:
        """Some of too many at once; and those whose time is over, the next time when that of the first one is."""
        lanes = self.lanes
        many = len(lanes) > MOST_CLOSED
        for _ in range(1 + MOST_CLOSED // _AT_ONCE if many else 0):
            self._forget(next(iter(lanes)))
        while (first := next(iter(lanes))).closed_at < now - KEEPS_ANSWER:
            self._forget(first)
        self._due = first.closed_at + KEEPS_ANSWER

    def _forget(self, lane: Lane) -> None:
        lane.talk.space.lanes.forget(lane)


class Lanes:
    """The lanes of one space: open ones by their place, closed ones by what they answered."""

    __slots__ = ("_closed", "_kept", "_open")

    def __init__(self, kept: Kept) -> None:
        self._open = Places(_among_open)
        self._closed = Places(_among_closed)
        self._kept = kept

    def leave_open(self, lane: Lane) -> None:
        self._open.add(lane.place, lane)
        lane.talk.left_open(lane)

    def take(self, lane: Lane) -> None:
        """Out of the open ones, before it changes."""
        self._open.discard(lane.place, lane)
        lane.talk.taken(lane)

    def close(self, lane: Lane, answer: Step, gives: Position, now: float) -> None:
        """Its answer leads to *gives*, which knows it while it is kept."""
        lane.answer, lane.closed_at, lane.gives, gives.closed = answer, now, gives, lane
        self._closed.add(lane.input, lane)
        self._kept.add(lane, now)

    def asked_again(self, lane: Lane, caller: Caller) -> None:
        """The answer of a closed lane went out once more, to this caller."""
        self._let_go(lane)
        lane.seen(caller)
        self._closed.add(lane.input, lane)
        self._kept.lanes[lane] = None

    def _let_go(self, lane: Lane) -> None:
        self._closed.discard(lane.input, lane)
        del self._kept.lanes[lane]

    def forget(self, lane: Lane) -> None:
        """A closed lane, once and for all."""
        self._let_go(lane)
        if (gives := lane.gives) is not None:
            gives.closed = lane.gives = None

    def find(self, caller: Caller, places: Sequence[bytes], now: float, origin: Position | None) -> Lane | None:
        """The lane that a request is of: an open one; a closed one, whose answer it asks for again; or none.

        *places*: after an answer the position's; at an opening this history and those that it extends, longest first.
        *origin*: the position that this client most likely holds, where several stand at one place; else None.
        """
        if caller.retry:
            found = self._retried(caller, places[0], caller.retry)
        elif not self._open:
            found = self._ended(caller, places[0]) if caller.input in self._closed else None
        elif (found := self._same_connection(caller, places, origin)) is None:
            found = (
                self._ended(caller, places[0])
                or self._pooled(caller, places, origin)
                or self._abandoned(caller, places, origin)
            )
        if found is not None and found.answer is not None and found.closed_at < now - KEEPS_ANSWER:
            return None
        return found

    def waiting(self, places: Sequence[bytes]) -> list[Lane]:
        """Some of the open ones there, whoever they are of."""
        return [lane for place in places for lane in self._open.all(place, _GLANCE)]

    def _ended(self, caller: Caller, place: bytes) -> Lane | None:
        """Without a count, the same again on the same connection asks for the same answer."""
        if caller.retry is not None:
            return None
        return self._closed.newest(caller.input, (place, caller.who, caller.connection.number))

    def _retried(self, caller: Caller, place: bytes, count: int) -> Lane | None:
        """The SDK says that this is its retry: the one before it came here, unless the server never saw it."""
        number, before = caller.connection.number, count - 1
        who, said = caller.who, caller.input
        return (
            next(iter(self._open.first(place, (who, said, before, number), 1)), None)
            or self._likeliest(place, (who, said, before, "sdk"))
            or self._closed.newest(said, (place, who, before, number))
            or self._closed.newest(said, (place, who, before, "sdk"))
            or self._closed.newest(said, (place, who, number))
            or self._only_plausible(caller, place, count)
        )

    def _likeliest(self, place: bytes, key: Hashable) -> Lane | None:
        lanes = self._open.first(place, key, _GLANCE)
        return next((lane for lane in lanes if not lane.connection.open), None) or next(iter(lanes), None)

    def _only_plausible(self, caller: Caller, place: bytes, count: int) -> Lane | None:
        """Some counts may have been spent on answers that do not count here: this client's lane is still behind."""
        lanes = [
            lane
            for lane in self._open.first(place, caller.who, _GLANCE)
            if lane.input == caller.input and (lane.retry is None or lane.retry < count) and _may_be(lane, caller)
        ]
        return lanes[0] if len(lanes) == 1 else None

    def _same_connection(self, caller: Caller, places: Sequence[bytes], origin: Position | None) -> Lane | None:
        for place in places:
            lanes = self._open.first(place, (caller.who, caller.connection.number), _GLANCE)
            if found := _asked(lanes, caller):
                return found
            if found := next((lane for lane in lanes if origin is None or lane.origin is origin), None):
                return found
        return None

    def _pooled(self, caller: Caller, places: Sequence[bytes], origin: Position | None) -> Lane | None:
        """A lane whose client was on this connection before: Node's fetch takes whichever of its pool is free.

        Where several stand at one place, the connection that a position came on is no sign: whose it is, is a guess.
        """
        number = caller.connection.number
        for place in places:
            for lane in self._open.first(place, caller.who, _GLANCE):
                if lane.input != caller.input:
                    continue
                if number == lane.before or (origin is None and _of_a_pool(lane, caller)):
                    return lane
        return None

    def _abandoned(self, caller: Caller, places: Sequence[bytes], origin: Position | None) -> Lane | None:
        """A lane whose own connection is closed, so that its client can only come on another.

        With another input only if it is alone there: among several clients a different input is no sign of one.
        """
        for place in places:
            here = self._open.first(place, caller.who, _GLANCE)
            lanes = [lane for lane in here if not lane.connection.open]
            if found := _asked(lanes, caller):
                return found
            if lanes and len(here) == 1 and origin is None:
                return lanes[0]
        return None


def _of_a_pool(lane: Lane, caller: Caller) -> bool:
    """The connection is one that the lane's client was on before, or at an opening may have been."""
    if caller.retry is not None:
        return False  # a client that counts says itself that this is a first try
    if lane.origin is not None:
        return caller.connection.number == lane.origin.connection
    # A new client comes on a new connection.
    return caller.alone and caller.connection.used


def _asked(lanes: Sequence[Lane], caller: Caller) -> Lane | None:
    """The first of these that asked the same."""
    return next((lane for lane in lanes if lane.input == caller.input), None)


def _may_be(lane: Lane, caller: Caller) -> bool:
    return lane.connection is caller.connection or not lane.connection.open
