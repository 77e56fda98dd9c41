"""A `jitter` or `burst` where no time stands between chunks.

## Why it is a mistake

Both vary the time between chunks, and without `pace` there is none, so that they do nothing.

## Example

```toml
[[states.begin]]
reply  = "Hello!"
stream = { jitter = "±20%" }  # LP512
```

## Instead

Say `pace`, in the rule or in `defaults`.

```toml
[[states.begin]]
reply  = "Hello!"
stream = { pace = "50 tokens/s", jitter = "±20%" }
```
"""

from __future__ import annotations

from llmposter_dsl.codes import Code

CODE = Code("warning", "jitter or burst without a pace")
