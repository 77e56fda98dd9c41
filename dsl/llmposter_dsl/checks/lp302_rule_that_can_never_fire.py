"""A rule whose every request is taken by rules before it, or whose `when` no request is like.

## Why it is a mistake

Rules are tried in order and the first whose `when` holds fires, so that this one is never tried or never gets through.
The help shows a request for which it was written, and the rule that fires instead.
[The checks of the machine](../language/machine-checks.md) tells what is found out about conditions.

## Example

```toml
[[states.begin]]
when  = 'user mentions "order"'
reply = "Which order?"

[[states.begin]]  # LP302
when  = 'user mentions "cancel my order"'
reply = "It is cancelled."

[[states.begin]]
when  = 'user contains "refund" and turn < 1'  # LP302
reply = "The first turn is 1."

[[states.begin]]
reply = "Always."

[[states.begin]]  # LP302
when  = 'user mentions "never"'
reply = "Never."
```

## Instead

Put the rule that asks for more before the one that asks for less, and the rule without `when` last.

```toml
[[states.begin]]
when  = 'user mentions "cancel my order"'
reply = "It is cancelled."

[[states.begin]]
when  = 'user mentions "order"'
reply = "Which order?"

[[states.begin]]
reply = "Always."
```
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from llmposter_dsl import reshaping, words
from llmposter_dsl.codes import Code
from llmposter_dsl.diagnostic import Diagnostic, Fix, Related

if TYPE_CHECKING:
    from llmposter_dsl.bind import Report
    from llmposter_dsl.machine import Machine
    from llmposter_dsl.rules import Line

CODE = Code("warning", "rule that can never fire")


def check(machine: Machine, report: Report) -> None:
    """Reports rules that an earlier one leaves nothing."""
    for lines in (machine.always, *machine.states.values(), machine.otherwise):
        for line, cover in _covered(lines):
            same = "has the same `when`" if not cover.certain else "always fires"
            _never(machine, line, cover, f"an earlier rule {same}", report)
    stop = next((line for line in machine.always if line.certain), None)
    if stop is not None:
        for lines in (*machine.states.values(), machine.otherwise):
            for line in lines:
                _never(machine, line, stop, "a rule of `always` always fires", report)
        return
    reachable = {state: lines for state, lines in machine.states.items() if state in machine.reached}
    stops = {state: next((line for line in lines if line.certain), None) for state, lines in reachable.items()}
    first = next((stop for stop in stops.values() if stop is not None), None)
    if first is not None and machine.complete and all(stops.values()):
        for line in machine.otherwise:
            _never(machine, line, first, "every state has a rule that always fires", report)


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


def _never(machine: Machine, line: Line, cover: Line, why: str, report: Report) -> None:
    related = (Related(cover.place, f"{words.shown(cover.name)} stands here"),)
    message = f"the rule {words.shown(line.name)} can never fire: {why}"
    report(Diagnostic("LP302", message, line.place, None, related, _fixes(machine, line, cover)))


def _fixes(machine: Machine, line: Line, cover: Line) -> tuple[Fix, ...]:
    """A rule for everything moved behind all that it covers, where both stand in one list; or this one taken out."""
    behind = cover.certain and not line.certain and cover.group == line.group
    moved = reshaping.put_last(cover.place, _last(machine, line.group).place) if behind else ()
    if machine.holds(line):
        return moved
    return (*moved, *reshaping.without_one(line.place, f"take the rule {words.shown(line.name)} out"))


def _last(machine: Machine, group: str) -> Line:
    """The last rule of a list that does not fire always."""
    lines = {"always": machine.always, "otherwise": machine.otherwise}.get(group) or machine.states[group]
    return next(line for line in reversed(lines) if not line.certain)
