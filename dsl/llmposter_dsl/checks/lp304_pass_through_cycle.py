"""Rules without an answer that lead to each other for ever.

## Why it is a mistake

A request that comes here would never be answered.

## Example

```toml
[[states.one]]
goto = "two"  # LP304

[[states.two]]
goto = "one"
```

## Instead

One of them has to answer, or to have a condition.

```toml
[[states.one]]
goto = "two"

[[states.two]]
reply = "Hello!"
goto  = "one"
```
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from llmposter_dsl import words
from llmposter_dsl.codes import Code
from llmposter_dsl.diagnostic import Diagnostic, Related

if TYPE_CHECKING:
    from llmposter_dsl.bind import Report
    from llmposter_dsl.machine import Machine
    from llmposter_dsl.rules import Line

CODE = Code("error", "pass-through cycle", rests=True)


def check(machine: Machine, report: Report) -> None:
    """Reports states that hand a request on to each other for ever, since the first rule of each always does."""
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
