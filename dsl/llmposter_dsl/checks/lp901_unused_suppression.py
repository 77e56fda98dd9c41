"""A comment that suppresses nothing, or names no code.

## Why it is a mistake

It may once hide a finding that nobody has looked at.

## Example

```toml
# llmposter: ignore[LP301] not needed any more  # LP901
[[states.begin]]
reply = "Hello!"
```

## Instead

Take it out.

```toml
[[states.begin]]
reply = "Hello!"
```
"""

from __future__ import annotations

from llmposter_dsl.codes import Code

CODE = Code("warning", "unused suppression")
