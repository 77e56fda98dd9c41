"""A file that is not there, may not be read, or is no scenario by its name.

## Why it is a mistake

What stands in the file is not checked, and a server that was given it does not start.

## Example

```text file=greeting.txt
A scenario is written in TOML or YAML.  # LP101
```

## Instead

Give the path of a file that ends in `.toml`, `.yaml` or `.yml`, and that you may read.

```toml file=greeting.toml
[[states.begin]]
reply = "Hello!"
```
"""

from __future__ import annotations

from llmposter_dsl.codes import Code

CODE = Code("error", "file cannot be read")
