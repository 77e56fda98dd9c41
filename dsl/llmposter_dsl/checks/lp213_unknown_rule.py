"""A rule that `fired` asks for, and that does not exist.

## Why it is a mistake

It never fires, so that the count is always 0.

## Example

```toml
[[states.begin]]
when  = 'fired("hello") > 1'  # LP213
reply = "You again."

[[states.begin]]
reply = "Hello!"
```

## Instead

A rule's name is the `name` that you gave, or `state#n`.

```toml
[[states.begin]]
when  = 'fired("hello") > 1'
reply = "You again."

[[states.begin]]
name  = "hello"
reply = "Hello!"
```
"""

from __future__ import annotations

from llmposter_dsl.codes import Code

CODE = Code("error", "unknown rule")
