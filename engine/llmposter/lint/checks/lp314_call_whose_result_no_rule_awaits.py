"""A call after which no rule takes its result.

## Why it is a mistake

The agent sends the result, and gets the error of a request that nobody foresaw.

## Example

```toml
[[states.begin]]
call = 'get_weather(city: "Paris")'  # LP314
goto = "told"

[[states.told]]
when  = 'not (result exists)'
reply = "Goodbye."
```

## Instead

```toml
[[states.begin]]
call = 'get_weather(city: "Paris")'
goto = "told"

[[states.told]]
when  = 'result("get_weather") exists'
reply = "It is ${result.text}."
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmposter.lint.calling import calls, takes
from llmposter.lint.never import studied
from llmposter_dsl import words
from llmposter_dsl.codes import Code
from llmposter_dsl.diagnostic import Diagnostic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llmposter.lint.checking import Seen

CODE = Code("warning", "call whose result no rule awaits")


def check(seen: Seen) -> Iterator[Diagnostic]:
    """Calls that lead where their results are not taken."""
    if seen.program.kind == "fixtures":
        return
    study = studied(seen.program)
    for state in (each for each in seen.program.states if each in study.reached):
        for rule in study.live(state):
            after = rule.goto or state
            tools = {call.tool: None for call in calls(rule)}
            there = study.live(after) if tools and rule.group in (state, "always", "otherwise") else ()
            if there and not any(takes(study, after, each, tuple(tools), tuple(tools)) for each in there):
                message = f"no rule of the state `{after}` takes the result of {words.listed(tuple(tools), 'and')}"
                yield Diagnostic("LP314", message, calls(rule)[0].place)
