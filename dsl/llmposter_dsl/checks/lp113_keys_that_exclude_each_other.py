"""Two keys that say different things about the same.

## Why it is a mistake

Only one of the two can be what happens.

## Example

```toml
[[states.begin]]
reply  = "Hello!"
refuse = "No."  # LP113
```

## Instead

Keep one; two answers are two rules, told apart by `when`.

```toml
[[states.begin]]
when   = 'user mentions "secret"'
refuse = "No."

[[states.begin]]
reply = "Hello!"
```
"""

from __future__ import annotations

from llmposter_dsl.codes import Code

CODE = Code("error", "keys that exclude each other")
