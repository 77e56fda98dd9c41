"""A document that is no table of keys, or more than one document.

## Why it is a mistake

A scenario is one table of keys: nothing else has states.

## Example

```yaml
- just  # LP108
- a list
```

## Instead

```yaml
states:
  begin:
    - reply: Hello!
```
"""

from __future__ import annotations

from llmposter_dsl.codes import Code

CODE = Code("error", "not a scenario document")
