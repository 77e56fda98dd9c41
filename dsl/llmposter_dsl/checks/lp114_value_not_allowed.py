"""A value of the right kind that the key does not know.

## Why it is a mistake

It would have to be guessed what it means.

## Example

```toml
[[states.begin]]
reply   = "Hello!"
latency = "soon"  # LP114
```

## Instead

```toml
[[states.begin]]
reply   = "Hello!"
latency = "800ms"
```
"""

from __future__ import annotations

from llmposter_dsl.codes import Code

CODE = Code("error", "value not allowed")
