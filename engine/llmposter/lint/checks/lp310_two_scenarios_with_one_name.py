"""Two scenarios that are given together and have one name.

## Why it is a mistake

The journal cannot tell them apart.
The file's name counts where `scenario.name` is missing.

## Example

```toml file=a.toml
[scenario]
name = "greeting"

[[states.begin]]
reply = "Hello!"
```

```toml file=b.toml
[scenario]
name = "greeting"  # LP310

[[states.begin]]
reply = "Good morning!"
```

## Instead

```toml file=a.toml
[scenario]
name = "greeting"

[[states.begin]]
reply = "Hello!"
```

```toml file=b.toml
[scenario]
name = "morning"

[[states.begin]]
reply = "Good morning!"
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmposter_dsl.codes import Code
from llmposter_dsl.diagnostic import Diagnostic, Related
from llmposter_dsl.place import At, Within
from llmposter_dsl.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from llmposter_dsl.place import Place
    from llmposter_dsl.program import Program

CODE = Code("warning", "two scenarios with one name")


def between(programs: Iterable[Program]) -> Iterator[tuple[Program, Diagnostic]]:
    """Scenarios whose name another one before has."""
    first: dict[str, Program] = {}
    for program in programs:
        if (other := first.setdefault(program.name, program)) is program:
            continue
        message = f'two scenarios are called "{program.name}"'
        related = (Related(_name(other), "the first one is here"),)
        yield program, Diagnostic("LP310", message, _name(program), "give one of them another `name`", related)


def _name(program: Program) -> Place:
    place = program.place
    span = place.child("scenario", "name").span if isinstance(place, Within) and _is_named(place) else Span(0, 0)
    return At(place.source, span)


def _is_named(place: Within) -> bool:
    scenario = getattr(place.document, "data", {}).get("scenario")
    return isinstance(scenario, dict) and "name" in scenario
