"""Where a conversation stands between two requests: states in which no time can have passed when one is tried there.

Either no answer leaves a conversation in a state, so that a request only passes it; or conversations begin there, and
begin with a request. What is switched on later, such as chaos, is not known here.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final

from llmposter.lint.meant import rules
from llmposter_dsl.analysis import Known, contradict, refuted
from llmposter_dsl.expressions.syntax import Name
from llmposter_dsl.program import Duration

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from llmposter.lint.never import Study
    from llmposter_dsl.expressions.syntax import Node
    from llmposter_dsl.program import Rule, Value

_PASSED: Final = ("elapsed",)
_BEGUN: Final = ("elapsed", "idle", "age")
_MOST: Final = 20_000
"""Rules, each in each state, of a program in which this is looked for."""
_MOST_CLAUSES: Final = 32
_FURTHEST: Final = 4
"""States that one request is followed through."""


class Standing:
    """Between which requests of a program time passes."""

    def __init__(self, study: Study) -> None:
        self._study, self._program = study, study.program
        self._entries = {each for each in study.program.states if study.program.begins(each)}

    def no_time(self, state: str) -> tuple[str, ...]:
        """The times that are 0s whenever a request is tried in a state."""
        return self._none_of[state] if state in self._left else ()

    def told(self, state: str) -> str:
        """Why that is."""
        begins = "conversations begin with a request" if state in self._entries else "requests only pass it"
        return f"no time passes in the state `{state}`: {begins}, and no answer leaves them there"

    @cached_property
    def _none_of(self) -> Mapping[str, tuple[str, ...]]:
        """By state the times that are 0s there, if no answer leaves a conversation in it."""
        led_to = {rule.goto for rule in rules(self._program)}
        first = self._entries - led_to
        return {state: _BEGUN if state in first else _PASSED for state in self._program.states}

    @cached_property
    def _left(self) -> frozenset[str]:
        """The states that every request leaves in which it finds them, or only passes."""
        states = [each for each in self._program.states if each in self._study.joined]
        if not any(map(_asks, rules(self._program))):
            return frozenset()
        left = frozenset(states) - {each for each in self._entries if not self._begins(each)}
        if sum(len(self._study.rules(state)) for state in states) > _MOST:
            return frozenset()
        while stood := left.intersection(self._stood(states, left)):
            left -= stood
        return left

    def _stood(self, states: Iterable[str], left: frozenset[str]) -> Iterator[str]:
        """The states in which some answer leaves a conversation, if no time passes in those of *left*."""
        for state in states:
            settled = self._study.settled(state)
            known = none_passed(settled, self._none_of[state]) if state in left else settled
            for rule in self._study.rules(state):
                if not passes(rule) and (rule.goto or state) in left and self._fires(rule, known):
                    yield rule.goto or state

    def _fires(self, rule: Rule, known: Known) -> bool:
        made = self._study.clauses(rule)
        return made is None or any(not contradict(clause, known) for clause in made)

    def _begins(self, entry: str) -> bool:
        """Whether no request stays unanswered where conversations begin: it would be asked again there, later."""
        return self._program.chaos is None and self._answers(entry, frozenset())

    def _answers(self, state: str, passed: frozenset[str]) -> bool:
        """Whether every request that is tried in a state is answered, there or where it is handed on to."""
        tried, beyond = self._study.rules(state), passed | {state}
        taken = [clause for rule in tried if rule.times is None for clause in self._study.clauses(rule) or ()]
        if () not in taken and (len(taken) > _MOST_CLAUSES or not refuted((), taken, self._study.settled(state))):
            return False
        on = {rule.goto for rule in tried if passes(rule) and rule.goto is not None}
        return len(beyond) <= _FURTHEST and not on & beyond and all(self._answers(each, beyond) for each in on)


def none_passed(known: Known, times: Iterable[str]) -> Known:
    """What is known, and that these times are 0s."""
    zero: dict[Node, tuple[Value, ...]] = {Name(name): (Duration(0),) for name in times}
    return Known({**known.values, **zero}, known.kinds)


def passes(rule: Rule) -> bool:
    """Whether it only hands a request on."""
    return rule.outcome is None and not rule.faults


def _asks(rule: Rule) -> bool:
    """Whether its condition asks for a time."""
    return rule.when is not None and any(name in rule.when.text for name in _BEGUN)
