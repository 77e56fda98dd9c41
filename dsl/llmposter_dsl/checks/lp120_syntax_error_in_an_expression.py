"""An expression that cannot be read; the message says what was expected.

## Why it is a mistake

A condition that nobody can read would never hold.
Most often a text has no quotes of its own, or `=` stands for `==`.

## Example

```toml
[[states.begin]]
when  = 'user = "hello"'  # LP120
reply = "Hello!"
```

## Instead

```toml
[[states.begin]]
when  = 'user == "hello"'
reply = "Hello!"
```
"""

from __future__ import annotations

from llmposter_dsl.codes import Code

CODE = Code("error", "syntax error in an expression")
