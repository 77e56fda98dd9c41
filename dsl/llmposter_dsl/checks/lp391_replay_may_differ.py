"""A condition or a value that may come out otherwise when a history is replayed.

## Why it is a mistake

A server that is started again plays histories anew, and a history shows neither times nor chance.
Then the conversation may stand elsewhere than before.

## Example

```toml
[[states.begin]]
when  = "age > 10m"  # LP391
reply = "You are late."

[[states.begin]]
reply = "Hello!"
```

## Instead

Ask for what a history shows.
If the difference does no harm, suppress the finding.

```toml
[[states.begin]]
when  = "turn > 10"
reply = "You have asked enough."

[[states.begin]]
reply = "Hello!"
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmposter_dsl import words
from llmposter_dsl.codes import Code
from llmposter_dsl.diagnostic import Diagnostic
from llmposter_dsl.program import Condition, Expression

if TYPE_CHECKING:
    from llmposter_dsl.bind import Report
    from llmposter_dsl.machine import Machine

CODE = Code("info", "rule that a replayed history may not find again")


def check(machine: Machine, report: Report) -> None:
    """Reports what rules ask for that no history shows."""
    for rule in (line.rule for line in machine.lines() if line.rule is not None):
        asked: list[Condition | Expression] = [] if rule.when is None else [rule.when]
        asked += [value for _, value in rule.set if isinstance(value, Expression)]
        for each in asked:
            if each.volatile:
                message = f"{words.shown(each.text)} may come out otherwise when a history is replayed"
                report(Diagnostic("LP391", message, each.place))
