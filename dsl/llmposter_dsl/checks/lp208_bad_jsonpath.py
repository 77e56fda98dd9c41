"""A query that is not JSONPath as RFC 9535 has it.

## Why it is a mistake

It would find nothing in any body.

## Example

```toml
[[states.begin]]
when  = 'len(jsonpath("$.messages[")) > 0'  # LP208
reply = "Hello!"
```

## Instead

```toml
[[states.begin]]
when  = 'len(jsonpath("$.messages[*]")) > 0'
reply = "Hello!"
```
"""

from __future__ import annotations

from llmposter_dsl.codes import Code

CODE = Code("error", "bad JSONPath")
