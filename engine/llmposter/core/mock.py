"""The mock: scenarios and all that clients did with them, in sessions.

Synchronous and atomic, between threads too: a request is found, played and written down in one call, before the first
byte of its answer.
"""

from __future__ import annotations

from threading import RLock
from typing import TYPE_CHECKING, Any, Final, Protocol

from llmposter.access import Rejected
from llmposter.core import tokens as sizes
from llmposter.core import views
from llmposter.core.admission import Admission, why
from llmposter.core.conformance import findings, in_our_words
from llmposter.core.conversation import Conversation, Damage, Step, Struck
from llmposter.core.desk import SessionDesk
from llmposter.core.dispatch import find
from llmposter.core.fingerprint import Prints
from llmposter.core.journal import MOST_OF_BODY, Entry, Journal, render, shown_violation
from llmposter.core.play import Play
from llmposter.core.replay import Machine, Player
from llmposter.core.sessions import Session, Sessions
from llmposter.core.swap import Ended, Swap, swap
from llmposter.core.tables import Tables
from llmposter.core.verify import Verification, verified
from llmposter.model import BadRequest, Failure, Miss, Reply, Request, Struct, Turn, Unpaired

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from llmposter.access import Limited
    from llmposter.core.looking import Instead, Seen
    from llmposter.core.positions import Talk
    from llmposter.core.resilience import Verdict
    from llmposter.core.standing import Standing
    from llmposter_dsl.program import Chaos, Program

MOST_CONVERSATIONS: Final = 15_000
JOURNAL_SIZE: Final = 10_000


class Clock(Protocol):
    """Unix seconds."""

    def now(self) -> float: ...


def worst(step: Step) -> Damage:
    """All faults strike, and nothing is heard of the answer."""
    return Damage(tuple(Struck(fault, 0) for fault in step.faults))


def _nothing(_: str | None) -> None:
    """Nothing is kept elsewhere."""


class Exchange(Struct, frozen=True):
    """What to answer; and the journal's entry of it, which the server completes with `entry.finished`."""

    step: Step
    entry: Entry
    program: Program | None = None


class Mock:
    """Scenarios and all that clients did with them.

    Args:
        programs: in the order in which they are asked.
        clock: gives all time.
        journal_size: entries that are kept. body_size: bytes of a request's body that are.
        most_conversations: that are held; of more, the one asked longest ago is dropped.
        machine: makes what plays a program; `core.tables.Tables` by default.
        admission: which requests are let in; whoever asks for an answer asks there first. By default it is made of
            what the programs say.

    Attributes:
        on_reset: called with the session after each `reset`, for what is kept elsewhere.
    """

    def __init__(  # noqa: PLR0913 - what it is made of
        self,
        programs: Sequence[Program],
        clock: Clock,
        *,
        journal_size: int = JOURNAL_SIZE,
        body_size: int = MOST_OF_BODY,
        most_conversations: int = MOST_CONVERSATIONS,
        machine: Callable[[Program], Machine] | None = None,
        admission: Admission | None = None,
    ) -> None:
        self.clock = clock
        self.on_reset: Callable[[str | None], object] = _nothing
        self.admission = Admission(programs, clock.now()) if admission is None else admission
        self._machine = machine or Tables
        self._players = self._played(programs)
        self._sessions = Sessions(most_conversations)
        self._journal = Journal(journal_size, body_size)
        self._lock = RLock()  # a test reads and resets from a thread of its own

    @property
    def strict(self) -> bool:
        """Whether requests have to be as the Rust program wanted them: where fixtures are served."""
        return any(player.program.kind == "fixtures" for player in self._players)

    def _played(self, programs: Sequence[Program]) -> tuple[Player, ...]:
        return tuple(Player(index, program, self._machine(program)) for index, program in enumerate(programs))

    # --- what is served -------------------------------------------------------------------------------------------

    def replace(self, programs: Sequence[Program]) -> Swap:
        """Serve these scenarios from now on; what became of the conversations.

        At once, between two requests, and from any thread. Conversations go on where a scenario of their name still
        has their state; those that cannot are forgotten, and the journal of their session says so. Tokens and limits
        are those of the new scenarios; what was used of one that is still there stays used.
        """
        players = self._played(programs)
        with self._lock:
            now = self.clock.now()
            swapped = swap(self._sessions, self._players, players)
            self._players = players
            self.admission.replace(programs, now)
            self._write_ended(swapped.ended, now)
        return swapped

    def _write_ended(self, ended: Sequence[Ended], now: float) -> None:
        alike: dict[tuple[str, str, str], list[Ended]] = {}
        for each in ended:
            alike.setdefault((each.session, each.scenario, each.why), []).append(each)
        for (name, scenario, reason), several in alike.items():
            entry = Entry(now, name, "event", scenario=scenario, detail=f"ended, {reason}", how="")
            entry.conversation = ", ".join(each.conversation for each in several)
            states = {each.state for each in several}
            entry.state = states.pop() if len(states) == 1 else ""
            self._write(self._sessions.get(name), entry)

    # --- answering ------------------------------------------------------------------------------------------------

    def answer(
        self,
        turn: Turn,
        unpaired: Callable[[Turn, Unpaired], BadRequest | None] = in_our_words,
        damage: Callable[[Step], Damage] = worst,
    ) -> Exchange:
        """The answer to a request: its conversation moved on, its entry written.

        *unpaired* is the wire's, which words what a history breaks of the protocol of tool calls; *damage* tells what
        the faults of a step do to its answer as the wire speaks it.
        """
        with self._lock:
            return self._answer(turn, unpaired, damage, self.clock.now())

    def _answer(
        self,
        turn: Turn,
        unpaired: Callable[[Turn, Unpaired], BadRequest | None],
        damage: Callable[[Step], Damage],
        now: float,
    ) -> Exchange:
        session = self._sessions.get(turn.request.session)
        entry = Entry(now, session.name, "reply", turn.request, turn.provider, turn.model, turn.stream, turn.retry)
        if turn.previous or turn.thread or turn.references:
            turn = self._sessions.library.told(turn)
        prints = Prints(turn.messages)
        found = find(self._players, session, turn, prints, now)
        if turn.continues and (found is None or not found.known):
            # The client put words into the assistant's mouth; what is asked for stands before them.
            prints = Prints(turn.messages[:-1], turn.messages[-1].text)
            found = find(self._players, session, turn, prints, now)
        program = None
        if isinstance(turn.lost, Failure):
            nowhere = Conversation(state="")
            step = Step(nowhere, nowhere, turn.lost)
            entry.took(step)
        elif found is None:
            step = self._unserved()
            entry.took(step)
        else:
            program = found.player.program
            entry.scenario = program.name
            breaches = turn.breaches if prints.plain else findings(turn, unpaired)
            if program.conformance == "off":
                breaches = ()
            step = Play(self._sessions, session, found, turn, prints, entry, now, damage).step(breaches)
        if (turn.keep or turn.thread) and isinstance(step.outcome, Reply):
            self._sessions.library.keep(turn, step.outcome)
        if not self.admission.free and entry.outcome != "repeated":
            self.admission.answered(turn.request, step, sizes.of_turn(turn), now)
        self._write(session, entry)
        if self._sessions.full:
            self._drop_idle(now)
        return Exchange(step, entry, program)

    def limited(self, turn: Turn) -> Limited | None:
        """The limit that a request is above; it is for whoever asks to know that before an answer is made."""
        with self._lock:
            size = sizes.of_turn(self._sessions.library.told(turn))
        return self.admission.ask(turn.request, size, self.clock.now())

    def kept_out(self, request: Request, provider: str, refused: Rejected | Limited, status: int) -> Entry:
        """Write down a request that was not let in; no conversation hears of it."""
        outcome = "rejected" if isinstance(refused, Rejected) else "limited"
        return self._aside(request, provider, outcome, why(refused), status)

    def refused(self, request: Request, provider: str, refused: BadRequest, status: int) -> Entry:
        """Write down a body that no wire could read."""
        return self._aside(request, provider, "refused", refused.message, status)

    def desk(self, request: Request, provider: str = "") -> SessionDesk:
        """What an endpoint may ask for this request; what it answers has to be written down with `beside`."""
        with self._lock:
            session = self._sessions.get(request.session)
            return SessionDesk(self.programs, session, self._sessions.library, self.clock, request, provider)

    def beside(self, request: Request, provider: str, status: int, desk: SessionDesk) -> Entry:
        """Write down what an endpoint answered with what it asked of *desk*; no conversation hears of it."""
        entry = self._aside(request, provider, "endpoint", desk.fired, status)
        entry.model = desk.model
        return entry

    def unrouted(self, request: Request, status: int, message: str) -> Entry:
        """Write down a request to a path or with a method that nobody answers."""
        return self._aside(request, "", "unrouted", message, status)

    def _aside(self, request: Request, provider: str, outcome: str, message: str, status: int) -> Entry:
        entry = Entry(self.clock.now(), request.session, outcome, request)
        entry.provider, entry.detail, entry.status = provider, message, status
        with self._lock:
            self._write(self._sessions.get(request.session), entry)
        return entry

    def _unserved(self) -> Step:
        nowhere = Conversation(state="")
        return Step(nowhere, nowhere, Miss(self.unserved()))

    def unserved(self) -> str:
        """What is said of a request that no scenario takes."""
        wants = [
            f'"{player.program.name}" wants {serves.text}'
            for player in self._players
            if (serves := player.program.serves) is not None
        ]
        return f"no scenario serves this request: {'; '.join(wants) or 'there is none'}"

    def _write(self, session: Session, entry: Entry) -> None:
        session.entries.append(entry)
        gone = self._journal.add(entry)
        if gone is not None:
            self._sessions.dropped_from(gone.session)

    def _drop_idle(self, now: float) -> None:
        """Some at once, so that in the long run an event of it is seldom written."""
        gone: dict[tuple[str, int], list[Talk]] = {}
        for talk in self._sessions.drop():
            gone.setdefault((talk.space.session, talk.space.program), []).append(talk)
        for (name, index), talks in gone.items():
            session, program = self._sessions.get(name), self._players[index].program
            if program.final:
                self._sessions.lose(session, sum(talk.latest.state not in program.final for talk in talks))
            idle = f"idle for {now - talks[-1].last:.0f} s" + (" and longer" if len(talks) > 1 else "")
            said = f"dropped, {idle}: more than {self._sessions.most} conversations"
            entry = Entry(now, name, "event", scenario=program.name, detail=said, how="")
            entry.conversation = ", ".join(talk.id for talk in talks)
            entry.state = talks[0].latest.state if len(talks) == 1 else ""
            self._write(session, entry)

    # --- chaos ----------------------------------------------------------------------------------------------------

    def set_chaos(self, chaos: Chaos | None, session: str | None = None) -> None:
        """From now on this holds for one session, or for all, in place of what the scenarios say; None: it does not."""
        with self._lock:
            self._sessions.set_chaos(chaos, session)

    def chaos(self, session: str | None = None) -> Chaos | None:
        """What was set for one session, else for all."""
        with self._lock:
            found = None if session is None else self._sessions.known(session)
            return self._sessions.chaos if found is None or found.chaos is None else found.chaos

    # --- reading --------------------------------------------------------------------------------------------------

    def journal(self, session: str | None = None, *, after: int = 0, limit: int | None = None) -> dict[str, Any]:
        """`{"entries": […], "dropped": n}`: those numbered above *after*, at most *limit*, oldest first."""
        chosen = [entry for entry in self.entries(session) if entry.number > after]
        return {"entries": [render(entry) for entry in chosen[:limit]], "dropped": self.dropped(session)}

    def conversations(self, session: str | None = None) -> list[dict[str, Any]]:
        """Every conversation held, with where it stands."""
        with self._lock:
            return [views.conversation(talk, self._players[talk.space.program]) for talk in self._talks(session)]

    def violations(self, session: str | None = None) -> list[dict[str, Any]]:
        """Every violation in the journal, with the number of its entry."""
        return [
            {
                "number": entry.number, "session": entry.session, "scenario": entry.scenario,
                "conversation": entry.conversation, "state": entry.before, **shown_violation(violation),
            }
            for entry in self.entries(session)
            for violation in entry.violations
        ]  # fmt: skip

    def shared(self, session: str = "") -> dict[str, Any]:
        """The variables that the conversations of a session share, as they are now."""
        with self._lock:
            found, told = self._sessions.known(session), dict[str, Any]()
            for program in (player.program for player in reversed(self._players)):
                values = {} if found is None else found.shared.get(program.name, {})
                told |= {name: values.get(name, program.vars[name]) for name in program.shared}
            return told

    def verify(self, session: str | None = None) -> Verification:
        """Whether the run was clean (language.md, section 10)."""
        with self._lock:
            dropped, lost = self.dropped(session), self._sessions.lost(session)
            return verified(self._players, self.entries(session), self._talks(session), dropped, lost)

    def resilience(self, session: str | None = None) -> Verdict:
        """What clients did with trouble: errors, broken answers, dead credentials."""
        from llmposter.core.resilience import judged  # nobody asks for it before there is trouble

        with self._lock:
            return judged(self.entries(session), self.dropped(session))

    def dropped(self, session: str | None = None) -> int:
        """How many entries the journal has dropped."""
        with self._lock:
            return self._journal.dropped if session is None else self._sessions.dropped(session)

    def look(self, turn: Turn, instead: Instead | None = None) -> tuple[Standing, Seen] | None:
        """Where a request stands and what it would meet, without answering it; None if no scenario takes it."""
        from llmposter.core.looking import look_at

        with self._lock:
            return look_at(self._players, self._sessions, turn, self.clock.now(), instead)

    def stand(self, turn: Turn) -> tuple[Standing, Turn] | None:
        """Where a request stands, and the turn with the history that it refers to; None if no scenario takes it."""
        from llmposter.core.looking import stand

        with self._lock:
            return stand(self._players, self._sessions, turn, self.clock.now())

    @property
    def programs(self) -> tuple[Program, ...]:
        """What is served, in the order in which it is asked."""
        return tuple(player.program for player in self._players)

    def scenarios(self) -> list[dict[str, Any]]:
        """What is served, in the order in which it is asked."""
        return [views.scenario(player.program) for player in self._players]

    def reset(self, session: str | None = None) -> None:
        """Forget what one session did, or what all did; tokens and limits are as in the beginning."""
        with self._lock:
            self.admission.reset(self.clock.now(), session)
            if session is None:
                self._sessions = Sessions(self._sessions.most)
                self._journal = Journal(self._journal.most, self._journal.most_of_body)
            else:
                self._journal.dropped -= self._sessions.reset(session)
                self._journal.keep(entry for entry in self._journal if entry.session != session)
        self.on_reset(session)

    def entries(self, session: str | None = None) -> list[Entry]:
        """The journal's own entries of a session or of all, oldest first, to be looked at and left as they are."""
        with self._lock:
            if session is None:
                return list(self._journal)
            found = self._sessions.known(session)
            return [] if found is None else list(found.entries)

    def _talks(self, session: str | None) -> list[Talk]:
        with self._lock:
            chosen = self._sessions if session is None else [self._sessions.known(session)]
            # One that a replay began for nothing was never asked anything.
            return [talk for each in chosen if each is not None for talk in each.talks.values() if talk.requests]
