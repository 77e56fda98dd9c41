"""A key that stands twice in one table, or two rules of one name.

## Why it is a mistake

Only one of the two can count, and the file does not say which.

## Example

```toml
[[states.begin]]
reply = "one"
reply = "two"  # LP105
```

## Instead

Take one of them out, or rename it; two answers are two rules.

```toml
[[states.begin]]
times = 1
reply = "one"

[[states.begin]]
reply = "two"
```
"""

from __future__ import annotations

from llmposter_dsl.codes import Code

CODE = Code("error", "duplicate key")
