"""An answer for which a provider's format has no form; the message names the provider.

## Why it is a mistake

Its clients get something else, as [the provider's page](../providers/index.md) tells, and another case is tested.

## Example

```toml
[[states.begin]]
reply  = "Hello!"
finish = "pause"  # LP401 LP401 LP401
```

## Instead

Say for whom the rule is, in its `when` or in `scenario.serves`.

```toml
[[states.begin]]
when   = 'provider == "anthropic"'
reply  = "Hello!"
finish = "pause"

[[states.begin]]
reply = "Hello!"
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from llmposter.lint.meant import meant_for, rules
from llmposter_dsl.codes import Code
from llmposter_dsl.diagnostic import Diagnostic
from llmposter_dsl.place import Within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llmposter.lint.checking import Seen
    from llmposter_dsl.place import Place
    from llmposter_dsl.program import Rule

CODE = Code("warning", "answer that a provider cannot express")

_FINISHES: Final = (("finish",), ("response", "stop_reason"), ("response", "finish_reason"))
"""Where a scenario or a fixture says why an answer ends, the first that is there."""


def check(seen: Seen) -> Iterator[Diagnostic]:
    """What no client of a provider could be told, by a rule that such a client can get to."""
    from llmposter.wire import load

    program = seen.program
    for wire in load().values():
        if not meant_for(wire, program.serves):
            continue
        for rule in rules(program):
            sentences = tuple(wire.cannot(rule))
            if sentences and meant_for(wire, rule.when):
                yield from (Diagnostic("LP401", sentence, _finish(rule)) for sentence in sentences)


def _finish(rule: Rule) -> Place:
    # A finish word is what a wire finds missing so far; a rule of another kind is underlined whole.
    place = rule.place
    if rule.finish is None or not isinstance(place, Within):
        return place
    within = (place.child(*path) for path in _FINISHES)
    return next((each for each in within if each.span != place.span), place)
