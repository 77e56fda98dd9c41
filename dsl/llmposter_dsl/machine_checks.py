"""The machine's checks: what the states and rules of a scenario can never do, whatever a client sends.

A finding is right or it is not made: where a name is unknown, the checks that would have to guess rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from llmposter_dsl import words
from llmposter_dsl.bind import Report
from llmposter_dsl.diagnostic import Diagnostic, Related
from llmposter_dsl.place import Within, assigned
from llmposter_dsl.rules import Line


class Machine(NamedTuple):
    """States and rules as the checks see them.

    Attributes:
        states: the rules of each state, as far as they could be read. places: where each state's rules stand.
        entries: where a conversation can begin.
        complete: every way between states is known.
    """

    states: Mapping[str, list[Line]]
    places: Mapping[str, Within]
    always: list[Line]
    otherwise: list[Line]
    entries: tuple[str, ...]
    final: frozenset[str]
    complete: bool


def check(machine: Machine, report: Report) -> None:
    """Reports what the machine can never do."""
    reached = _reached(machine)
    if machine.complete:
        _unreachable(machine, reached, report)
    _dead_ends(machine, reached if machine.complete else set(machine.states), report)
    _shadowed(machine, reached, report)
    _cycles(machine, report)


def _reached(machine: Machine) -> set[str]:
    reached: set[str] = set()
    pending = [state for state in machine.entries if state in machine.states]
    everywhere = [line.goto for line in (*machine.always, *machine.otherwise) if line.goto is not None]
    while pending:
        state = pending.pop()
        if state not in reached:
            reached.add(state)
            pending += [line.goto for line in machine.states.get(state, []) if line.goto is not None]
            pending += everywhere
    return reached


def _unreachable(machine: Machine, reached: set[str], report: Report) -> None:
    for state in machine.states:
        if state not in reached:
            wanted = assigned("goto", f'"{state}"', machine.places[state])
            help_ = f"no {wanted} stands in a state that can be reached"
            report(
                Diagnostic("LP301", f"no conversation ever reaches the state `{state}`", machine.places[state], help_)
            )


def _dead_ends(machine: Machine, reached: set[str], report: Report) -> None:
    if machine.always or machine.otherwise:
        return
    for state, lines in machine.states.items():
        if not lines and state in reached and state not in machine.final:
            message = f"the state `{state}` has no rules and is not final"
            help_ = "give it a rule, or name it in `scenario.final`"
            report(Diagnostic("LP303", message, machine.places[state], help_))


def _shadowed(machine: Machine, reached: set[str], report: Report) -> None:
    for lines in (machine.always, *machine.states.values(), machine.otherwise):
        for line, cover in _covered(lines):
            same = "has the same `when`" if not cover.certain else "always fires"
            _never(line, cover, f"an earlier rule {same}", report)
    stop = next((line for line in machine.always if line.certain), None)
    if stop is not None:
        for lines in (*machine.states.values(), machine.otherwise):
            for line in lines:
                _never(line, stop, "a rule of `always` always fires", report)
        return
    reachable = {state: lines for state, lines in machine.states.items() if state in reached}
    stops = {state: next((line for line in lines if line.certain), None) for state, lines in reachable.items()}
    first = next((stop for stop in stops.values() if stop is not None), None)
    if first is not None and machine.complete and all(stops.values()):
        for line in machine.otherwise:
            _never(line, first, "every state has a rule that always fires", report)


def _covered(lines: list[Line]) -> Iterator[tuple[Line, Line]]:
    """Rules of one list that can never fire, each with the earlier one that takes all its requests."""
    stop: Line | None = None
    conditions: dict[str, Line] = {}
    for line in lines:
        when = line.table.get("when")
        cover = stop or (conditions.get(when) if isinstance(when, str) and not line.volatile else None)
        if cover is not None:
            yield line, cover
        elif "times" in line.table.written:
            continue
        elif line.certain:
            stop = line
        elif isinstance(when, str):
            conditions[when] = line


def _never(line: Line, cover: Line, why: str, report: Report) -> None:
    related = (Related(cover.place, f"{words.shown(cover.name)} stands here"),)
    report(Diagnostic("LP302", f"the rule {words.shown(line.name)} can never fire: {why}", line.place, None, related))


def _cycles(machine: Machine, report: Report) -> None:
    """States that hand a request on to each other for ever, since the first rule of each always does."""
    steps = {state: line for state, lines in machine.states.items() if (line := _hands_on(machine, lines)) is not None}
    done: set[str] = set()
    for state in steps:
        path: list[str] = []
        at: str | None = state
        while at is not None and at in steps and at not in done and at not in path:
            path.append(at)
            at = steps[at].goto
        if at is not None and at in path:
            _cycle(path[path.index(at) :], steps, report)
        done.update(path)


def _hands_on(machine: Machine, lines: list[Line]) -> Line | None:
    first = next(iter((*machine.always, *lines, *machine.otherwise)), None)
    return first if first is not None and first.certain and first.passes and first.goto is not None else None


def _cycle(states: list[str], steps: Mapping[str, Line], report: Report) -> None:
    unique = list(dict.fromkeys(id(steps[state]) for state in states))
    lines = {id(steps[state]): steps[state] for state in states}
    first, *others = (lines[each] for each in unique)
    if len(states) == 1:
        message = f"the state `{states[0]}` hands every request on to itself for ever"
    else:
        message = f"the states {words.listed(states, 'and')} hand every request on to each other for ever"
    related = tuple(Related(line.table.at("goto"), "and from here") for line in others)
    help_ = "one of the rules has to answer, or to have a `when`"
    report(Diagnostic("LP304", message, first.table.at("goto"), help_, related))
