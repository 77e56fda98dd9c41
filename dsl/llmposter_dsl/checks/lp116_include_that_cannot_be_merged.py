"""An included file that is missing, includes itself, or brings a name that is there already.

## Why it is a mistake

States of one name from two files would be one state by accident, and a missing file leaves its states unknown.

## Example

```toml
include = ["common.toml"]

[[states.begin]]
reply = "Hello!"
```

```toml file=common.toml
[[states.begin]]  # LP116
reply = "Good morning!"
```

## Instead

Give one of the two another name.

```toml
include = ["common.toml"]

[[states.begin]]
reply = "Hello!"
goto  = "morning"
```

```toml file=common.toml
[[states.morning]]
reply = "Good morning!"
```
"""

from __future__ import annotations

from llmposter_dsl.codes import Code

CODE = Code("error", "include that cannot be merged")
