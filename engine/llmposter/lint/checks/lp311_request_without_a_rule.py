"""A state in which some request meets no rule; the help shows one.

It is only looked for where it is selected: many scenarios are meant to take what their test sends, and nothing else.

## Why it is a mistake

Such a request gets the error of a request that nobody foresaw, and `verify` fails.

## Example

```toml
[[states.begin]]  # LP311
when  = 'user mentions "hello"'
reply = "Hello!"
```

## Instead

Give the state a last rule without `when`; or say with `scenario.unmatched` what such a request gets.

```toml
[[states.begin]]
when  = 'user mentions "hello"'
reply = "Hello!"

[[states.begin]]
reply = "Please say hello first."
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmposter.lint.never import studied
from llmposter_dsl.codes import Code
from llmposter_dsl.diagnostic import Diagnostic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llmposter.lint.checking import Seen

CODE = Code("warning", "request without a rule", asked=True)


def check(seen: Seen) -> Iterator[Diagnostic]:
    """States that leave a request without an answer."""
    program = seen.program
    if program.kind == "fixtures" or program.unmatched is not None:
        return
    study = studied(program)
    for state, rules in program.states.items():
        if rules and state in study.reached and (witness := study.gap(state)) is not None:
            message = f"no rule of the state `{state}` takes every request"
            yield Diagnostic("LP311", message, rules[0].place, f"none fires {witness.where}")
