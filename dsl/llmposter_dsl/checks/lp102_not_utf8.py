"""A file that holds bytes which are not UTF-8.

## Why it is a mistake

Which characters are meant cannot be known, and what an agent is told would hang on a guess.
The place is that of the first byte that is not UTF-8.

## Example

Saved as Latin-1:

```toml encoding=latin-1
[[states.begin]]
reply = "Café"  # LP102
```

## Instead

Save the file as UTF-8.

```toml
[[states.begin]]
reply = "Café"
```
"""

from __future__ import annotations

from llmposter_dsl.codes import Code

CODE = Code("error", "not UTF-8 text")
