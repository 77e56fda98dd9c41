"""A key that does not exist where it stands.

## Why it is a mistake

It would do nothing, and what was meant would not happen.
Mostly it is a slip of the pen; the help names the key that was probably meant.

## Example

```toml
[[states.begin]]
reply  = "Hello!"
lateny = "200ms"  # LP110
```

## Instead

```toml
[[states.begin]]
reply   = "Hello!"
latency = "200ms"
```
"""

from __future__ import annotations

from llmposter_dsl.codes import Code

CODE = Code("error", "unknown key")
