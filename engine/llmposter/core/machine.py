"""A Program as a state machine: a request goes in with where its conversation stands, and one step comes out.

Pure: the same input gives the same step, and nothing is remembered between two. Sole importer of `transitions`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import transitions
from msgspec.structs import replace

from llmposter.core import answer, explain
from llmposter.core.chance import Chance
from llmposter.core.conversation import Conversation, Moment, Step
from llmposter.core.facts import Facts
from llmposter.core.pattern import json_text, known, pattern
from llmposter.model import Miss, Reply, ToolCall, Violation
from llmposter_dsl.place import where
from llmposter_dsl.program import Data, Refuse, Say

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from llmposter.core.conversation import Pattern
    from llmposter.model import Failure, Turn
    from llmposter_dsl.program import Condition, Program, Rule

MOST_PASSES: Final = 100
"""Pass-through rules that one request may take."""

_EVENT: Final = "turn"


@dataclass(frozen=True, slots=True)
class Edge:
    """A rule as it leads from one state to another, or back to the same."""

    source: str
    dest: str
    rule: Rule


@dataclass(frozen=True, slots=True)
class Diagram:
    """The machine as a picture shows it; states and edges in the order of the file."""

    states: tuple[str, ...]
    start: str
    final: frozenset[str]
    edges: tuple[Edge, ...]


class Machine:
    """One Program, ready to answer."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._machine = _machine(program)
        self._event = self._machine.events.get(_EVENT)

    def begin(self, now: float) -> Conversation:
        """A conversation in which nothing was said yet."""
        return Conversation(self.program.start, dict(self.program.vars), began=now, entered=now, last=now)

    def serves(self, turn: Turn) -> bool:
        """Whether this scenario takes a new conversation that begins so."""
        return self.program.serves is None or self.program.serves.holds(self._outside(turn))

    def key(self, turn: Turn) -> str | None:
        """What tells this client's conversation apart, where the scenario says it and the request has it."""
        if self.program.key is None:
            return None
        value = self.program.key.evaluate(self._outside(turn))
        return None if value in (None, "") else value if isinstance(value, str) else json_text(value)

    def advance(self, conversation: Conversation, turn: Turn, moment: Moment) -> Step:
        """What this request gets where the conversation stands, and where it stands then."""
        walker = Walker(self.program, conversation, turn, moment)
        walker.check(self.program.expect)
        while self._fires(walker) and len(walker.passed) <= MOST_PASSES:
            if walker.outcome is not None:
                return walker.answered()
        return walker.missed()

    def diagram(self) -> Diagram:
        """States and edges, for drawing."""
        return Diagram(tuple(self._machine.states), self.program.start, self.program.final, tuple(self.edges()))

    def edges(self) -> Iterator[Edge]:
        """Each rule from each state in which it stands; rules of `always` and `otherwise` stand in all."""
        for taken in self._machine.get_transitions(_EVENT):
            assert isinstance(taken, Taken)
            yield Edge(taken.source, taken.dest or taken.source, taken.rule)

    def _fires(self, walker: Walker) -> bool:
        # A state without rules has no transitions, which the library takes for a mistake.
        if self._event is None or walker.state not in self._event.transitions:
            return False
        return self._event.trigger(walker)

    def _outside(self, turn: Turn) -> Facts:
        return Facts(turn, self.begin(0.0), Chance(self.program.seed, Moment(0.0)))


class Taken(transitions.Transition):
    """A rule in one state. It asks the walker, so that a rule that does not fire costs next to nothing."""

    def __init__(self, source: str, dest: str | None, *_: Any, rule: Rule) -> None:
        # None keeps the state, whatever the library's type says.
        super().__init__(source, dest, before=[self._fire], after=[self._enter])  # type: ignore[arg-type]
        self.rule = rule

    def execute(self, event_data: transitions.EventData) -> bool:
        """Whether the rule fired."""
        return _walker(event_data).allows(self.rule) and super().execute(event_data)

    def _fire(self, event: transitions.EventData) -> None:
        _walker(event).fire(self.rule)

    def _enter(self, event: transitions.EventData) -> None:
        if self.dest:
            _walker(event).enter()


class _Machine(transitions.Machine):
    transition_cls = Taken


def _machine(program: Program) -> transitions.Machine:
    machine = _Machine(model=None, states=list(program.states), initial=None, auto_transitions=False, send_event=True)
    for state, rules in program.states.items():
        for rule in (*program.always, *rules, *program.otherwise):
            # The library takes any name for a state until somebody goes there.
            assert rule.goto is None or rule.goto in program.states, f"rule {rule.name!r} goes to no state"
            machine.add_transition(_EVENT, state, rule.goto, rule=rule)
    return machine


def _walker(event: transitions.EventData) -> Walker:
    assert isinstance(event.model, Walker)
    return event.model


class Walker:
    """One request on its way through the rules; `transitions` moves its `state`, but never learns to know it."""

    __slots__ = (
        *("before", "chance", "facts", "moment", "outcome", "passed", "pattern"),
        *("program", "rule", "stands", "state", "turn", "violations"),
    )

    def __init__(self, program: Program, conversation: Conversation, turn: Turn, moment: Moment) -> None:
        self.program, self.turn, self.moment = program, turn, moment
        self.before = self.stands = conversation
        self.state = conversation.state
        self.chance = Chance(program.seed, moment, program.name)
        self.facts = Facts(turn, conversation, self.chance)
        self.outcome: Reply | Failure | None = None
        self.pattern: Pattern | None = None
        self.rule: Rule | None = None
        self.passed: list[Rule] = []
        self.violations: list[Violation] = []

    # --- what the state machine calls

    def allows(self, rule: Rule) -> bool:
        """Whether *rule* fires on this request."""
        if rule.times is not None and self.stands.fired.get(rule.name, 0) >= rule.times:
            return False
        if rule.when is None:
            return True
        if self.facts.groups:
            self.facts.groups = {}
        return rule.when.holds(self.facts)

    def fire(self, rule: Rule) -> None:
        """What *rule* does, but for its `goto`."""
        self.rule = rule
        self.check(rule.expect)
        self._set(rule)
        if rule.outcome is None:
            self.passed.append(rule)
        else:
            self.outcome = answer.build(rule, self.turn, self.facts, self.chance)
            self._look_at(rule)
        self._count(rule)

    def enter(self) -> None:
        """What a `goto` does."""
        self.stands = replace(self.stands, state=self.state, entered=self.moment.now)
        if self.outcome is None:
            self.facts = self.facts.moved(self.stands)

    # --- what a rule does

    def check(self, conditions: Iterable[Condition]) -> None:
        """Records a violation for each condition that does not hold."""
        if self.moment.replayed:
            return
        groups = self.facts.groups
        for condition in conditions:
            self.facts.groups = dict(groups)
            if not condition.holds(self.facts):
                message = explain.breach(condition, self.facts)
                self.violations.append(Violation("expect", message, where(condition.place)))
        self.facts.groups = groups

    def _set(self, rule: Rule) -> None:
        for name, source in rule.set:
            evaluate = source.build if isinstance(source, Data) else source.evaluate
            value, certain = known(self.facts, source, evaluate)
            loose = self.stands.loose
            if self.moment.replayed or name in loose:
                kept = {*loose} - {name}
                loose = tuple(sorted(kept if certain or not self.moment.replayed else {*kept, name}))
            self.stands = replace(self.stands, vars={**self.stands.vars, name: value}, loose=loose)
            self.facts.knows(self.stands)

    def _look_at(self, rule: Rule) -> None:
        if not isinstance(self.outcome, Reply):
            return
        if not self.moment.replayed:
            self.violations += self._undeclared(rule, self.outcome)
        elif isinstance(rule.outcome, Say | Refuse):
            self.pattern = pattern(rule.outcome, self.outcome, self.facts)

    def _undeclared(self, rule: Rule, reply: Reply) -> Iterator[Violation]:
        """The tools that the rule calls and the client did not declare, where one of both says what tools there are."""
        declared = {tool.name for tool in self.turn.tools}
        calls = rule.outcome.calls if isinstance(rule.outcome, Say) else ()
        made = (part for part in reply.parts if isinstance(part, ToolCall))
        for call, part in zip(calls, made, strict=True):
            if part.tool not in declared and (declared or part.tool in self.program.tools):
                message = f'rule "{rule.name}" calls the tool "{part.tool}", which the request does not declare'
                yield Violation("tools", message, where(call.place))

    def _count(self, rule: Rule) -> None:
        now = self.stands
        self.stands = now = replace(now, fired={**now.fired, rule.name: now.fired.get(rule.name, 0) + 1})
        if isinstance(self.outcome, Reply):
            visits = {**now.visits, now.state: now.visits.get(now.state, 0) + 1}
            self.stands = replace(now, visits=visits, answers=now.answers + 1)

    # --- what came of it

    def answered(self) -> Step:
        """The step of the rule that answered."""
        assert self.rule is not None
        assert self.outcome is not None
        delivery = self.rule.delivery
        return Step(
            before=self.before,
            after=replace(self.stands, last=self.moment.now),
            outcome=self.outcome,
            rule=self.rule,
            passed=tuple(self.passed),
            violations=tuple(self.violations),
            delivery=delivery,
            latency=self.chance.seconds(delivery.latency, f"latency {self.rule.name}"),
            pattern=self.pattern,
        )

    def missed(self) -> Step:
        """The step when nothing answered."""
        unmatched, why = self.program.unmatched, self._why()
        return Step(
            before=self.before,
            after=replace(self.before, last=self.moment.now),
            outcome=Miss(why) if unmatched is None else answer.failure(unmatched, self.facts),
            passed=tuple(self.passed),
            violations=tuple(self.violations),
            missed=why,
        )

    def _why(self) -> str:
        if self.moment.replayed:
            return ""
        if len(self.passed) > MOST_PASSES:
            return explain.cycle(self.program, self.state, self.passed)
        return explain.no_match(self.program, self.facts, self.passed)
