"""A state without rules that is not final.

## Why it is a mistake

A conversation that comes here can get no answer.

## Example

```toml
[[states.begin]]
reply = "Hello!"
goto  = "end"

[states]
end = []  # LP303
```

## Instead

Give the state rules, or name it in `scenario.final`.

```toml
[scenario]
final = ["end"]

[[states.begin]]
reply = "Hello!"
goto  = "end"
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmposter_dsl.codes import Code
from llmposter_dsl.diagnostic import Diagnostic

if TYPE_CHECKING:
    from llmposter_dsl.bind import Report
    from llmposter_dsl.machine import Machine

CODE = Code("error", "dead end that is not final", rests=True)


def check(machine: Machine, report: Report) -> None:
    """Reports states where no request can be answered."""
    if machine.always or machine.otherwise:
        return
    for state, lines in machine.states.items():
        if not lines and state in machine.reached and state not in machine.final:
            message = f"the state `{state}` has no rules and is not final"
            help_ = "give it a rule, or name it in `scenario.final`"
            report(Diagnostic("LP303", message, machine.places[state], help_))
