"""A Program frozen into tables: a request goes in with where its conversation stands, and one step comes out.

Pure: the same input gives the same step, and nothing is remembered between two. `core.machine` says the same with a
state machine, and a property test keeps the two equal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmposter.core.chance import Chance
from llmposter.core.conversation import Conversation, Counts, Moment, Step
from llmposter.core.facts import Facts
from llmposter.core.index import FEWEST, Index
from llmposter.core.pattern import json_text
from llmposter.core.walker import MOST_PASSES, Walker

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llmposter.model import Turn
    from llmposter_dsl.program import Program, Rule


class Tables:
    """One Program, ready to answer."""

    def __init__(self, program: Program) -> None:
        self.program = program
        # No step changes a mapping, so that all conversations can begin with the same one.
        self._vars, self._none = dict(program.vars), Counts()
        self._lists = {
            state: _lists(program.always, rules, program.otherwise) for state, rules in program.states.items()
        }
        self._indexes: dict[int, Index] = {}

    def begin(self, now: float) -> Conversation:
        """A conversation in which nothing was said yet."""
        return Conversation(self.program.start, self._vars, self._none, self._none, 0, now, now, now)

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
        walker = Walker.of(self.program, conversation, turn, moment)
        if self.program.expect:
            walker.check(self.program.expect)
        while len(walker.passed) <= MOST_PASSES and (rule := self._first(walker)) is not None:
            walker.fire(rule)
            if rule.goto is not None:
                walker.state = rule.goto
            walker.settle(rule)
            if walker.outcome is not None:
                return walker.answered()
        return walker.missed()

    def meets(self, conversation: Conversation, turn: Turn, moment: Moment) -> Rule | None:
        """The rule that this request fires first where the conversation stands."""
        return self._first(Walker.of(self.program, conversation, turn, moment))

    def _first(self, walker: Walker) -> Rule | None:
        """The rule that fires next."""
        for rules in self._lists.get(walker.state, ()):
            for rule in rules if len(rules) < FEWEST else self._index(rules).candidates(walker.facts):
                if walker.allows(rule):
                    return rule
        return None

    def _index(self, rules: Sequence[Rule]) -> Index:
        # Made when first asked, so that no start waits for it. The Program keeps the lists, so that an id stays theirs.
        if (index := self._indexes.get(id(rules))) is None:
            index = self._indexes[id(rules)] = Index(rules)
        return index

    def _outside(self, turn: Turn) -> Facts:
        return Facts(turn, self.begin(0.0), Chance(self.program.seed, Moment(0.0)))


def _lists(*lists: Sequence[Rule]) -> tuple[Sequence[Rule], ...]:
    return tuple(rules for rules in lists if rules)
