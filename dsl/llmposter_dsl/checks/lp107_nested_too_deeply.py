"""Values nested more than 100 levels deep, or YAML aliases that stand for more than 100,000 values.

## Why it is a mistake

No scenario needs more; mostly an alias repeats itself, or brackets came in by accident.

## Example

```yaml
states:
  begin:
    - json: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[  # a list in a list, fifty times
        [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[  # and fifty times more LP107
        ]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]
        ]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]
```

## Instead

```yaml
states:
  begin:
    - json: [[1, 2], [3, 4]]
```
"""

from __future__ import annotations

from llmposter_dsl.codes import Code

CODE = Code("error", "nested too deeply, or too many aliases")
