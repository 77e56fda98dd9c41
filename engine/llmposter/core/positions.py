"""Where conversations stand: positions by the fingerprint of the history that leads there, or by an id given out.

A position is recorded with every answer. Clients whose histories are alike share a fingerprint, each with a position
of its own; no look-up grows with how many there are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from llmposter.core.buckets import Buckets
from llmposter.core.lanes import Kept, Lane, Lanes

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from llmposter.core.conversation import Conversation

MOST_POSITIONS: Final = 10_000
"""Of one conversation; an older one is found again by replay."""
_GLANCE: Final = 8


class Talk:
    """One conversation as somebody holds it: its id, how it goes, and what of it must be forgotten with it.

    Attributes:
        number: among the conversations of the session with the same opening, from 0.
        latest: where it stood after the last request.
        foreign: the first message of its history that the machine did not give, or None.
        findings: conformance findings reported already.
    """

    __slots__ = (
        "began", "findings", "foreign", "forked_from", "id", "lanes", "last", "latest", "number", "positions",
        "requests", "space",
    )  # fmt: skip

    def __init__(self, space: Space, name: str, latest: Conversation, now: float, number: int = 0) -> None:
        self.space, self.id, self.latest, self.number = space, name, latest, number
        self.began = self.last = now
        self.requests = 0
        self.forked_from: str | None = None
        self.foreign: int | None = None
        self.findings: frozenset[str] = frozenset()
        self.positions: dict[bytes, Position] = {}
        self.lanes: dict[Lane, None] = {}


@dataclass(slots=True, eq=False)
class Position:
    """Where a conversation stands after an answer, with what tells alike clients apart.

    Attributes:
        print: the fingerprint of the history up to the answer.
        who: the client's mark. connection: the number of the one that got the answer.
        ids: that the server made for this answer, each of which names this position alone.
        root: a foreign history ends here and a conversation begins; each client that comes begins its own.
        went: the input that it went on with, or None.
        closed: the lane that the answer closed, while it may be asked for again.
    """

    talk: Talk
    print: bytes
    stands: Conversation
    who: bytes
    connection: int
    ids: tuple[str, ...] = ()
    root: bool = False
    went: bytes | None = None
    closed: Lane | None = None

    def keys(self) -> tuple[Hashable, ...]:
        return ("both", self.who, self.connection), ("who", self.who), ("on", self.connection), "any"


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

    def choose(self, who: bytes, connection: int, went: bytes) -> Position | None:
        """The one that this client most likely holds: of its system prompt, its connection, and not gone on yet."""
        for key in (("both", who, connection), ("who", who), ("on", connection), "any"):
            if (unused := self._unused.newest(key)) is not None:
                return unused
            if bucket := self._all.latest(key, _GLANCE):
                return next((position for position in bucket if position.went == went), bucket[0])
        return None


class Space:
    """The positions and lanes of one scenario, in one session, under one key.

    Attributes:
        latest: the conversation that was answered last.
        stood: whether an answer was ever given here.
    """

    __slots__ = ("_at", "_ids", "key", "lanes", "latest", "program", "session", "stood", "talks")

    def __init__(self, session: str, program: int, key: str | None, kept: Kept) -> None:
        self.session, self.program, self.key = session, program, key
        self._at: dict[bytes, Position | Crowd] = {}
        self._ids: dict[str, Position] = {}
        self.lanes = Lanes(kept)
        self.latest: Talk | None = None
        self.stood = False
        self.talks = 0

    def crowded(self, print_: bytes) -> bool:
        return isinstance(self._at.get(print_), Crowd)

    def named(self, ids: Iterable[str]) -> Position | None:
        """The position that one of these ids was given out with."""
        return next((found for name in ids if (found := self._ids.get(name)) is not None), None)

    def at(self, print_: bytes, who: bytes, connection: int, went: bytes) -> Position | None:
        found = self._at.get(print_)
        return found.choose(who, connection, went) if isinstance(found, Crowd) else found

    def record(self, position: Position) -> None:
        talk = position.talk
        if (older := talk.positions.get(position.print)) is not None:
            position.went = older.went
            if older.closed is not None:
                self.lanes.forget(older.closed)
            self.forget(older)
        talk.positions[position.print] = position
        self._place(position)
        for name in position.ids:
            self._ids[name] = position
        if len(talk.positions) > MOST_POSITIONS:
            self.forget(next(iter(talk.positions.values())))

    def _place(self, position: Position) -> None:
        match self._at.get(position.print):
            case None:
                self._at[position.print] = position
            case Crowd() as crowd:
                crowd.add(position)
            case Position() as alone:
                self._at[position.print] = crowd = Crowd()
                crowd.add(alone)
                crowd.add(position)

    def goes_on(self, position: Position, went: bytes) -> None:
        if isinstance(crowd := self._at.get(position.print), Crowd):
            crowd.used(position)
        position.went = went

    def forget(self, position: Position) -> None:
        position.talk.positions.pop(position.print, None)
        position.closed = None
        found = self._at.get(position.print)
        if isinstance(found, Crowd):
            found.discard(position)
        if found is position or (isinstance(found, Crowd) and not found.size):
            del self._at[position.print]
        for name in position.ids:
            if self._ids.get(name) is position:
                del self._ids[name]
