"""A file of more than 16 MiB.

## Why it is a mistake

No scenario that people write is so large; what is so large was probably not meant to be one.

## Example

With as much behind it:

```toml padded=16777217
[[states.begin]]  # LP106
reply = "Hello!"
```

## Instead

Put parts of it into files of their own, and `include` them.

```toml
include = ["states.toml"]
```

```toml file=states.toml
[[states.begin]]
reply = "Hello!"
```
"""

from __future__ import annotations

from llmposter_dsl.codes import Code

CODE = Code("error", "file too large")
