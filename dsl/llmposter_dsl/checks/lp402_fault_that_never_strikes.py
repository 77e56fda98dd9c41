"""A [fault](../language/faults.md#points) whose point no answer of the rule gets to.

## Why it is a mistake

Without the fault the rule would do the same, so that the test of it tests nothing.

## Example

```toml
[[states.begin]]
reply = "Hello!"
fault = "drop between tool calls"  # LP402
```

## Instead

```toml
[[states.begin]]
call  = ["first()", "second()"]
fault = "drop between tool calls"
```
"""

from __future__ import annotations

from llmposter_dsl.codes import Code

CODE = Code("warning", "fault that never strikes")
