"""A variable with a name that means something else, or that no expression could hold.

## Why it is a mistake

An expression would find the fact, the function or the word of the language, and not the variable.

## Example

```toml
[vars]
user = ""  # LP214

[[states.begin]]
reply = "Hello, ${user}!"
```

## Instead

```toml
[vars]
customer = ""

[[states.begin]]
set   = { customer = "user" }
reply = "Hello, ${customer}!"
```
"""

from __future__ import annotations

from llmposter_dsl.codes import Code

CODE = Code("error", "name that cannot be a variable")
