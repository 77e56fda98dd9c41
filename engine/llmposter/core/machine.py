"""A Program as a state machine: one request goes in with where its conversation stands, one step comes out.

Pure: the same input gives the same step, and nothing is remembered between two. The only module that knows `transitions`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import transitions
from msgspec.structs import replace

from llmposter.core import answer
from llmposter.core.chance import Chance
from llmposter.core.conversation import Conversation, Moment, Step
from llmposter.core.facts import Facts
from llmposter.model import Miss, Reply, Violation
from llmposter_dsl.place import where
from llmposter_dsl.program import Data

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from llmposter.model import Failure, Message, Turn
    from llmposter_dsl.program import Condition, Program, Rule

MOST_PASSES: Final = 100
"""Pass-through rules that one request may take."""


class Walker:
    """One request on its way through the rules; what `transitions` calls a model, though it never learns to know it."""

    __slots__ = (
        "conversation",
        "facts",
        "moment",
        "outcome",
        "passed",
        "program",
        "rule",
        "state",
        "turn",
        "violations",
    )

    def __init__(self, program: Program, conversation: Conversation, turn: Turn, moment: Moment) -> None:
        self.program, self.turn, self.moment = program, turn, moment
        self.state = conversation.state
        self.conversation = conversation
        self.facts = Facts(turn, conversation, Chance(program.seed, moment))
        self.outcome: Reply | Failure | None = None
        self.rule: Rule | None = None
        self.passed: list[Rule] = []
        self.violations: list[Violation] = []

    def allows(self, rule: Rule) -> bool:
        """Whether *rule* fires now."""
        if rule.times is not None and self.conversation.fired.get(rule.name, 0) >= rule.times:
            return False
        self.facts.groups = {}
        return rule.when is None or rule.when.holds(self.facts)

    def fire(self, rule: Rule) -> None:
        """What a rule does before its `goto`."""
        self.expect(rule.expect)
        self._set(rule)
        self.rule = rule
        if rule.outcome is None:
            self.passed.append(rule)
        else:
            self.outcome = answer.build(rule, self.turn, self.facts, Chance(self.program.seed, self.moment))
        self._count(rule)

    def enter(self) -> None:
        """What a `goto` does, after the rule's own state was left."""
        self._move(replace(self.conversation, state=self.state, entered=self.moment.now))

    def expect(self, conditions: Iterable[Condition]) -> None:
        """Records a violation for each condition that does not hold."""
        if self.moment.replayed:
            return
        groups = self.facts.groups
        for condition in conditions:
            self.facts.groups = dict(groups)
            if not condition.holds(self.facts):
                self.violations.append(Violation("expect", condition.text, where(condition.place)))
        self.facts.groups = groups

    def _set(self, rule: Rule) -> None:
        for name, value in rule.set:
            new = value.build(self.facts) if isinstance(value, Data) else value.evaluate(self.facts)
            self.conversation = replace(self.conversation, vars={**self.conversation.vars, name: new})
            self.facts.vars = self.conversation.vars

    def _count(self, rule: Rule) -> None:
        now = self.conversation
        fired = {**now.fired, rule.name: now.fired.get(rule.name, 0) + 1}
        if isinstance(self.outcome, Reply):
            visits = {**now.visits, now.state: now.visits.get(now.state, 0) + 1}
            self.conversation = replace(now, fired=fired, visits=visits, answers=now.answers + 1)
        else:
            self.conversation = replace(now, fired=fired)

    def _move(self, conversation: Conversation) -> None:
        self.conversation = conversation
        self.facts = self.facts.moved(conversation)


class Machine:
    """One Program, ready to answer."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._machine = _machine(program)
        self._turn = self._machine.events.get("turn")

    def begin(self, now: float) -> Conversation:
        """A conversation of which nothing was said yet."""
        program = self.program
        return Conversation(program.start, dict(program.vars), began=now, entered=now, last=now)

    def serves(self, turn: Turn) -> bool:
        """Whether this scenario takes a new conversation that begins so."""
        return self.program.serves is None or self.program.serves.holds(self._outside(turn))

    def key(self, turn: Turn) -> str | None:
        """What tells this client's conversation apart, where the scenario says and the request has it."""
        if self.program.key is None:
            return None
        value = self.program.key.evaluate(self._outside(turn))
        return str(value) if value not in (None, "") else None

    def same(self, step: Step, message: Message) -> bool:
        """See `answer.same`."""
        return answer.same(step, message)

    def advance(self, conversation: Conversation, turn: Turn, moment: Moment) -> Step:
        """What this request gets where the conversation stands, and where it stands then."""
        walker = Walker(self.program, conversation, turn, moment)
        walker.expect(self.program.expect)
        while len(walker.passed) <= MOST_PASSES and self._takes(walker):
            if walker.outcome is not None:
                return self._answered(conversation, walker)
        return self._missed(conversation, walker)

    def _takes(self, walker: Walker) -> bool:
        # A state without any rule has no transitions, which the library takes for a mistake.
        if self._turn is None or walker.state not in self._turn.transitions:
            return False
        return bool(self._turn.trigger(walker))

    def _answered(self, before: Conversation, walker: Walker) -> Step:
        assert walker.rule is not None
        assert walker.outcome is not None
        delivery = walker.rule.delivery
        return Step(
            before=before,
            after=replace(walker.conversation, last=walker.moment.now),
            outcome=walker.outcome,
            rule=walker.rule,
            passed=tuple(walker.passed),
            violations=tuple(walker.violations),
            delivery=delivery,
            latency=Chance(self.program.seed, walker.moment).seconds(delivery.latency, "latency"),
        )

    def _missed(self, before: Conversation, walker: Walker) -> Step:
        message = f'no rule of scenario "{self.program.name}", state "{walker.state}" matches'
        return Step(
            before=before,
            after=replace(before, last=walker.moment.now),
            outcome=Miss(message),
            passed=tuple(walker.passed),
            violations=tuple(walker.violations),
        )

    def _outside(self, turn: Turn) -> Facts:
        return Facts(turn, self.begin(0.0), Chance(self.program.seed, Moment(0.0)))


def _machine(program: Program) -> Any:
    machine = transitions.Machine(
        model=None, states=list(program.states), initial=None, auto_transitions=False, send_event=True
    )
    for state, rules in program.states.items():
        for rule in (*program.always, *rules, *program.otherwise):
            machine.add_transition(
                "turn",
                state,
                rule.goto,
                conditions=[_condition(rule)],
                before=[_before(rule)],
                after=[_entered] if rule.goto is not None else [],
            )
    return machine


def _condition(rule: Rule) -> Callable[[Any], bool]:
    return lambda event: bool(event.model.allows(rule))


def _before(rule: Rule) -> Callable[[Any], None]:
    return lambda event: event.model.fire(rule)


def _entered(event: Any) -> None:
    event.model.enter()
