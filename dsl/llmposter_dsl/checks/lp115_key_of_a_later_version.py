"""A key that the language has, but not in this version of llmposter.

## Why it is a mistake

The file was written for a newer version; here the key would do nothing.

## Example

```toml
[auth]
tokens = [{ name = "sk-test" }]
oauth  = { client_id = "agent" }  # LP115

[[states.begin]]
reply = "Hello!"
```

## Instead

Take the key out, or take a newer llmposter.

```toml
[auth]
tokens = [{ name = "sk-test" }]

[[states.begin]]
reply = "Hello!"
```
"""

from __future__ import annotations

from llmposter_dsl.codes import Code

CODE = Code("error", "key that this version does not know yet")
