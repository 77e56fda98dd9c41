"""A key with another kind of value than it takes.

## Why it is a mistake

What is meant cannot be known, and would be known no better when an agent asks.

## Example

```toml
[[states.begin]]
reply = "Hello!"
times = "two"  # LP111
```

## Instead

```toml
[[states.begin]]
reply = "Hello!"
times = 2

[[states.begin]]
reply = "Hello again!"
```
"""

from __future__ import annotations

from llmposter_dsl.codes import Code

CODE = Code("error", "wrong type")
