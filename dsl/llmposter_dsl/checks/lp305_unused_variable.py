"""A variable that nothing reads; setting it is no reading.

## Why it is a mistake

What is kept in it changes nothing, so that either it or a use of it is missing.

## Example

```toml
[vars]
city = ""  # LP305

[[states.begin]]
set   = { city = "user" }
reply = "Hello!"
```

## Instead

```toml
[vars]
city = ""

[[states.begin]]
set   = { city = "user" }
reply = "So you are from ${city}!"
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmposter_dsl import reshaping
from llmposter_dsl.codes import Code
from llmposter_dsl.diagnostic import Diagnostic

if TYPE_CHECKING:
    from llmposter_dsl.bind import Report
    from llmposter_dsl.machine import Machine

CODE = Code("warning", "unused variable")


def check(machine: Machine, report: Report) -> None:
    """Reports variables that nothing uses; a name in an expression that could not be read may be the only use."""
    for name, place in machine.variables.items() if machine.legible else ():
        if name not in machine.read:
            fixes = reshaping.all_without([place, *machine.set_at(name)], f"take the variable `{name}` out")
            report(Diagnostic("LP305", f"the variable `{name}` is never read", place, None, (), fixes))
