"""A plain YAML text that ends at a ` #` where a comment begins.

## Why it is a mistake

In YAML a ` #` begins a comment, so that the answer loses what stands behind it.

## Example

```yaml
states:
  begin:
    - reply: ticket #5 is open  # LP123
```

## Instead

Quote the text.

```yaml
states:
  begin:
    - reply: "ticket #5 is open"
```
"""

from __future__ import annotations

from llmposter_dsl.codes import Code

CODE = Code("warning", "plain YAML text cut by ` #`")
