"""A regular expression that is not RE2.

## Why it is a mistake

It has a mistake, or look-around or back-references, which RE2 lacks so that no text can make it slow.

## Example

```toml
[[states.begin]]
when  = 'user matches /(hello/'  # LP207
reply = "Hello!"
```

## Instead

```toml
[[states.begin]]
when  = 'user matches /(hello)/'
reply = "Hello!"
```
"""

from __future__ import annotations

from llmposter_dsl.codes import Code

CODE = Code("error", "bad regular expression")
