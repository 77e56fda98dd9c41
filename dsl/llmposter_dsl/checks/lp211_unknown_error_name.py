"""An error by a name that no error has.

## Why it is a mistake

It would have no status, and no words that a provider uses.

## Example

```toml
[[states.begin]]
error = "rate_limit"  # LP211
```

## Instead

[Rules](../language/rules.md#errors) lists the names; a number is a status.
[OAuth](../authentication.md#answers) has other names for its token endpoint.

```toml
[[states.begin]]
error = "rate_limited"
```
"""

from __future__ import annotations

from llmposter_dsl.codes import Code

CODE = Code("error", "unknown error name")
