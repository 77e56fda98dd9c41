"""A text that is not YAML.

## Why it is a mistake

Nothing of the file can be read.
The place is where reading had to stop; often the indentation of the line before is wrong.

## Example

```yaml
states:
  begin:
    - reply: Hello!
     goto: begin  # LP104
```

## Instead

The keys of a rule begin in one column.

```yaml
states:
  begin:
    - reply: Hello!
      goto: begin
```
"""

from __future__ import annotations

from llmposter_dsl.codes import Code

CODE = Code("error", "broken YAML")
