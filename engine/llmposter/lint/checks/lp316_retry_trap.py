"""An error that is retried, and that every retry gets again, although it seems meant to pass.

Two forms are told: a rule that asks for `turn` or `visits`, which count answers, so that no retry gets past it; and a
state in which whatever is asked gets such an error, although others answer.
An error that hangs on what the request says is left alone, and so is a state that is named in `scenario.final`, or a
scenario that has nothing else.

## Why it is a mistake

The SDKs ask again after 408, 409, 429, a status from 500 on, and a connection that breaks.
What an agent does once it is over is never tested, since it is never over.

## Example

```toml
[[states.begin]]
when  = "turn == 1"  # LP316
error = "overloaded"

[[states.begin]]
reply = "Hello!"
goto  = "down"

[[states.down]]  # LP316
error = "server_error"
```

## Instead

Ask for `attempt`, which counts retries, or let the rule fire only so often; and lead on from the state.
Where a client is meant to give up, say so in `scenario.final`.

```toml
[scenario]
final = ["down"]

[[states.begin]]
when  = "attempt == 1"
error = "overloaded"

[[states.begin]]
reply = "Hello!"
goto  = "down"

[[states.down]]
error = "server_error"
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from llmposter.lint.never import studied
from llmposter.lint.retrying import Retrying
from llmposter_dsl import words
from llmposter_dsl.analysis import contradict
from llmposter_dsl.codes import Code
from llmposter_dsl.diagnostic import Diagnostic
from llmposter_dsl.expressions.syntax import Name
from llmposter_dsl.place import Within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llmposter.lint.checking import Seen
    from llmposter.lint.never import Study
    from llmposter_dsl.analysis import Clause
    from llmposter_dsl.program import Rule

CODE = Code("warning", "retry trap")
_COUNTS: Final = ("turn", "visits")
"""What counts answers, so that an error leaves it as it is."""


def check(seen: Seen) -> Iterator[Diagnostic]:
    """Errors that no retry gets past."""
    if seen.program.kind == "fixtures":
        return
    study = studied(seen.program)
    retrying = Retrying(study)
    passing = {id(rule): name for some in retrying.failing.values() for rule in some if (name := _count(study, rule))}
    if not passing and not any(some == study.live(state) for state, some in retrying.failing.items() if some):
        return
    if retrying.traps and retrying.anything_else:
        yield from _states(study, retrying)
        yield from _rules(retrying, passing)


def _states(study: Study, retrying: Retrying) -> Iterator[Diagnostic]:
    for state in retrying.closed:
        for rule in retrying.failing[state]:
            if (witness := retrying.shown(state, rule)) is not None:
                place = (study.program.states[state] or (rule,))[0].place
                at = Within(place.document, place.path[:-1], "key") if isinstance(place, Within) else place
                message = f"a client that retries never leaves the state `{state}`, since all of its rules fail"
                help_ = f"{words.shown(rule.name)} fails again with each retry {witness.where}"
                yield Diagnostic("LP316", message, at, help_)
                break


def _rules(retrying: Retrying, passing: dict[int, str]) -> Iterator[Diagnostic]:
    """Rules that ask for a count of answers, where they stand outside of what was told already."""
    told: set[int] = set()
    for state, some in retrying.failing.items():
        for rule in some:
            if id(rule) not in passing or id(rule) in told or not _everywhere(retrying, rule):
                continue
            told.add(id(rule))
            witness = retrying.shown(state, rule)
            if witness is not None and rule.when is not None:
                name = passing[id(rule)]
                message = f"no retry gets past {words.shown(rule.name)}: `{name}` counts answers, and its error is none"
                help_ = f"ask for `attempt`, which counts retries; each of them fails again {witness.where}"
                yield Diagnostic("LP316", message, rule.when.place, help_)


def _everywhere(retrying: Retrying, rule: Rule) -> bool:
    """Whether it is a trap wherever it may fire, and not in a state that is told of as a whole."""
    states = [state for state, some in retrying.failing.items() if rule in some]
    return not retrying.closed.issuperset(states) and all((state, rule.name) in retrying.traps for state in states)


def _count(study: Study, rule: Rule) -> str | None:
    """The count of answers that the rule wants to be no more than something."""
    possible = [clause for clause in study.clauses(rule) or () if not contradict(clause)]
    named = [next(_bounds(clause), None) for clause in possible]
    return named[0] if named and all(named) else None


def _bounds(clause: Clause) -> Iterator[str]:
    for atom, wanted in clause:
        bounds = ("==", "<", "<=", "in") if wanted else (">", ">=")
        if isinstance(atom.subject, Name) and atom.subject.name in _COUNTS and atom.test in bounds:
            yield atom.subject.name
