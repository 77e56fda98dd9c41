"""A `goto` inside of `error`.

## Why it is a mistake

An error is what the client is told; where the conversation goes is the rule's.

## Example

```toml
[[states.begin]]
error = { status = 500, goto = "end" }  # LP125

[[states.end]]
reply = "Bye."
```

## Instead

```toml
[[states.begin]]
error = { status = 500 }
goto  = "end"

[[states.end]]
reply = "Bye."
```
"""

from __future__ import annotations

from llmposter_dsl.codes import Code

CODE = Code("error", "goto inside error")
