"""A `${` without its `}`, or with nothing between them.

## Why it is a mistake

The answer would show the raw characters to the agent.

## Example

```toml
[[states.begin]]
reply = "You said ${user"  # LP121
```

## Instead

Close it; or write `$${` for the characters themselves.

```toml
[[states.begin]]
reply = "You said ${user}; in a template that is $${user}"
```
"""

from __future__ import annotations

from llmposter_dsl.codes import Code

CODE = Code("error", "syntax error in a template")
