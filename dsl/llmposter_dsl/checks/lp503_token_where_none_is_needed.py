"""The fact or the key `token` in a scenario whose requests need no credential.

## Why it is a mistake

The fact is null and the key does nothing as long as no credential is asked for.

## Example

```toml
[[states.begin]]
token = "expire"  # LP503
reply = "Hello!"
```

## Instead

Give the scenario tokens, or `oauth`.
If the server is always started with `--token` or `--oauth`, suppress the finding.

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

CODE = Code("warning", "token where requests need none")
