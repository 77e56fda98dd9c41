"""A value that is set to a variable of another type.

## Why it is a mistake

The first value of a variable says its type, and all that asks for it relies on that.

## Example

```toml
[vars]
tries = 0

[[states.begin]]
set   = { tries = "user" }  # LP215
reply = "${tries}"
```

## Instead

In `set` a text is an expression, which here counts on.

```toml
[vars]
tries = 0

[[states.begin]]
set   = { tries = "tries + 1" }
reply = "${tries}"
```
"""

from __future__ import annotations

from llmposter_dsl.codes import Code

CODE = Code("error", "value of another type than the variable's")
