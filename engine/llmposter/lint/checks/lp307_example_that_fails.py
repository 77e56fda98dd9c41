"""An example that goes another way than it says.

## Why it is a mistake

Either the scenario or what is expected of it is wrong; the message tells what was expected and what came.

## Example

```toml
[[states.begin]]
reply = "Hello!"

[[examples]]
name  = "greeting"
turns = [{ user = "Hi", expect = 'reply == "Hi!"' }]  # LP307
```

## Instead

```toml
[[states.begin]]
reply = "Hello!"

[[examples]]
name  = "greeting"
turns = [{ user = "Hi", expect = 'reply == "Hello!"' }]
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmposter_dsl.codes import Code
from llmposter_dsl.diagnostic import Diagnostic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llmposter.lint.checking import Seen

CODE = Code("error", "example that fails", rests=True)


def check(seen: Seen) -> Iterator[Diagnostic]:
    """What the examples expected, and did not get."""
    for result in seen.results:
        for failure in result.failures:
            yield Diagnostic("LP307", f"{result.title} fails: {failure.message}", failure.place)
