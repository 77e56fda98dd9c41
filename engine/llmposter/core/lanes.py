"""Attempts: what a history cannot show, kept in a lane until an answer succeeds; and which lane a request is of.

Clients that stand at the same place at the same time get a lane each. A *place* is a position after an answer, where
any input goes on in the lane; or, at an opening, the exact history. A closed lane keeps its answer for a while.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from llmposter.core.buckets import Buckets
from llmposter.model import Connection, Struct

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from llmposter.core.conversation import Conversation, Step
    from llmposter.core.positions import Position, Talk

KEEPS_ANSWER: Final = 600.0
"""Seconds for which a closed lane keeps its answer."""
MOST_CLOSED: Final = 10_000
"""Closed lanes that keep their answer, on the whole server."""
_GLANCE: Final = 64
"""How many lanes are looked at, oldest first, for one whose connection is closed."""


class Caller(Struct, frozen=True):
    """What tells who asks.

    Attributes:
        who: the client's mark. Under a key it is the same for all, as is the connection.
        input: the fingerprint of the whole history.
        retry: the SDK's count, or None.
    """

    who: bytes
    connection: Connection
    input: bytes
    retry: int | None


class Lane:
    """One client's attempts at one place.

    Attributes:
        origin: the position that it started from; None for an opening.
        stands: the conversation, with what its errors did.
        sdk: the retry count of the last request, -1 where the client sends none.
        answer: the step that closed it. gives: the position that the answer led to, while it is kept.
    """

    __slots__ = (
        "answer",
        "attempts",
        "closed_at",
        "connection",
        "gives",
        "input",
        "origin",
        "place",
        "sdk",
        "stands",
        "talk",
        "who",
    )

    def __init__(self, talk: Talk, origin: Position | None, place: bytes, stands: Conversation) -> None:
        self.talk, self.origin, self.place, self.stands = talk, origin, place, stands
        self.attempts, self.sdk, self.closed_at = 0, -1, 0.0
        self.who = self.input = b""
        self.connection = NOWHERE
        self.answer: Step | None = None
        self.gives: Position | None = None

    def came(self, caller: Caller) -> None:
        """A request of this client came: its attempts go on, or begin again with another input."""
        self.attempts = self.attempts + 1 if caller.input == self.input else 1
        self.seen(caller)

    def seen(self, caller: Caller) -> None:
        self.who, self.connection, self.input = caller.who, caller.connection, caller.input
        self.sdk = -1 if caller.retry is None else caller.retry

    def open_keys(self) -> tuple[Hashable, ...]:
        at, number = (self.place, self.who), self.connection.number
        return (at, (*at, number), (*at, self.input, self.sdk, "sdk"), (*at, self.input, self.sdk, number))

    def closed_keys(self) -> tuple[Hashable, ...]:
        place, said, who, sdk, number = self.place, self.input, self.who, self.sdk, self.connection.number
        return (place, said, who, number), (place, said, who, sdk, "sdk"), (place, said, who, sdk, number)


NOWHERE = Connection(0)
"""The connection of every client under a key, and of none."""


class Kept:
    """All closed lanes of the server, the first closed first."""

    __slots__ = ("lanes",)

    def __init__(self) -> None:
        self.lanes: OrderedDict[Lane, None] = OrderedDict()

    def trim(self, now: float) -> None:
        while self.lanes:
            first = next(iter(self.lanes))
            if len(self.lanes) <= MOST_CLOSED and first.closed_at >= now - KEEPS_ANSWER:
                return
            first.talk.space.lanes.forget(first)
            if first.gives is not None:
                first.gives.closed = None
            if not first.talk.lanes:
                first.talk.lanes = {}  # a dict that was emptied keeps its room


class Lanes:
    """The lanes of one space, open and closed."""

    __slots__ = ("_closed", "_kept", "_open")

    def __init__(self, kept: Kept) -> None:
        self._open: Buckets[Lane] = Buckets()
        self._closed: Buckets[Lane] = Buckets()
        self._kept = kept

    def leave_open(self, lane: Lane) -> None:
        self._open.add(lane, lane.open_keys())
        lane.talk.lanes[lane] = None

    def take(self, lane: Lane) -> None:
        """Out of the open ones, before it changes."""
        self._open.discard(lane, lane.open_keys())
        lane.talk.lanes.pop(lane, None)

    def close(self, lane: Lane, answer: Step, now: float) -> None:
        lane.answer, lane.closed_at = answer, now
        self._keep(lane)
        self._kept.trim(now)

    def asked_again(self, lane: Lane, caller: Caller) -> None:
        """The answer of a closed lane went out once more, to this caller."""
        self.forget(lane)
        lane.seen(caller)
        self._keep(lane)

    def _keep(self, lane: Lane) -> None:
        self._closed.add(lane, lane.closed_keys())
        self._kept.lanes[lane] = None
        lane.talk.lanes[lane] = None

    def forget(self, lane: Lane) -> None:
        if lane.answer is None:
            self.take(lane)
            return
        self._closed.discard(lane, lane.closed_keys())
        self._kept.lanes.pop(lane, None)
        lane.talk.lanes.pop(lane, None)

    def find(self, caller: Caller, places: Sequence[bytes], now: float, origin: Position | None) -> Lane | None:
        """The lane that a request is of: an open one; a closed one, whose answer it asks for again; or none.

        *places*: after an answer the position's; at an opening this history and those that it extends, longest first.
        *origin*: the position that this client most likely holds, where several stand at one place; else None.
        """
        if caller.retry:
            found = self._retried(caller, places[0], caller.retry)
        elif not self._open:
            found = self._ended(caller, places[0])
        elif (found := self._same_connection(caller, places, origin)) is None:
            found = self._ended(caller, places[0]) or self._abandoned(caller, places, origin)
        if found is not None and found.answer is not None and found.closed_at < now - KEEPS_ANSWER:
            return None
        return found

    def _ended(self, caller: Caller, place: bytes) -> Lane | None:
        """Without a count, the same again on the same connection asks for the same answer."""
        if caller.retry is not None:
            return None
        return self._closed.newest((place, caller.input, caller.who, caller.connection.number))

    def _retried(self, caller: Caller, place: bytes, count: int) -> Lane | None:
        """The SDK says that this is its retry: the one before it came here, unless the server never saw it."""
        number, before = caller.connection.number, count - 1
        at, ended = (place, caller.who, caller.input, before), (place, caller.input, caller.who)
        return (
            self._open.oldest((*at, number))
            or self._likeliest((*at, "sdk"))
            or self._closed.newest((*ended, before, number))
            or self._closed.newest((*ended, before, "sdk"))
            or self._closed.newest((*ended, number))
            or self._only_plausible(caller, place, count)
        )

    def _likeliest(self, key: Hashable) -> Lane | None:
        lanes = self._open.first(key, _GLANCE)
        return next((lane for lane in lanes if not lane.connection.open), None) or next(iter(lanes), None)

    def _only_plausible(self, caller: Caller, place: bytes, count: int) -> Lane | None:
        """Some counts may have been spent on answers that do not count here: this client's lane is still behind."""
        lanes = [
            lane
            for lane in self._open.first((place, caller.who), _GLANCE)
            if lane.input == caller.input and lane.sdk < count and _may_be(lane, caller)
        ]
        return lanes[0] if len(lanes) == 1 else None

    def _same_connection(self, caller: Caller, places: Sequence[bytes], origin: Position | None) -> Lane | None:
        for place in places:
            lanes = self._open.first((place, caller.who, caller.connection.number), _GLANCE)
            if found := _asked(lanes, caller):
                return found
            if found := next((lane for lane in lanes if origin is None or lane.origin is origin), None):
                return found
        return None

    def _abandoned(self, caller: Caller, places: Sequence[bytes], origin: Position | None) -> Lane | None:
        """A lane whose own connection is closed, so that its client can only come on another.

        With another input only if it is alone there: among several clients a different input is no sign of one.
        """
        for place in places:
            here = self._open.first((place, caller.who), _GLANCE)
            lanes = [lane for lane in here if not lane.connection.open]
            if found := _asked(lanes, caller):
                return found
            if lanes and len(here) == 1 and origin is None:
                return lanes[0]
        return None


def _asked(lanes: Sequence[Lane], caller: Caller) -> Lane | None:
    """The first of these that asked the same."""
    return next((lane for lane in lanes if lane.input == caller.input), None)


def _may_be(lane: Lane, caller: Caller) -> bool:
    return lane.connection is caller.connection or not lane.connection.open
