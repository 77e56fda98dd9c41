"""A name of a state that no state has.

## Why it is a mistake

A conversation that goes there would stand nowhere.

## Example

```toml
[[states.begin]]
reply = "Hello!"
goto  = "ende"  # LP201

[[states.end]]
reply = "Bye."
```

## Instead

```toml
[[states.begin]]
reply = "Hello!"
goto  = "end"

[[states.end]]
reply = "Bye."
```
"""

from __future__ import annotations

from llmposter_dsl.codes import Code

CODE = Code("error", "unknown state")
