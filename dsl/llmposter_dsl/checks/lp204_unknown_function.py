"""A call of a function that does not exist.

## Why it is a mistake

The expression has no value then.

## Example

```toml
[[states.begin]]
when  = 'length(user) > 3'  # LP204
reply = "Hello!"
```

## Instead

[Functions](../language/functions.md) lists those that there are.

```toml
[[states.begin]]
when  = 'len(user) > 3'
reply = "Hello!"
```
"""

from __future__ import annotations

from llmposter_dsl.codes import Code

CODE = Code("error", "unknown function")
