r"""A regular expression with a control character, since the quotes took the backslash away.

## Why it is a mistake

In `"…"` a `\b` is the character backspace before the regular expression sees it, and nobody types that.

## Example

```toml
[[states.begin]]
when  = "user matches /\bhello/"  # LP122
reply = "Hello!"
```

## Instead

Write the expression in `'…'`, which leaves backslashes alone.

```toml
[[states.begin]]
when  = 'user matches /\bhello/'
reply = "Hello!"
```
"""

from __future__ import annotations

from llmposter_dsl.codes import Code

CODE = Code("error", "control character in a regular expression")
