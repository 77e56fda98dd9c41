"""The machine as its checks see it, and all of them, one module each: what states and rules can never do.

A finding is right or it is not made: where a name is unknown, the checks that would have to guess rest.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import Final

from llmposter_dsl.bind import Report
from llmposter_dsl.codes import CODES, modules
from llmposter_dsl.place import Within
from llmposter_dsl.program import Program
from llmposter_dsl.rules import Line, undeclared

_FAMILY: Final = "LP3"


@dataclass(frozen=True)
class Machine:
    """States and rules as the checks see them.

    Attributes:
        program: what was made of the file so far; rules with a mistake are missing.
        states: the rules of each state, as far as they could be read.
        places: where each state's name stands.
        always: the rules before those of the states.
        otherwise: the rules after them.
        entries: where a conversation can begin.
        final: where it may end.
        complete: every way between states is known.
        legible: every expression could be read, so that what uses a name is known.
        variables: the variables that are declared, each with the place of its name.
        tools: the tools likewise.
        read: the variables that something asks for.
        called: the tools that something calls.
        filled: the variables that are filled in, each with its place.
    """

    program: Program
    states: Mapping[str, list[Line]]
    places: Mapping[str, Within]
    always: list[Line]
    otherwise: list[Line]
    entries: tuple[str, ...]
    final: frozenset[str]
    complete: bool
    legible: bool
    variables: Mapping[str, Within]
    tools: Mapping[str, Within]
    read: Collection[str]
    called: Collection[str]
    filled: Collection[tuple[str, Within]] = ()

    @cached_property
    def reached(self) -> frozenset[str]:
        """The states that a conversation may come to; all of them where not every way is known."""
        if not self.complete:
            return frozenset(self.states)
        reached: set[str] = set()
        pending = [state for state in self.entries if state in self.states]
        everywhere = [line.goto for line in (*self.always, *self.otherwise) if line.goto is not None]
        while pending:
            state = pending.pop()
            if state not in reached:
                reached.add(state)
                pending += [line.goto for line in self.states.get(state, []) if line.goto is not None]
                pending += everywhere
        return frozenset(reached)

    def needed(self, state: str) -> bool:
        """Whether something outside of a state that nothing leads to still needs it, or may need one of its rules."""
        if state in self.final or state in self._expected or self._from[state] - {state}:
            return True
        return any(map(self.holds, self.states[state]))

    def holds(self, line: Line) -> bool:
        """Whether a file without this rule may have a mistake more, since a name is known, or asked for, by it.

        What leads there alone makes a state of a name in `scenario.final` that has no rules, and a call that is
        `undeclared` makes a tool.
        """
        if self.counted or undeclared([line]):
            return True
        return line.goto is not None and self.places[line.goto].path[:1] != ("states",)

    @cached_property
    def counted(self) -> bool:
        """Whether something asks how often a rule fired, so that names of rules must stay what they are."""
        return any("fired(" in text for text in {place.source.text for place in self.places.values()})

    @cached_property
    def _expected(self) -> frozenset[str | None]:
        return frozenset(turn.state for example in self.program.examples for turn in example.turns)

    @cached_property
    def _from(self) -> dict[str, set[str]]:
        """By state, the groups that have a rule which goes there."""
        found: dict[str, set[str]] = {state: set() for state in self.states}
        for line in self.lines():
            if line.goto is not None:
                found.setdefault(line.goto, set()).add(line.group)
        return found

    def set_at(self, name: str) -> Iterator[Within]:
        """Where rules set a variable."""
        for line in self.lines():
            if name in (line.table.get("set") or {}):
                yield line.table.at("set").key(name)

    def lines(self) -> Iterator[Line]:
        """Every rule."""
        yield from self.always
        for lines in self.states.values():
            yield from lines
        yield from self.otherwise


def check(machine: Machine, report: Report, wanted: Collection[str] = ()) -> None:
    """Reports what the machine can never do; *wanted* are codes that are looked for only where somebody asks."""
    for code, name in modules("llmposter_dsl.checks"):
        if code.startswith(_FAMILY):
            module = import_module(name)
            if hasattr(module, "check") and (code in wanted or not CODES[code].asked):
                module.check(machine, report)
