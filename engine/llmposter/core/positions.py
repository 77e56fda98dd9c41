"""Where conversations stand: positions by the fingerprint of the history that leads there, or by an id given out.

A position is recorded with every answer. Clients whose histories are alike share a fingerprint, each with a position
of its own; no look-up grows with how many there are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

import msgspec

from llmposter.core.buckets import Buckets
from llmposter.core.lanes import Kept, Lane, Lanes

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Iterable

    from llmposter.core.conversation import Conversation
    from llmposter_dsl.program import Fault

MOST_POSITIONS: Final = 10_000
"""Of one conversation; an older one is found again by replay."""
_GLANCE: Final = 8


class Talk(msgspec.Struct, eq=False):
    """One conversation as somebody holds it: its id, how it goes, and what of it must be forgotten with it.

    Attributes:
        number: among the conversations of the session with the same opening, from 0.
        opening: the fingerprint of what it was counted under; empty where it was not counted.
        mentions: how often it is in the order of those asked last.
        latest: where it stood after the last request.
        foreign: the first message of its history that the machine did not give, or None.
        findings: conformance findings reported already.
        open: its open lanes, None where it has none.
    """

    space: Space
    id: str
    latest: Conversation
    began: float
    last: float
    number: int = 0
    opening: bytes = b""
    requests: int = 0
    mentions: int = 0
    forked_from: str | None = None
    foreign: int | None = None
    findings: frozenset[str] = frozenset()
    open: dict[Lane, None] | None = None
    _stood: Position | dict[bytes, Position] | None = None

    def at(self, print_: bytes) -> Position | None:
        """Its position there, if it has one."""
        if (stood := self._stood) is None:
            return None
        if isinstance(stood, Position):
            return stood if stood.print == print_ else None
        return stood.get(print_)

    def stands_at(self, position: Position) -> int:
        """One more position, at another place than those that it has; how many it has then."""
        if (stood := self._stood) is None:
            self._stood = position
            return 1
        if isinstance(stood, Position):
            stood = self._stood = {stood.print: stood}
        stood[position.print] = position
        return len(stood)

    def leaves(self, position: Position) -> None:
        if isinstance(self._stood, dict):
            self._stood.pop(position.print, None)
        elif self._stood is position:
            self._stood = None

    @property
    def positions(self) -> Collection[Position]:
        """All of them, the oldest first."""
        stood = self._stood
        return () if stood is None else stood.values() if isinstance(stood, dict) else (stood,)

    def left_open(self, lane: Lane) -> None:
        if self.open is None:
            self.open = {}
        self.open[lane] = None

    def taken(self, lane: Lane) -> None:
        if self.open is not None:
            self.open.pop(lane, None)
            self.open = self.open or None


class Position(msgspec.Struct, eq=False):
    """Where a conversation stands after an answer, with what tells alike clients apart.

    Attributes:
        print: the fingerprint of the history up to the answer.
        who: the client's mark. connection: the number of the one that got the answer. provider: whose API that was.
        ids: that the server made for this answer, each of which names this position alone.
        root: a foreign history ends here and a conversation begins; each client that comes begins its own.
        went: the input that it went on with, or None.
        closed: the lane that the answer closed, while it may be asked for again.
        broken: the fault that broke the answer off, of which this is what the client has; None of a whole one.
    """

    talk: Talk
    print: bytes
    stands: Conversation
    who: bytes
    connection: int
    provider: str
    ids: tuple[str, ...] = ()
    root: bool = False
    went: bytes | None = None
    closed: Lane | None = None
    broken: Fault | None = None

    def keys(self) -> tuple[Hashable, ...]:
        who = self.who
        return ("both", who, self.connection), ("of", who, self.provider), ("who", who), ("on", self.connection), "any"


class Crowd:
    """The positions of clients whose histories are alike."""

    __slots__ = ("_all", "_unused", "size")

    def __init__(self) -> None:
        self._all: Buckets[Position] = Buckets()
        self._unused: Buckets[Position] = Buckets()
        self.size = 0

    def add(self, position: Position) -> None:
        self._all.add(position, position.keys())
        if position.went is None:
            self._unused.add(position, position.keys())
        self.size += 1

    def discard(self, position: Position) -> None:
        self._all.discard(position, position.keys())
        self.used(position)
        self.size -= 1

    def used(self, position: Position) -> None:
        self._unused.discard(position, position.keys())

    def choose(self, who: bytes, connection: int, provider: str, went: bytes) -> Position | None:
        """The one that this client most likely holds: of its system prompt, its connection, and not gone on yet.

        Among several it is one of its API; but a client may go over to another, so that alone makes none its own.
        """
        for key in (("both", who, connection), ("of", who, provider), ("who", who), ("on", connection), "any"):
            if (unused := self._unused.newest(key)) is not None:
                return unused
            if bucket := self._all.latest(key, _GLANCE):
                again = next((position for position in bucket if position.went == went), None)
                if again is not None or key[0] != "of":
                    return again or bucket[0]
        return None


Openings: TypeAlias = dict[bytes, tuple[int, int]]
"""By fingerprint how many conversations began so, and how many of them are held."""
_ONE: Final = (1, 1)
"""Nearly every opening is one conversation's, so that all these share one object."""


class Space:
    """The positions and lanes of one scenario, in one session, under one key.

    Attributes:
        openings: of the scenario in this session, whatever the key.
        latest: the conversation that was answered last.
        stood: whether an answer was ever given here.
    """

    __slots__ = ("_at", "_ids", "key", "lanes", "latest", "openings", "program", "session", "stood", "talks")

    def __init__(self, session: str, program: int, key: str | None, kept: Kept, openings: Openings) -> None:
        self.session, self.program, self.key, self.openings = session, program, key, openings
        self._at: dict[bytes, Position | Crowd] = {}
        self._ids: dict[str, Position] = {}
        self.lanes = Lanes(kept)
        self.latest: Talk | None = None
        self.stood = False
        self.talks = 0

    def number(self, talk: Talk, opening: bytes) -> None:
        """Count a conversation among those that open alike, as long as one of them is held."""
        if (count := self.openings.get(opening)) is None:
            self.openings[opening] = _ONE
        else:
            self.openings[opening] = count[0] + 1, count[1] + 1
            talk.number = count[0]
        talk.opening = opening

    def drop(self, talk: Talk) -> None:
        """Forget a conversation with its positions, ids and lanes."""
        for position in tuple(talk.positions):
            self.forget(position)
        for lane in tuple(talk.open or ()):
            self.lanes.take(lane)
        if self.latest is talk:
            self.latest = None
        if talk.opening:
            began, held = self.openings.pop(talk.opening)
            if held > 1:
                self.openings[talk.opening] = began, held - 1

    def crowded(self, print_: bytes) -> bool:
        return isinstance(self._at.get(print_), Crowd)

    def named(self, ids: Iterable[str]) -> Position | None:
        """The position that one of these ids was given out with."""
        return next((found for name in ids if (found := self._ids.get(name)) is not None), None)

    def at(self, print_: bytes, who: bytes, connection: int, provider: str, went: bytes) -> Position | None:
        found = self._at.get(print_)
        return found.choose(who, connection, provider, went) if isinstance(found, Crowd) else found

    def record(self, position: Position) -> Position:
        """Kept, in place of one that its conversation had there; it went on as that one did."""
        talk = position.talk
        if (older := talk.at(position.print)) is not None:
            position.went = older.went
            self.forget(older)
        if talk.stands_at(position) > MOST_POSITIONS:
            self.forget(next(iter(talk.positions)))
        there = self._at.setdefault(position.print, position)
        if there is not position:
            self._crowd(there, position)
        for name in position.ids:
            self._ids[name] = position
        return position

    def _crowd(self, there: Position | Crowd, position: Position) -> None:
        if isinstance(there, Position):
            self._at[position.print] = crowd = Crowd()
            crowd.add(there)
            crowd.add(position)
        else:
            there.add(position)

    def goes_on(self, position: Position, went: bytes) -> None:
        if isinstance(crowd := self._at.get(position.print), Crowd):
            crowd.used(position)
        position.went = went

    def forget(self, position: Position) -> None:
        position.talk.leaves(position)
        if position.closed is not None:
            self.lanes.forget(position.closed)
        found = self._at[position.print]
        if isinstance(found, Crowd):
            found.discard(position)
        if found is position or (isinstance(found, Crowd) and not found.size):
            del self._at[position.print]
        for name in position.ids:
            if self._ids.get(name) is position:
                del self._ids[name]
