"""Two scenarios that are given together and say otherwise of the OAuth server.

## Why it is a mistake

There is one [OAuth server](../authentication.md#oauth) for all scenarios of a run.
A request has to be let in before anybody knows which of them it is for.

## Example

```toml file=a.toml
[auth]
oauth = { refresh = "rotate" }

[[states.begin]]
reply = "Hello!"
```

```toml file=b.toml
[auth]
oauth = { refresh = "keep" }  # LP506

[[states.begin]]
reply = "Hello!"
```

## Instead

Say the same in all, or only in one of them: its access tokens are good for all.

```toml file=a.toml
[auth]
oauth = { refresh = "rotate" }

[[states.begin]]
reply = "Hello!"
```

```toml file=b.toml
[[states.begin]]
reply = "Hello!"
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmposter_dsl.codes import Code
from llmposter_dsl.diagnostic import Diagnostic, Related
from llmposter_dsl.place import Within

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from llmposter_dsl.place import Place
    from llmposter_dsl.program import Program

CODE = Code("error", "two scenarios with one OAuth server otherwise")
_ONCE = "there is one for all scenarios of a run: write the same `oauth` in both, or in one of them"


def between(programs: Iterable[Program]) -> Iterator[tuple[Program, Diagnostic]]:
    """Scenarios whose server is another one than that of the first which has one."""
    having = [program for program in programs if program.auth is not None and program.auth.oauth is not None]
    for program in having[1:]:
        first = having[0]
        if program.auth is not None and first.auth is not None and program.auth.oauth != first.auth.oauth:
            message = f'the OAuth server is another one in the scenario "{first.name}"'
            related = (Related(_oauth(first), "the first one is here"),)
            yield program, Diagnostic("LP506", message, _oauth(program), _ONCE, related)


def _oauth(program: Program) -> Place:
    place = program.place
    return place.key("auth", "oauth") if isinstance(place, Within) else place
