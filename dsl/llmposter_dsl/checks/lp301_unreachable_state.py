"""A state that no conversation ever comes to.

## Why it is a mistake

No rule that can be reached leads there, or only rules that [can never fire](LP302.md).
So an agent is never tested with what the state says.

## Example

```toml
[[states.begin]]
reply = "Hello!"

[[states.later]]  # LP301
reply = "Nobody hears this."
```

## Instead

Add the `goto` that is missing, or take the state out.

```toml
[[states.begin]]
reply = "Hello!"
goto  = "later"

[[states.later]]
reply = "Somebody hears this."
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmposter_dsl import reshaping
from llmposter_dsl.codes import Code
from llmposter_dsl.diagnostic import Diagnostic
from llmposter_dsl.place import assigned

if TYPE_CHECKING:
    from llmposter_dsl.bind import Report
    from llmposter_dsl.machine import Machine

CODE = Code("warning", "unreachable state")


def check(machine: Machine, report: Report) -> None:
    """Reports states that no way leads to."""
    for state in machine.states:
        if state not in machine.reached:
            place = machine.places[state]
            goto = assigned("goto", f'"{state}"', place)
            help_ = f"no {goto} stands in a state that can be reached"
            fixes = () if machine.needed(state) else reshaping.without_rules(place, machine.states[state])
            report(Diagnostic("LP301", f"no conversation ever reaches the state `{state}`", place, help_, (), fixes))
