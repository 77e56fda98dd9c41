"""A declared tool that no rule calls.

## Why it is a mistake

What the scenario says of it is never used: a call is missing, or the tool is a left-over.

## Example

```toml
[tools.add]  # LP306
type = "object"

[[states.begin]]
reply = "Hello!"
```

## Instead

```toml
[tools.add]
type = "object"

[[states.begin]]
call = "add()"
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

CODE = Code("warning", "unused tool")


def check(machine: Machine, report: Report) -> None:
    """Reports tools that nothing uses; a name in an expression that could not be read may be the only use."""
    for name, place in machine.tools.items() if machine.legible else ():
        if name not in machine.called:
            fixes = reshaping.without(place, f"take the tool `{name}` out")
            report(Diagnostic("LP306", f"the tool `{name}` is never called", place, None, (), fixes))
