"""A text that is not TOML.

## Why it is a mistake

Nothing of the file can be read.
The place is where reading had to stop; the mistake is there or just before.

## Example

```toml
[[states.begin]]
reply = Hello!  # LP103
```

## Instead

A text stands in quotes.

```toml
[[states.begin]]
reply = "Hello!"
```
"""

from __future__ import annotations

from llmposter_dsl.codes import Code

CODE = Code("error", "broken TOML")
