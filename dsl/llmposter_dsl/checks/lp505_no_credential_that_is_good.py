"""An `[auth]` that has no credential to give.

## Why it is a mistake

With `[auth]` every request needs a credential, and without `tokens` and `oauth` no client can have a good one.

## Example

```toml
[auth]  # LP505
tokens = []

[[states.begin]]
reply = "Hello!"
```

## Instead

Where they come from the command line or the admin API, suppress the finding.

```toml
[auth]
tokens = [{ name = "sk-test" }]

[[states.begin]]
reply = "Hello!"
```
"""

from __future__ import annotations

from llmposter_dsl.codes import Code

CODE = Code("warning", "no credential that is good")
