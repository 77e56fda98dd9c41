"""What the examples of a scenario covered: an author sees what no example has tried yet.

As data it is JSON that `llmposter graph` reads again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from llmposter.lint.branches import leaves
from llmposter.lint.covered import Covered, all_of
from llmposter.model import Struct
from llmposter_dsl.place import Within

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from llmposter.lint.player import ExampleResult
    from llmposter_dsl.place import Place
    from llmposter_dsl.program import Program, Rule


class BranchCovered(Struct, frozen=True):
    """A part of a condition, and how many requests it held and did not hold for."""

    text: str
    place: Place
    true: int
    false: int

    @property
    def missing(self) -> tuple[str, ...]:
        """What it never came to."""
        return tuple(word for word, count in (("true", self.true), ("false", self.false)) if not count)


class RuleCovered(Struct, frozen=True):
    """A rule, and how often it fired, by the state that it fired in."""

    rule: Rule
    fired: Mapping[str, int]
    branches: tuple[BranchCovered, ...] = ()


class StateCovered(Struct, frozen=True):
    """A state, and how many requests were in it or came through it."""

    name: str
    place: Place
    requests: int


class Share(NamedTuple):
    """So many of so many."""

    covered: int
    total: int

    def __str__(self) -> str:
        return f"{self.covered}/{self.total}"

    @property
    def percent(self) -> float:
        """All of nothing is all."""
        return 100 * self.covered / self.total if self.total else 100.0


class Coverage(Struct, frozen=True):
    """What the examples of one scenario covered; *branches* were looked at, or not."""

    program: Program
    states: tuple[StateCovered, ...]
    rules: tuple[RuleCovered, ...]
    branches: bool

    def shares(self) -> dict[str, Share]:
        """Of states, of rules, and of branches where they were looked at: each part of a condition has two."""
        found = {
            "states": _share(each.requests for each in self.states),
            "rules": _share(len(each.fired) for each in self.rules),
        }
        if self.branches:
            parts = [part for each in self.rules for part in each.branches]
            found["branches"] = _share(count for part in parts for count in (part.true, part.false))
        return found


def coverage(program: Program, results: Sequence[ExampleResult], *, branches: bool = False) -> Coverage:
    """What *results* covered; they have to know *branches* where these are asked for."""
    covered = all_of(result.covered for result in results)
    states = tuple(StateCovered(name, _place(program, name), covered.states[name]) for name in program.states)
    rules = tuple(_rule(rule, covered, branches=branches) for rule in every_rule(program))
    return Coverage(program, states, rules, branches)


def every_rule(program: Program) -> Iterator[Rule]:
    """The rules of a scenario, in the order in which they are tried."""
    yield from program.always
    for rules in program.states.values():
        yield from rules
    yield from program.otherwise


def total(several: Iterable[Coverage]) -> Share:
    """All that was looked at, together."""
    shares = [share for each in several for share in each.shares().values()]
    return Share(sum(share.covered for share in shares), sum(share.total for share in shares))


def data(coverage: Coverage) -> dict[str, Any]:
    """As JSON data."""
    return {
        "scenario": coverage.program.name,
        "file": coverage.program.place.source.name,
        "totals": {name: {"covered": share.covered, "total": share.total} for name, share in coverage.shares().items()},
        "states": [{"name": each.name, **located(each.place), "requests": each.requests} for each in coverage.states],
        "rules": [_rule_data(each, branches=coverage.branches) for each in coverage.rules],
    }


def located(place: Place) -> dict[str, Any]:
    """The file, line and column of a place."""
    line, column = place.source.position(place.span.start)
    return {"file": place.source.name, "line": line, "column": column}


def _rule_data(each: RuleCovered, *, branches: bool) -> dict[str, Any]:
    told = {"name": each.rule.name, **located(each.rule.place), "fired": dict(each.fired)}
    if branches:
        told["branches"] = [
            {"condition": part.text, **located(part.place), "true": part.true, "false": part.false}
            for part in each.branches
        ]
    return told


def _rule(rule: Rule, covered: Covered, *, branches: bool) -> RuleCovered:
    fired = {state: count for (state, name), count in covered.rules.items() if name == rule.name}
    if not branches:
        return RuleCovered(rule, fired)
    count = covered.branches
    parts = tuple(
        BranchCovered(each.text, each.place, count[rule.name, path, True], count[rule.name, path, False])
        for path, each in leaves(rule)
    )
    return RuleCovered(rule, fired, parts)


def _share(counts: Iterable[int]) -> Share:
    every = list(counts)
    return Share(sum(count > 0 for count in every), len(every))


def _place(program: Program, state: str) -> Place:
    """The key of a state; its first rule where an included file brings it."""
    rules: tuple[Rule, ...] = program.states[state]
    place = program.place
    if isinstance(place, Within) and not (rules and rules[0].place.source is not place.source):
        return place.key("states", state)
    return rules[0].place if rules else place
