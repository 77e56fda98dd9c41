"""An attribute that the value before the point does not have.

## Why it is a mistake

It would be null in every request.

## Example

```toml
[[states.begin]]
when  = "params.temprature == 0"  # LP203
reply = "Hello!"
```

## Instead

```toml
[[states.begin]]
when  = "params.temperature == 0"
reply = "Hello!"
```
"""

from __future__ import annotations

from llmposter_dsl.codes import Code

CODE = Code("error", "unknown attribute")
