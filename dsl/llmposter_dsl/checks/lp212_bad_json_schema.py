"""Parameters of a tool that are no JSON Schema.

## Why it is a mistake

Neither the checker nor a server could hold a call to it.

## Example

```toml
[tools.add]
type = "objekt"  # LP212

[[states.begin]]
call = "add()"
```

## Instead

```toml
[tools.add]
type = "object"

[[states.begin]]
call = "add()"
```
"""

from __future__ import annotations

from llmposter_dsl.codes import Code

CODE = Code("error", "bad JSON Schema of a tool")
