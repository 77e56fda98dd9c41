"""A rule for an attempt that no SDK makes unless it is told to.

## Why it is a mistake

The SDKs of OpenAI and Anthropic try three times, and Google's once.
A fourth attempt comes only from a client that retries more often, so that a test with the defaults never sees the rule.

## Example

```toml
[[states.begin]]
when  = "attempt < 4"
error = "overloaded"

[[states.begin]]
when  = "attempt == 4"  # LP318
reply = "At last."

[[states.begin]]
reply = "Hello again!"
```

## Instead

Come round at the third attempt; or suppress the finding where the client has a retry of its own.

```toml
[[states.begin]]
when  = "attempt < 3"
error = "overloaded"

[[states.begin]]
reply = "At last."
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from llmposter.lint.meant import rules
from llmposter.lint.never import studied
from llmposter_dsl import words
from llmposter_dsl.analysis import Atom, contradict
from llmposter_dsl.codes import Code
from llmposter_dsl.diagnostic import Diagnostic
from llmposter_dsl.expressions.syntax import Name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llmposter.lint.checking import Seen

CODE = Code("info", "attempt that no SDK makes by itself")
_TRIES: Final = 3
"""Of `openai` and `anthropic`: `max_retries` is 2 (docs/sdk-behaviour.md)."""


def check(seen: Seen) -> Iterator[Diagnostic]:
    """Rules that wait for more attempts than SDKs make."""
    if seen.program.kind == "fixtures":
        return
    few = (Atom(Name("attempt"), "<=", ("number", _TRIES)), True)
    for rule in rules(seen.program):
        made = studied(seen.program).clauses(rule)
        possible = [clause for clause in made or () if not contradict(clause)]
        if rule.when is not None and possible and all(contradict((*clause, few)) for clause in possible):
            message = f"{words.shown(rule.name)} waits for an attempt beyond the {_TRIES} that SDKs make by themselves"
            yield Diagnostic("LP318", message, rule.when.place)
