r"""A name in an expression that no fact, variable or named group has.

## Why it is a mistake

It would be nothing in every request, and the condition would never hold.

## Example

```toml
[[states.begin]]
when  = 'users mentions "hello"'  # LP202
reply = "Hello!"
```

## Instead

A name is a [fact](../language/facts.md), a variable with a first value under `vars`, or a group of `matches`.

```toml
[vars]
name = ""

[[states.begin]]
when  = 'user matches /I am (?P<who>\w+)/'
set   = { name = "who" }
reply = "Hello, ${name}!"
```
"""

from __future__ import annotations

from llmposter_dsl.codes import Code

CODE = Code("error", "unknown name")
