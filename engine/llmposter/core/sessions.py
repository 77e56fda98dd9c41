"""Sessions, isolated from one another, and the bound on how many conversations are held in all.

The conversation that was asked longest ago goes first, with its positions, ids and lanes; the caller is told.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import TYPE_CHECKING

from llmposter.core.kept import Library
from llmposter.core.lanes import Kept
from llmposter.core.positions import Space, Talk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llmposter.core.conversation import Conversation
    from llmposter.core.journal import Entry
    from llmposter_dsl.program import InputRule


class Session:
    """Everything that one session isolates.

    Attributes:
        spaces: by place of the scenario in the order given, and key.
        entries: its part of the journal. dropped: how many of its entries are gone from there.
        lost: conversations that were dropped outside a final state.
        spent: how often each rule for inputs fired, of those that are bounded.
    """

    __slots__ = ("_kept", "_named", "dropped", "entries", "lost", "name", "spaces", "spent", "talks")

    def __init__(self, name: str, kept: Kept) -> None:
        self.name, self._kept = name, kept
        self.spaces: dict[tuple[int, str | None], Space] = {}
        self.talks: dict[str, Talk] = {}
        self.entries: deque[Entry] = deque()
        self.spent: dict[InputRule, int] = {}
        self.dropped = self.lost = self._named = 0

    def space(self, program: int, key: str | None) -> Space:
        """The space there, made if need be; an unused one is not kept."""
        return self.spaces.get((program, key)) or Space(self.name, program, key, self._kept)

    def next_name(self) -> str:
        self._named += 1
        return f"c{self._named}"

    @property
    def blank(self) -> bool:
        return not self.talks and not self.entries


class Sessions:
    """All sessions and their conversations, the one asked longest ago first."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._by_name: dict[str, Session] = {}
        self._talks: OrderedDict[Talk, None] = OrderedDict()
        self._gone: OrderedDict[str, tuple[int, int]] = OrderedDict()
        self._forgotten = False
        self._lost = 0
        self._kept = Kept()
        self.library = Library()
        self._openings: OrderedDict[tuple[Session, int, bytes], int] = OrderedDict()

    def get(self, name: str) -> Session:
        """The session of this name, made if need be."""
        if (found := self._by_name.get(name)) is None:
            found = self._by_name[name] = Session(name, self._kept)
            found.dropped, found.lost = self._gone.pop(name, (0, 0))
        return found

    def known(self, name: str) -> Session | None:
        return self._by_name.get(name)

    def dropped(self, name: str) -> int:
        """How many entries of a session are gone; at least one where it is itself so long gone that nobody knows."""
        if (found := self._by_name.get(name)) is not None:
            return found.dropped
        return self._gone[name][0] if name in self._gone else int(self._forgotten)

    def lost(self, name: str | None) -> int:
        """How many conversations of a session, or of all, were dropped outside a final state."""
        if name is None:
            return self._lost
        found = self._by_name.get(name)
        return found.lost if found is not None else self._gone.get(name, (0, 0))[1]

    def lose(self, session: Session, number: int) -> None:
        session.lost += number
        self._lost += number

    def begin(self, session: Session, space: Space, stands: Conversation, now: float, number: int = 0) -> Talk:
        talk = Talk(space, session.next_name(), stands, now, number)
        session.talks[talk.id] = talk
        session.spaces[space.program, space.key] = space
        space.talks += 1
        self._talks[talk] = None
        return talk

    def number(self, session: Session, program: int, opening: bytes) -> int:
        """The number of a conversation among those of the session that open alike; opening counts it."""
        key = (session, program, opening)
        number = self._openings.pop(key, 0)
        self._openings[key] = number + 1
        if len(self._openings) > self.most:
            self._openings.popitem(last=False)
        return number

    def used(self, talk: Talk, now: float) -> None:
        talk.last = now
        talk.requests += 1
        self._talks.move_to_end(talk)

    def over(self) -> Talk | None:
        """The conversation that has to go, if there are too many."""
        return next(iter(self._talks)) if len(self._talks) > self.most else None

    def drop(self, talk: Talk) -> None:
        """Forget a conversation with its positions, ids and lanes."""
        space = talk.space
        for position in list(talk.positions.values()):
            space.forget(position)
        for lane in list(talk.lanes):
            space.lanes.forget(lane)
        if space.latest is talk:
            space.latest = None
        del self._talks[talk]
        session = self._by_name[space.session]
        del session.talks[talk.id]
        space.talks -= 1
        if not space.talks:
            session.spaces.pop((space.program, space.key), None)

    def tidy(self, session: Session) -> None:
        """A session without conversations and entries is not held, but what it lost is known for long."""
        if session.blank and self._by_name.pop(session.name, None) is not None and (session.dropped or session.lost):
            self._gone[session.name] = session.dropped, session.lost
            if len(self._gone) > self.most:
                self._gone.popitem(last=False)
                self._forgotten = True

    def reset(self, name: str) -> int:
        """Forget a session; how many entries of it were dropped before."""
        dropped = self.dropped(name) if name in self._by_name or name in self._gone else 0
        self.library.reset(name)
        if (session := self._by_name.pop(name, None)) is not None:
            for talk in session.talks.values():
                del self._talks[talk]
                for lane in list(talk.lanes):
                    talk.space.lanes.forget(lane)
            self._lost -= session.lost
        self._lost -= self._gone.pop(name, (0, 0))[1]
        return dropped

    def __iter__(self) -> Iterator[Session]:
        return iter(self._by_name.values())

    def __len__(self) -> int:
        return len(self._talks)
