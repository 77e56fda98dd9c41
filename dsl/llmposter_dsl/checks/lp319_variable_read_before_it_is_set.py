"""A variable that is filled in where nothing can have set it yet, and whose first value is empty.

Its first value may be anything else: that is what is meant to stand there then.
What a condition asks of it is no finding either, since a condition may ask whether it was set.

## Why it is a mistake

A text has a hole there in every conversation, and a call an empty argument.
Mostly the `set` stands in a rule that fires later, or is missing.

## Example

```toml
[vars]
city = ""

[[states.begin]]
reply = "How is the weather in ${city}?"  # LP319
goto  = "told"

[[states.told]]
set   = { city = "user" }
reply = "I shall look for ${city}."
```

## Instead

```toml
[vars]
city = ""

[[states.begin]]
reply = "Where are you?"
goto  = "told"

[[states.told]]
set   = { city = "user" }
reply = "I shall look for ${city}."
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmposter_dsl.analysis.variables import set_before
from llmposter_dsl.codes import Code
from llmposter_dsl.diagnostic import Diagnostic, Related

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from llmposter_dsl.bind import Report
    from llmposter_dsl.machine import Machine
    from llmposter_dsl.place import Path, Within
    from llmposter_dsl.rules import Line

CODE = Code("warning", "variable read before it is set")


def check(machine: Machine, report: Report) -> None:
    """Reports variables that are empty on every way to where they are filled in."""
    filled = _filled(machine)
    if not filled or not machine.complete or not machine.legible or any(each.rule is None for each in machine.lines()):
        return
    before = set_before(machine.program)
    for line in machine.lines():
        states = machine.reached if line.group in ("always", "otherwise") else machine.reached & {line.group}
        for name, place in filled.get(_key(line.place, len(line.place.path)), ()) if states else ():
            if not any(name in before[state] for state in states) and name not in _sets(line, place):
                message = f"the variable `{name}` is always empty here: nothing can have set it before"
                related = tuple(Related(at, "it is set here") for at in machine.set_at(name))
                report(Diagnostic("LP319", message, place, None, related))


def _filled(machine: Machine) -> Mapping[object, list[tuple[str, Within]]]:
    """What is filled in of the variables that begin empty, by the rule in which it stands."""
    empty = {name for name, value in machine.program.vars.items() if value is None or value == ""}
    found: dict[object, list[tuple[str, Within]]] = {}
    for name, place in machine.filled:
        if name in empty:
            depth = 3 if place.path[0] == "states" else 2
            found.setdefault(_key(place, depth), []).append((name, place))
    return found


def _key(place: Within, depth: int) -> tuple[int, Path]:
    return id(place.document), place.path[:depth]


def _sets(line: Line, place: Within) -> Collection[str]:
    """What the rule itself has set by then; a value may be made of the one before."""
    names = [] if line.rule is None else [name for name, _ in line.rule.set]
    key, *inside = place.path[len(line.place.path) :]
    return names[: names.index(str(inside[0])) + 1] if key == "set" else names
