"""A condition on the result of a tool that no rule calls, or a text made of it.

## Why it is a mistake

A client sends results of what it was told to call, so that the condition waits for what never comes, and the text has a
hole.
Mostly the name is another one.

## Example

```toml
[[states.begin]]
call = 'get_weather(city: "Paris")'
goto = "told"

[[states.told]]
when  = 'result("weather") exists'  # LP315
reply = "It is ${result.text}."

[[states.told]]
reply = 'Is it ${result("weather").text}?'  # LP315
```

## Instead

```toml
[[states.begin]]
call = 'get_weather(city: "Paris")'
goto = "told"

[[states.told]]
when  = 'result("get_weather") exists'
reply = "It is ${result.text}."

[[states.told]]
reply = "I do not know."
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmposter.lint.calling import called, read
from llmposter.lint.meant import rules
from llmposter_dsl import words
from llmposter_dsl.codes import Code
from llmposter_dsl.diagnostic import Diagnostic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llmposter.lint.checking import Seen

CODE = Code("warning", "result of a tool that no rule calls")


def check(seen: Seen) -> Iterator[Diagnostic]:
    """Results that are asked for and never called for."""
    if seen.program.kind == "fixtures":
        return
    tools = called(rules(seen.program))
    for rule in rules(seen.program):
        for tool, place in dict.fromkeys(read(rule)):
            if tool not in tools:
                meant = words.close(tool, sorted(tools))
                help_ = f"did you mean `{meant}`?" if meant else None
                message = f"no rule calls {words.shown(tool)}, whose result is asked for"
                yield Diagnostic("LP315", message, place, help_)
