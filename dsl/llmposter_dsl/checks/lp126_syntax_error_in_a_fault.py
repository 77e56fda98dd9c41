"""A phrase that is no [fault](../language/faults.md); the message says at which word, and what may stand there.

## Why it is a mistake

A fault that nobody can read would strike nothing, and a test of it would pass for the wrong reason.

## Example

```toml
[[states.begin]]
reply = "Hello!"
fault = "drop after 3 tokens"  # LP126
```

## Instead

```toml
[[states.begin]]
reply  = "One two three four five six."
fault  = "drop after 3 chunks"
stream = { chunk = "1 word" }
```
"""

from __future__ import annotations

from llmposter_dsl.codes import Code

CODE = Code("error", "syntax error in a fault")
