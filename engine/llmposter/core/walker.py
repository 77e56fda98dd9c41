"""One request on its way through the rules: what a rule allows, does and leaves behind.

Pure: whoever moves it, the tables or the state machine, says only which rule is tried next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from msgspec.structs import replace

from llmposter.core import answer, pacing
from llmposter.core.chance import Chance
from llmposter.core.conversation import Conversation, Moment, Step, counted
from llmposter.core.facts import Facts
from llmposter.core.pattern import known, pattern
from llmposter.model import Miss, Reply, ToolCall, Violation
from llmposter_dsl.place import where
from llmposter_dsl.program import Data, Refuse, Say

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from llmposter.core.conversation import Pattern
    from llmposter.model import Failure, Turn
    from llmposter_dsl.program import Call, Condition, Program, Rule

MOST_PASSES: Final = 100
"""Pass-through rules that one request may take."""


class Walker(msgspec.Struct, eq=False):
    """One request; `transitions` too can move its `state`, but never learns to know it."""

    program: Program
    before: Conversation
    turn: Turn
    moment: Moment
    chance: Chance
    facts: Facts
    stands: Conversation
    state: str
    outcome: Reply | Failure | None = None
    pattern: Pattern | None = None
    rule: Rule | None = None
    passed: tuple[Rule, ...] = ()
    violations: tuple[Violation, ...] = ()

    @classmethod
    def of(cls, program: Program, stands: Conversation, turn: Turn, moment: Moment) -> Walker:
        chance = Chance(program.seed, moment, program.name)
        return cls(program, stands, turn, moment, chance, Facts(turn, stands, chance), stands, stands.state)

    # --- what the tables or the state machine call

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
        if rule.expect:
            self.check(rule.expect)
        if rule.set:
            self._set(rule)
        if rule.outcome is None and not rule.faults:
            self.passed += (rule,)
        else:
            self.outcome = outcome = answer.build(rule, self.turn, self.facts, self.chance)
            if isinstance(outcome, Reply):
                if self.moment.replayed:
                    self._expect(rule, outcome)
                elif isinstance(rule.outcome, Say) and rule.outcome.calls:
                    self.violations += tuple(self._undeclared(rule, rule.outcome.calls, outcome))

    def settle(self, rule: Rule) -> None:
        """What *rule* leaves behind, once its `goto` has moved `state`: one more conversation, made at once."""
        was, now, outcome = self.stands, self.moment.now, self.outcome
        answered = isinstance(outcome, Reply)
        visits = counted(was.visits, was.state) if answered else was.visits
        self.stands = Conversation(
            self.state,
            was.vars,
            visits,
            counted(was.fired, rule.name),
            was.answers + answered,
            was.began,
            was.entered if rule.goto is None else now,
            was.last if outcome is None else now,
            was.loose,
        )
        if outcome is None:
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
                from llmposter.core import explain

                message = explain.breach(condition, self.facts)
                self.violations += (Violation("expect", message, where(condition.place)),)
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

    def _expect(self, rule: Rule, reply: Reply) -> None:
        """What the reply is compared by, where it cannot be as it is."""
        if isinstance(rule.outcome, Say | Refuse):
            self.pattern = pattern(rule.outcome, reply, self.facts)

    def _undeclared(self, rule: Rule, calls: Sequence[Call], reply: Reply) -> Iterator[Violation]:
        """The tools that the rule calls and the client did not declare, where one of both says what tools there are."""
        declared = {tool.name for tool in self.turn.tools}
        made = (part for part in reply.parts if isinstance(part, ToolCall))
        for call, part in zip(calls, made, strict=True):
            if call.undeclared:
                continue
            if part.tool not in declared and (declared or part.tool in self.program.tools):
                message = f'rule "{rule.name}" calls the tool "{part.tool}", which the request does not declare'
                yield Violation("tools", message, where(call.place))

    # --- what came of it

    def answered(self) -> Step:
        """The step of the rule that answered."""
        assert self.rule is not None
        assert self.outcome is not None
        rule, delivery, latency = self.rule, self.rule.delivery, 0.0
        if delivery.latency is not None:
            latency = self.chance.seconds(delivery.latency, f"latency {rule.name}")
        flow, faults = delivery.flow, rule.faults
        if (unsteady := rule.unsteady) is not None:
            place = f"unsteady {rule.name}" if unsteady.seed is None else f"unsteady {unsteady.seed}"
            if self.chance.unit(place) < unsteady.rate:
                flow, faults = unsteady.flow or flow, unsteady.faults or faults
        rhythm = None if flow is None else pacing.rhythm(flow, self.chance, rule.name)
        before, after, outcome, violations = self.before, self.stands, self.outcome, self.violations
        pattern = self.pattern
        return Step(
            before, after, outcome, rule, self.passed, violations, delivery, latency, "", pattern, rhythm, faults
        )

    def missed(self) -> Step:
        """The step when nothing answered."""
        unmatched, why = self.program.unmatched, self._why()
        return Step(
            before=self.before,
            after=replace(self.before, last=self.moment.now),
            outcome=Miss(why) if unmatched is None else answer.failure(unmatched, self.facts),
            passed=self.passed,
            violations=self.violations,
            missed=why,
        )

    def _why(self) -> str:
        if self.moment.replayed:
            return ""
        from llmposter.core import explain

        if len(self.passed) > MOST_PASSES:
            return explain.cycle(self.program, self.state, self.passed)
        return explain.no_match(self.program, self.facts, self.passed)
