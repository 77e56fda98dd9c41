"""A tool that is none of those which the scenario declares.

## Why it is a mistake

An agent could not run it: the call would be answered with an error of the agent's own.

## Example

```toml
[tools.add]
type = "object"

[[states.begin]]
when = 'user mentions "sum"'
call = "ad()"  # LP209

[[states.begin]]
call = "add()"
```

## Instead

Declare the tool, or write its name as it is.
A model that calls what is not there is a scenario too: say [`undeclared = true`](../language/rules.md) in the call.

```toml
[tools.add]
type = "object"

[[states.begin]]
call = "add()"
```
"""

from __future__ import annotations

from llmposter_dsl.codes import Code

CODE = Code("error", "unknown tool")
