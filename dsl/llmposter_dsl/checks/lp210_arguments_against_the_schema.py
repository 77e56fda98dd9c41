"""A call whose arguments the JSON Schema of the tool does not allow.

## Why it is a mistake

The agent's tool would get what its own schema forbids, and the test would be one of that mistake.

## Example

```toml
[tools.add]
type = "object"
required = ["a"]
properties = { a = { type = "number" } }

[[states.begin]]
call = 'add(a: "one")'  # LP210
```

## Instead

Broken arguments can be sent on purpose: write them as a text, in the table form of a call.

```toml
[tools.add]
type = "object"
required = ["a"]
properties = { a = { type = "number" } }

[[states.begin]]
call = 'add(a: 1)'
```
"""

from __future__ import annotations

from llmposter_dsl.codes import Code

CODE = Code("error", "call arguments against the tool's schema")
