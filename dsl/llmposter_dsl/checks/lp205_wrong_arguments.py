"""A function with other arguments than it takes, or `it` outside of `any`, `all` and `count`.

## Why it is a mistake

The expression has no value then.

## Example

```toml
[[states.begin]]
when  = 'len() > 3'  # LP205
reply = "Hello!"
```

## Instead

```toml
[[states.begin]]
when  = 'len(user) > 3'
reply = "Hello!"
```
"""

from __future__ import annotations

from llmposter_dsl.codes import Code

CODE = Code("error", "wrong arguments of a function")
