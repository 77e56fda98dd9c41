"""A rule that calls a tool, after which every result leads to another call, for ever.

## Why it is a mistake

An agent that answers calls would do so until its own limit, and never hear anything else.
A scenario that has nothing but calls is left alone, since it was meant so.

## Example

```toml
[[states.begin]]
when  = 'user mentions "hello"'
reply = "What shall I look for?"

[[states.begin]]
call = 'search(query: user)'
goto = "found"

[[states.found]]
call = 'search(query: "more")'  # LP313
```

## Instead

Give some result an answer that calls nothing, or let the call fire only so often.

```toml
[[states.begin]]
when  = 'user mentions "hello"'
reply = "What shall I look for?"

[[states.begin]]
call = 'search(query: user)'
goto = "found"

[[states.found]]
times = 1
call  = 'search(query: "more")'

[[states.found]]
reply = "I have found it."
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmposter.lint.calling import ANSWERED, called, calls, takes
from llmposter.lint.meant import rules
from llmposter.lint.never import studied
from llmposter_dsl import words
from llmposter_dsl.analysis import refuted
from llmposter_dsl.codes import Code
from llmposter_dsl.diagnostic import Diagnostic

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from llmposter.lint.checking import Seen
    from llmposter.lint.never import Study
    from llmposter_dsl.program import Rule

CODE = Code("warning", "tool loop without an exit")


def check(seen: Seen) -> Iterator[Diagnostic]:
    """Calls after which there is nothing but calls."""
    if seen.program.kind == "fixtures" or not called(rules(seen.program)):
        return
    study = studied(seen.program)
    if not any(_answers(rule) for state in study.reached for rule in study.live(state)):
        return
    loop = _closed({state: _takers(study, state) for state in seen.program.states if state in study.reached})
    told: set[str] = set()
    for state, takers in loop.items():
        for rule in takers:
            if rule.name not in told:
                told.add(rule.name)
                at = f"the state `{rule.goto or state}`"
                message = f"{words.shown(rule.name)} calls, and whatever is answered, {at} only calls again"
                help_ = "give some result an answer without a call, or the call `times`"
                yield Diagnostic("LP313", message, calls(rule)[0].place, help_)


def _answers(rule: Rule) -> bool:
    return rule.outcome is not None and not calls(rule)


def _takers(study: Study, state: str) -> tuple[Rule, ...]:
    """The rules that take the results of calls in a state; none where something else may happen to these."""
    possible = called(rules(study.program))
    takers = tuple(rule for rule in study.live(state) if takes(study, state, rule, (), possible))
    if any(not calls(rule) or rule.times is not None or rule.faults for rule in takers):
        return ()
    taken = [clause for rule in takers for clause in study.clauses(rule) or ()]
    return takers if refuted(ANSWERED, taken, study.known(state)) else ()


def _closed(loop: Mapping[str, tuple[Rule, ...]]) -> Mapping[str, tuple[Rule, ...]]:
    """The states that are only left for each other."""
    while True:
        kept = {
            state: takers
            for state, takers in loop.items()
            if takers and all((rule.goto or state) in loop for rule in takers)
        }
        if len(kept) == len(loop):
            return kept
        loop = kept
