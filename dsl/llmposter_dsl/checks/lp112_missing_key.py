"""A table without a key that it needs.

## Why it is a mistake

Without it there is nothing to do: a scenario needs states, a rule an answer or a way on.

## Example

```toml
[[states.begin]]  # LP112
when = 'user mentions "hello"'
```

## Instead

```toml
[[states.begin]]
when  = 'user mentions "hello"'
reply = "Hello!"
```
"""

from __future__ import annotations

from llmposter_dsl.codes import Code

CODE = Code("error", "missing key")
