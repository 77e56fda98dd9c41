"""Scenarios in place of others while conversations go on: who stands where he stood, and who stands nowhere any more.

A conversation goes on where a scenario of its name still has its state. Counts are kept by the names of states and
rules, variables where the type is still the same; all else of it begins anew.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final, TypeVar

from msgspec.structs import replace

from llmposter.model import Struct
from llmposter_dsl import types
from llmposter_dsl.program import InputRule, Rule

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence

    from llmposter.core.conversation import Conversation
    from llmposter.core.positions import Talk
    from llmposter.core.replay import Player
    from llmposter.core.sessions import Session, Sessions
    from llmposter_dsl.program import Program, Value

R = TypeVar("R", "Rule", "InputRule")


class Ended(Struct, frozen=True):
    """A conversation that stands nowhere any more; its client stands where its history leads, as on a new server."""

    session: str
    scenario: str
    conversation: str
    state: str
    why: str


class Swap(Struct, frozen=True):
    """What became of the conversations that had not come to a final state: how many go on, and which do not."""

    going_on: int = 0
    ended: tuple[Ended, ...] = ()


def swap(sessions: Sessions, old: Sequence[Player], new: Sequence[Player]) -> Swap:
    """Everything that *sessions* hold of the *old* scenarios, moved to the *new* ones."""
    heirs = _heirs(old, new)
    spent = {was: now for heir in heirs for was, now in heir.inputs()}
    gone: list[Talk] = []
    ended: list[Ended] = []
    going_on = 0
    for session in sessions:
        for talk in tuple(session.talks.values()):
            heir, state = heirs[talk.space.program], talk.latest.state
            why, running = heir.carry(talk), talk.requests > 0 and state not in heir.old.final
            if why is None:
                going_on += running
                continue
            session.drop(talk)
            gone.append(talk)
            if running:
                ended.append(Ended(session.name, heir.old.name, talk.id, state, why))
        _move(session, heirs, spent)
    sessions.recent.forget(gone)
    return Swap(going_on, tuple(ended))


def _move(session: Session, heirs: Sequence[Heir], spent: Mapping[InputRule, InputRule]) -> None:
    session.moved({index: heir.new.index for index, heir in enumerate(heirs) if heir.new is not None})
    session.shared = {
        heir.old.name: heir.shared(values, heir.new.program)
        for heir in heirs
        if heir.new is not None and (values := session.shared.get(heir.old.name)) is not None
    }
    session.spent = {spent[rule]: times for rule, times in session.spent.items() if rule in spent}


def _heirs(old: Sequence[Player], new: Sequence[Player]) -> list[Heir]:
    """For each old scenario the new one of its name; of several that are called alike the first has the first."""
    waiting: dict[str, list[Player]] = {}
    for player in reversed(new):
        waiting.setdefault(player.program.name, []).append(player)
    return [Heir(each.program, there.pop() if (there := waiting.get(each.program.name)) else None) for each in old]


_NONE: Final[Mapping[str, str]] = {}


class Heir:
    """One scenario in place of another, or of none."""

    __slots__ = ("_alike", "_rules", "new", "old")

    def __init__(self, old: Program, new: Player | None) -> None:
        self.old, self.new = old, new
        self._rules = _NONE if new is None else _renamed(_rules(old), _rules(new.program))
        self._alike = new is not None and self._is_alike(new.program)

    def _is_alike(self, new: Program) -> bool:
        """Nothing that a conversation may hold has to change, so that none of them is looked at."""
        return (
            self.old.states.keys() <= new.states.keys()
            and all(self._rules.get(rule.name) == rule.name for rule in _rules(self.old))
            and _kinds(self.old) == _kinds(new)
        )

    def inputs(self) -> Iterator[tuple[InputRule, InputRule]]:
        """The rules for inputs that are still there, as they were and as they are."""
        if self.new is not None:
            new = self.new.program
            yield from _same(self.old.embeddings, new.embeddings)
            yield from _same(self.old.moderations, new.moderations)

    def carry(self, talk: Talk) -> str | None:
        """Takes all of a conversation along, or says why it cannot go on."""
        name = self.old.name
        if self.new is None:
            return f'no scenario "{name}" is served any more'
        if _key(self.old) != _key(self.new.program):
            return f'the scenario "{name}" tells its conversations apart otherwise than before'
        if self._alike:
            return None
        if (latest := self._carried(talk.latest, self.new.program)) is None:
            return f'the scenario "{name}" has no state "{talk.latest.state}" any more'
        talk.latest = latest
        self._carry_lanes(talk, self.new.program)
        self._carry_positions(talk, self.new.program)
        return None

    def _carry_lanes(self, talk: Talk, new: Program) -> None:
        for lane in tuple(talk.open or ()):
            if (stands := self._carried(lane.stands, new)) is None:
                talk.space.lanes.take(lane)
            else:
                lane.stands = stands

    def _carry_positions(self, talk: Talk, new: Program) -> None:
        for position in tuple(talk.positions):
            if (stands := self._carried(position.stands, new)) is None:
                talk.space.forget(position)
            else:
                position.stands = stands

    def _carried(self, stands: Conversation, new: Program) -> Conversation | None:
        if stands.state not in new.states:
            return None
        kept = {name: self._value(name, first, stands.vars) for name, first in new.vars.items()}
        return replace(
            stands,
            vars=kept,
            visits={state: times for state, times in stands.visits.items() if state in new.states},
            fired={self._rules[rule]: times for rule, times in stands.fired.items() if rule in self._rules},
            loose=tuple(name for name in stands.loose if name in kept),
        )

    def shared(self, values: Mapping[str, Value], new: Program) -> Mapping[str, Value]:
        """What the conversations of a session share, likewise."""
        return {name: self._value(name, new.vars[name], values) for name in new.shared}

    def _value(self, name: str, first: Value, values: Mapping[str, Value]) -> Value:
        """As it was, where its type is the same or it is of the new one itself; else the first."""
        if name not in values:
            return first
        value, kind = values[name], types.of(first).kind
        fits = kind in ("json", types.kind_of(value)) or (
            name in self.old.vars and types.of(self.old.vars[name]).kind == kind
        )
        return value if fits else first


def _key(program: Program) -> str | None:
    return None if program.key is None else program.key.text


def _kinds(program: Program) -> dict[str, str]:
    return {name: types.of(first).kind for name, first in program.vars.items()}


def _rules(program: Program) -> Iterator[Rule]:
    yield from program.always
    for rules in program.states.values():
        yield from rules
    yield from program.otherwise


def _renamed(old: Iterable[Rule], new: Iterable[Rule]) -> dict[str, str]:
    return {was.name: now.name for was, now in _same(old, new)}


def _same(old: Iterable[R], new: Iterable[R]) -> Iterator[tuple[R, R]]:
    """Rules that are still there. One without a name is known by what it wants: its number may be another's now."""
    waiting: dict[Hashable, deque[R]] = {}
    for rule in new:
        waiting.setdefault(_mark(rule), deque()).append(rule)
    for rule in old:
        if there := waiting.get(_mark(rule)):
            yield rule, there.popleft()


def _mark(rule: Rule | InputRule) -> Hashable:
    when = None if rule.when is None else rule.when.text
    match rule:
        case Rule(named=True):
            return rule.name
        case Rule():
            return rule.group, when, rule.times, rule.goto
        case InputRule():
            return when, rule.times
