"""A text that looks like a key which somebody's provider would take.

## Why it is a mistake

What stands in a file is not secret any more, and a test needs no real key: llmposter takes any text.

## Example

```toml
[auth]
tokens = [{ name = "mine", value = "sk-proj-a8Kd0fJq2LmZx7RtY4wKd8PbVn1C" }]  # LP902

[[states.begin]]
reply = "Hello!"
```

## Instead

Withdraw the key where you got it, and write a made-up one.
What says itself that it is made up, as `sk-test-…` does, is no finding.

```toml
[auth]
tokens = [{ name = "mine", value = "sk-test-mine" }]

[[states.begin]]
reply = "Hello!"
```
"""

from __future__ import annotations

from llmposter_dsl.codes import Code

CODE = Code("warning", "secret that looks real")
