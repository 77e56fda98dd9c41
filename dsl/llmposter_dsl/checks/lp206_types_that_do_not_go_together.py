"""Values that cannot be compared, ordered or added, since their types differ.

## Why it is a mistake

The comparison would be false for every request, whatever it holds.

## Example

```toml
[[states.begin]]
when  = 'user > 3'  # LP206
reply = "Hello!"
```

## Instead

`number(…)` and `text(…)` change the type.

```toml
[[states.begin]]
when  = 'number(user) > 3'
reply = "Hello!"
```
"""

from __future__ import annotations

from llmposter_dsl.codes import Code

CODE = Code("error", "types that do not go together")
