"""A state from which no way leads to a final one, although others have such a way.

## Why it is a mistake

A conversation that comes here cannot end where the scenario says that conversations end, and `verify` fails.

## Example

```toml
[scenario]
final = ["done"]

[[states.begin]]
when  = 'user mentions "bye"'
reply = "Goodbye!"
goto  = "done"

[[states.begin]]
reply = "Sorry?"
goto  = "lost"

[[states.lost]]  # LP317
reply = "I am lost."
```

## Instead

Lead on from there, or name the state in `scenario.final` too.

```toml
[scenario]
final = ["done"]

[[states.begin]]
when  = 'user mentions "bye"'
reply = "Goodbye!"
goto  = "done"

[[states.begin]]
reply = "Sorry?"
goto  = "lost"

[[states.lost]]
reply = "I am lost."
goto  = "begin"
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmposter.lint.never import studied
from llmposter_dsl.codes import Code
from llmposter_dsl.diagnostic import Diagnostic
from llmposter_dsl.place import Within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llmposter.lint.checking import Seen
    from llmposter.lint.never import Study

CODE = Code("warning", "state from which no end is reached")


def check(seen: Seen) -> Iterator[Diagnostic]:
    """States that keep a conversation for ever, where others end."""
    program = seen.program
    if program.kind == "fixtures" or not program.final:
        return
    study = studied(program)
    ending = _ending(study)
    for state, rules in program.states.items():
        if ending and rules and state in study.reached and state not in ending:
            message = f"no final state is ever reached from the state `{state}`"
            place = rules[0].place
            at = Within(place.document, place.path[:-1], "key") if isinstance(place, Within) else place
            yield Diagnostic("LP317", message, at, "lead on from there, or name it in `scenario.final`")


def _ending(study: Study) -> frozenset[str]:
    """The states from which a final one may be reached."""
    ways = {state: {rule.goto for rule in study.live(state)} for state in study.reached}
    ending = set(study.program.final & study.reached)
    while more := {state for state, after in ways.items() if state not in ending and after & ending}:
        ending |= more
    return frozenset(ending)
