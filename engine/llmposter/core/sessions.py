"""Sessions, isolated from one another, and the bound on how many conversations are held in all.

The conversation that was asked longest ago goes first, with its positions, ids and lanes; the caller is told.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from llmposter.core.kept import Library
from llmposter.core.lanes import Kept
from llmposter.core.positions import Openings, Space, Talk

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from llmposter.core.conversation import Conversation
    from llmposter.core.journal import Entry
    from llmposter_dsl.program import Chaos, InputRule, Program, Value


class Session:
    """Everything that one session isolates.

    Attributes:
        spaces: by place of the scenario in the order given, and key; those with conversations.
        entries: its part of the journal. dropped: how many of its entries are gone from there.
        lost: conversations that were dropped outside a final state.
        latest: the conversation that was asked last. mixed: an older one went on after it, as with several clients.
        spent: how often each rule for inputs fired, of those that are bounded.
        chaos: what was set for it, in place of what the scenarios say.
        shared: by name of the scenario, the variables that its conversations share (`Program.shared`).
    """

    __slots__ = (
        "_kept", "_named", "_openings", "chaos", "dropped", "entries", "latest", "lost", "mixed", "name",
        "shared", "spaces", "spent", "talks",
    )  # fmt: skip

    def __init__(self, name: str, kept: Kept) -> None:
        self.name, self._kept = name, kept
        self.spaces: dict[tuple[int, str | None], Space] = {}
        self.talks: dict[str, Talk] = {}
        self.entries: deque[Entry] = deque()
        self.spent: dict[InputRule, int] = {}
        self.dropped = self.lost = self._named = 0
        self._openings: dict[int, Openings] = {}
        self.latest: Talk | None = None
        self.mixed = False
        self.chaos: Chaos | None = None
        self.shared: dict[str, Mapping[str, Value]] = {}

    @property
    def alone(self) -> bool:
        """Nothing says that it has several clients; a session with a name is one client's."""
        return bool(self.name) or not self.mixed

    def asked(self, talk: Talk) -> None:
        """A request of this conversation came."""
        if talk is not self.latest:
            self.mixed, self.latest = self.mixed or self.latest is not None, talk

    def space(self, program: int, key: str | None) -> Space:
        """The space there, made if need be; an unused one is not kept."""
        if (found := self.spaces.get((program, key))) is not None:
            return found
        return Space(self.name, program, key, self._kept, self._openings.setdefault(program, {}))

    def seen(self, program: Program, stands: Conversation) -> Conversation:
        """A conversation with the variables that it shares with the others, as they are now."""
        if not program.shared:
            return stands
        return replace(stands, vars={**stands.vars, **self.shared.get(program.name, {})})

    def begin(self, space: Space, stands: Conversation, now: float) -> Talk:
        self._named += 1
        name = f"c{self._named}"
        self.talks[name] = self.latest = talk = Talk(space, name, stands, now, now)
        if not space.talks:
            self.spaces[space.program, space.key] = space
        space.talks += 1
        return talk

    def drop(self, talk: Talk) -> None:
        space = talk.space
        space.drop(talk)
        del self.talks[talk.id]
        if talk is self.latest:
            self.latest = None
        space.talks -= 1
        if not space.talks:
            del self.spaces[space.program, space.key]

    def moved(self, to: Mapping[int, int]) -> None:
        """The scenarios have other places now; what is of none of them has no conversations any more."""
        self._openings = {to[index]: openings for index, openings in self._openings.items() if index in to}
        self.spaces = {(to[index], key): space for (index, key), space in self.spaces.items()}
        for (index, _), space in self.spaces.items():
            space.program = index

    @property
    def blank(self) -> bool:
        return not self.talks and not self.entries and self.chaos is None and not self.shared


class Recent:
    """Conversations in the order in which they were asked last.

    To ask is to append one more mention; mentions before the last one are passed over, and swept out when they are
    many, so that asking costs the same however many are held and a conversation costs hardly more than a pointer.
    """

    __slots__ = ("_mentions", "size")

    def __init__(self) -> None:
        self._mentions: deque[Talk] = deque()
        self.size = 0

    def begins(self, talk: Talk) -> None:
        self.size += 1
        talk.mentions = 1
        self._mentions.append(talk)

    def asked(self, talk: Talk) -> None:
        if self._mentions[-1] is not talk:
            talk.mentions += 1
            self._mentions.append(talk)
            if len(self._mentions) > 2 * self.size + _MENTIONS:
                self._sweep()

    def pop(self) -> Talk:
        """The one asked longest ago, out of the order."""
        while True:
            talk = self._mentions.popleft()
            talk.mentions -= 1
            if not talk.mentions:
                self.size -= 1
                return talk

    def forget(self, talks: Collection[Talk]) -> None:
        """These go, wherever they stand."""
        for talk in talks:
            talk.mentions = 0
        self.size -= len(talks)
        self._sweep()

    def _sweep(self) -> None:
        kept: deque[Talk] = deque()
        for talk in reversed(self._mentions):
            if talk.mentions > 0:
                talk.mentions = -1
                kept.appendleft(talk)
        for talk in kept:
            talk.mentions = 1
        self._mentions = kept


_MENTIONS: Final = 1_000
"""Mentions that are kept whatever the number of conversations."""


_AT_ONCE: Final = 500
"""The share of all conversations that is dropped at once."""


class Sessions:
    """All sessions, which of their conversations was asked longest ago, and the chaos that was set for all."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._by_name: dict[str, Session] = {}
        self.recent = Recent()
        self._gone: OrderedDict[str, tuple[int, int]] = OrderedDict()
        self._forgotten = False
        self._lost = 0
        self._kept = Kept()
        self.library = Library()
        self.chaos: Chaos | None = None

    def get(self, name: str) -> Session:
        """The session of this name, made if need be."""
        found = self._by_name.get(name)
        return self._made(name) if found is None else found

    def _made(self, name: str) -> Session:
        made = self._by_name[name] = Session(name, self._kept)
        made.dropped, made.lost = self._gone.pop(name, (0, 0))
        return made

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

    def chaos_of(self, session: Session, program: Program) -> Chaos | None:
        """What holds for a request: what was set for its session, else for all, else what its scenario says."""
        return session.chaos or self.chaos or program.chaos

    def set_chaos(self, chaos: Chaos | None, name: str | None) -> None:
        """What holds for a session, or for all, in place of what the scenarios say."""
        if name is None:
            self.chaos = chaos
        elif chaos is not None or name in self._by_name:
            session = self.get(name)
            session.chaos = chaos
            self.tidy(session)

    def begin(self, session: Session, space: Space, stands: Conversation, now: float) -> Talk:
        talk = session.begin(space, stands, now)
        self.recent.begins(talk)
        return talk

    @property
    def full(self) -> bool:
        """There are too many conversations."""
        return self.recent.size > self.most

    def drop(self) -> list[Talk]:
        """Forget conversations, those asked longest ago, so that a few more may come."""
        gone = [self.recent.pop() for _ in range(1 + self.most // _AT_ONCE)]
        for talk in gone:
            self._by_name[talk.space.session].drop(talk)
        return gone

    def dropped_from(self, name: str) -> None:
        """The first entry of a session is gone from the journal."""
        session = self.get(name)
        session.entries.popleft()
        session.dropped += 1
        if not session.entries:
            self.tidy(session)

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
            self.recent.forget(session.talks.values())
            for talk in session.talks.values():
                for position in talk.positions:
                    if position.closed is not None:
                        talk.space.lanes.forget(position.closed)
            self._lost -= session.lost
        self._lost -= self._gone.pop(name, (0, 0))[1]
        return dropped

    def __iter__(self) -> Iterator[Session]:
        return iter(self._by_name.values())

    def __len__(self) -> int:
        return self.recent.size
