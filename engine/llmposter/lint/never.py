"""Rules that no request can fire, and states that no conversation comes to, with the requests that show it.

A rule is tried with a request made for it. If a rule before it takes that, a request is made that the other leaves
alone, and so on, until a request gets through or it is sure that none does. So rules are never tried in pairs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache, partial
from typing import TYPE_CHECKING, Final

from llmposter.core.tables import Tables
from llmposter.lint.standing import Standing, none_passed
from llmposter.lint.witness import Wanted, witnesses
from llmposter_dsl import words
from llmposter_dsl.analysis import Clause, Known, clauses, contradict, refuted, ways
from llmposter_dsl.analysis.variables import kinds, set_before, variables
from llmposter_dsl.expressions.syntax import Name

if TYPE_CHECKING:
    from collections.abc import Callable

    from llmposter.lint.witness import Witness
    from llmposter_dsl.expressions.syntax import Node
    from llmposter_dsl.program import Program, Rule, Value
    from llmposter_dsl.types import Kind

_MOST_TAKERS: Final = 8
"""Rules that together may leave nothing to another."""
_MOST_PLACES: Final = 2_000
"""Rules of `always` and `otherwise`, each in each state, that are looked at."""

_MOST_TRIES: Final = 150_000
"""Conditions of one program that are tried on the requests that are made."""


@dataclass(frozen=True, slots=True)
class Never:
    """A rule that no request fires in a state.

    Attributes:
        by: the rules before it that take all of its requests; empty where its condition never holds.
        witness: a request for it. taker: the rule that fires on that.
    """

    rule: Rule
    state: str
    by: tuple[Rule, ...] = ()
    witness: Witness | None = None
    taker: Rule | None = None


@dataclass(slots=True)
class _Case:
    """One clause of a rule's condition, and what is taken from it."""

    by: list[Rule] = field(default_factory=list)
    taken: list[Clause] = field(default_factory=list)
    used_up: dict[str, int] = field(default_factory=dict)
    witness: Witness | None = None


def _witness(wanted: Wanted, clause: Clause, case: _Case) -> Witness | None:
    for way in ways(clause, case.taken, wanted.known):
        if (made := next(witnesses(wanted, way, case.used_up), None)) is not None:
            return made
    return None


@lru_cache(maxsize=4)
def studied(program: Program) -> Study:
    """What is found out about a program, kept for the checks that ask."""
    return Study(program)


class Study:
    """What the rules of one program can do."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.tables = Tables(program)
        self._clauses: dict[int, tuple[Clause, ...] | None] = {}
        self._found: dict[str, dict[str, Never]] = {}
        self._left = _MOST_TRIES
        self._places: dict[str, dict[str, int]] = {}
        self._settled: dict[str, Known] = {}
        self._known: dict[str, Known] = {}
        self.standing = Standing(self)

    @cached_property
    def reached(self) -> frozenset[str]:
        """The states that a conversation may come to by rules that may fire."""
        return self._reached(lambda state, rule: rule.name not in self.never(state))

    @cached_property
    def joined(self) -> frozenset[str]:
        """The states that a conversation might come to if every rule could fire."""
        return self._reached(lambda *_: True)

    def _reached(self, fires: Callable[[str, Rule], bool]) -> frozenset[str]:
        program, reached = self.program, set[str]()
        pending = [each for each in program.states if program.begins(each)]
        while pending:
            state = pending.pop()
            if state not in reached:
                reached.add(state)
                pending += [each.goto for each in self.rules(state) if each.goto is not None and fires(state, each)]
        return frozenset(reached)

    def rules(self, state: str) -> tuple[Rule, ...]:
        """The rules that are tried in a state, in order."""
        program = self.program
        return (*program.always, *program.states[state], *program.otherwise)

    @property
    def _everywhere(self) -> bool:
        """Whether the rules of all states are few enough to be looked at in each of them."""
        program = self.program
        return len(program.states) * len((*program.always, *program.otherwise)) <= _MOST_PLACES

    def never(self, state: str) -> dict[str, Never]:
        """By name the rules that no request fires in a state."""
        if state not in self._found:
            program = self.program
            some = self.rules(state) if self._everywhere else program.states[state]
            some = some if self._affordable(state) else ()
            found = (self._never(rule, state, self.known(state)) for rule in some)
            self._found[state] = {each.rule.name: each for each in found if each is not None}
        return self._found[state]

    def _affordable(self, state: str) -> bool:
        """Whether the index finds few enough rules for each request; such states are left alone otherwise."""
        rules = self.rules(state)
        needs = Counter(need for rule in rules if rule.when is not None for need in rule.when.needs)
        untold = sum(rule.when is None or not rule.when.needs for rule in rules)
        cost = untold * len(rules) + sum(count * count for count in needs.values())
        self._left -= cost
        return self._left >= 0

    def known(self, state: str) -> Known:
        """What is known of every request in a state."""
        if state not in self._known:
            self._known[state] = none_passed(self.settled(state), self.standing.no_time(state))
        return self._known[state]

    def settled(self, state: str) -> Known:
        """The same but for times: the state, and what variables can hold there."""
        if state not in self._settled:
            first: dict[Node, tuple[Value, ...]] = {
                Name(name): (self.program.vars[name],) for name in self._unset(state)
            }
            self._settled[state] = Known({Name("state"): (state,), **self._variables, **first}, self._kinds)
        return self._settled[state]

    def _unset(self, state: str) -> Iterator[str]:
        """The variables that nothing can have set when a request is tried in a state."""
        return (name for name in self.program.vars if name not in self._set_before[state])

    def why(self, never: Never) -> str | None:
        """Why no request is as the condition of a rule wants it, where that is the state's doing."""
        state, made = never.state, self.clauses(never.rule) or ()
        if any(not contradict(each, self.settled(state)) for each in made):
            return self.standing.told(state)
        if any(not contradict(each, Known({Name("state"): (state,), **self._variables}, self._kinds)) for each in made):
            asked = {atom.subject for clause in made for atom, _ in clause}
            names = tuple(name for name in self._unset(state) if Name(name) in asked)
            return f"no rule can have set {words.listed(names)} before" if names else None
        return None

    def live(self, state: str) -> tuple[Rule, ...]:
        """The rules that may fire in a state, in order."""
        never = self.never(state)
        return tuple(rule for rule in self.rules(state) if rule.name not in never)

    def gap(self, state: str) -> Witness | None:
        """A request that no rule of a state takes, where one was found."""
        case, wanted = _Case(), Wanted(self.program, state, None, self.known(state))
        while len(case.by) <= _MOST_TAKERS:
            witness = _witness(wanted, (), case)
            first = None if witness is None else self.tables.meets(witness.stands, witness.turn, witness.moment)
            if first is None or not self._takes(first, case):
                return witness if first is None else None
        return None

    def _takes(self, first: Rule, case: _Case) -> bool:
        """Notes what a rule takes; false where that is not known, or was known before."""
        if first.times is not None:
            known = first.name in case.used_up
            case.used_up[first.name] = first.times
            return not known
        taken = self.clauses(first)
        if taken is None or first in case.by:
            return False
        case.by.append(first)
        case.taken += taken
        return True

    def nowhere(self) -> Iterator[Never]:
        """The rules that no request fires in any of the states that conversations come to."""
        program, states = self.program, [each for each in self.program.states if each in self.reached]
        if not states:
            return
        for state in states:
            own = {rule.name for rule in program.states[state]}
            yield from (each for name, each in self.never(state).items() if name in own)
        for rule in (*program.always, *program.otherwise):
            found = [self.never(state).get(rule.name) for state in states]
            if found[0] is not None and all(found):
                yield found[0]

    @cached_property
    def _set_before(self) -> Mapping[str, frozenset[str]]:
        return set_before(self.program)

    @cached_property
    def _variables(self) -> dict[Node, tuple[Value, ...]]:
        return {Name(name): values for name, values in variables(self.program).items()}

    @cached_property
    def _kinds(self) -> dict[Node, frozenset[Kind]]:
        return {Name(name): each for name, each in kinds(self.program).items()}

    def _never(self, rule: Rule, state: str, known: Known) -> Never | None:
        made = self.clauses(rule)
        if made is None:
            return None
        possible = [each for each in made if not contradict(each, known)]
        found: list[_Case] = []
        for clause in possible:
            case = self._case(Wanted(self.program, state, rule, known), clause, self._place(state, rule))
            if case is None:
                return None
            found.append(case)
        if not found:
            return Never(rule, state)
        by = sorted({each.name: each for case in found for each in case.by}.values(), key=partial(self._place, state))
        return Never(rule, state, tuple(by), found[0].witness, found[0].by[0])

    def _case(self, wanted: Wanted, clause: Clause, place: int) -> _Case | None:
        """What takes all that passes the clause; None where something gets through, or nothing is sure."""
        case = _Case()
        while len(case.by) <= _MOST_TAKERS:
            witness = _witness(wanted, clause, case)
            if witness is None:
                return None
            first = self.tables.meets(witness.stands, witness.turn, witness.moment)
            if first is None or self._place(wanted.state, first) >= place or not self._takes(first, case):
                return None
            case.witness = case.witness or (witness if first in case.by else None)
            if case.by and refuted(clause, case.taken, wanted.known):
                return case
        return None

    def _place(self, state: str, rule: Rule) -> int:
        """How many rules are tried before it."""
        if state not in self._places:
            self._places[state] = {each.name: number for number, each in enumerate(self.rules(state))}
        return self._places[state][rule.name]

    def clauses(self, rule: Rule) -> tuple[Clause, ...] | None:
        """The clauses of a rule's condition; None where they are not known."""
        key = id(rule)
        if key not in self._clauses:
            self._clauses[key] = self._read(rule)
        return self._clauses[key]

    def _read(self, rule: Rule) -> tuple[Clause, ...] | None:
        if rule.when is None:
            return ((),)
        return None if rule.when.apart is None else clauses(rule.when.apart().node)


def always(rule: Rule) -> bool:
    """Whether it fires whenever it is tried, as anybody can see."""
    return rule.times is None and (rule.when is None or rule.when.text.strip() == "true")


def plainly(program: Program, never: Never) -> bool:
    """Whether the language finds it by itself: a rule that always fires, or has the same text, stands before it."""
    rule = never.rule
    if rule.group != "always" and any(map(always, program.always)):
        return True
    if rule.group == "otherwise" and all(any(map(always, rules)) for rules in program.states.values()):
        return True
    before = _before(program, rule)
    return any(always(each) or (each.times is None and _same(each, rule)) for each in before)


def _before(program: Program, rule: Rule) -> Sequence[Rule]:
    lists = {"always": program.always, "otherwise": program.otherwise}
    rules = lists.get(rule.group) or program.states.get(rule.group, ())
    return rules[: rules.index(rule)]


def _same(one: Rule, other: Rule) -> bool:
    if one.when is None or other.when is None or other.when.volatile:
        return False
    return one.when.text == other.when.text
