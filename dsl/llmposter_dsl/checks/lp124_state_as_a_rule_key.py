"""A state's name that stands among the keys of a rule.

## Why it is a mistake

It leads nowhere: states stand under `states`, and `goto` leads there.

## Example

```toml
[[states.begin]]
reply = "Hello!"
end   = "goto"  # LP124

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

CODE = Code("error", "state's name used as a rule key")
