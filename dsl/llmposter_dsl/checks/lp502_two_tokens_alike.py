"""Two tokens that have one name, or one value.

## Why it is a mistake

A request could not say which of them it presents, or a rule which of them it saw.
Two scenarios that are given together may have the same token, if it is the same in both.

## Example

```toml
[auth]
tokens = [
  { name = "short", value = "sk-1", uses = 3 },
  { name = "long", value = "sk-1" },  # LP502
]

[[states.begin]]
reply = "Hello!"
```

## Instead

```toml
[auth]
tokens = [
  { name = "short", value = "sk-1", uses = 3 },
  { name = "long", value = "sk-2" },
]

[[states.begin]]
reply = "Hello!"
```
"""

from __future__ import annotations

from llmposter_dsl.codes import Code

CODE = Code("error", "two tokens with one name or value")
