"""A token that is good for more than five minutes.

## Why it is a mistake

No test waits so long for its end.

## Example

```toml
[auth]
tokens = [{ name = "sk-timed", lifetime = "1h" }]  # LP504

[[states.begin]]
reply = "Hello!"
```

## Instead

Take a short lifetime.
With a manual clock a long one passes at once; if that is what the scenario is for, suppress the finding.

```toml
[auth]
tokens = [{ name = "sk-timed", lifetime = "2s" }]

[[states.begin]]
reply = "Hello!"
```
"""

from __future__ import annotations

from llmposter_dsl.codes import Code

CODE = Code("info", "token that outlives a test")
