"""A `token` of a rule that says nothing which can be done to a credential.

## Why it is a mistake

The credential would stay good, and the test of its end would never come to it.

## Example

```toml
[auth]
tokens = [{ name = "sk-short" }]

[[states.begin]]
token = "expires"  # LP501
reply = "Hello!"
```

## Instead

Write `expire`, `expire after 2 uses`, `expire after 30s` or `revoke`.

```toml
[auth]
tokens = [{ name = "sk-short" }]

[[states.begin]]
token = "expire"
reply = "Hello!"
```
"""

from __future__ import annotations

from llmposter_dsl.codes import Code

CODE = Code("error", "unknown action on a token")
