"""A rule for an attempt that no SDK makes unless it is told to, or an error for all that they make.

## Why it is a mistake

The SDKs of OpenAI and Anthropic try three times, and Google's once.
A fourth attempt comes only from a client that retries more often, so that a test with the defaults never sees the rule,
or what comes after the errors.

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
goto  = "busy"

[[states.busy]]
times = 3  # LP318
error = "rate_limited"

[[states.busy]]
reply = "Here I am."
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

from msgspec.structs import replace

from llmposter.lint.meant import rules
from llmposter.lint.never import studied
from llmposter.lint.retrying import retried
from llmposter.lint.witness import Wanted, witnesses
from llmposter_dsl import words
from llmposter_dsl.analysis import Atom, contradict
from llmposter_dsl.codes import Code
from llmposter_dsl.diagnostic import Diagnostic
from llmposter_dsl.expressions.syntax import Name
from llmposter_dsl.place import Within

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from llmposter.lint.checking import Seen
    from llmposter.lint.never import Study
    from llmposter.lint.witness import Witness
    from llmposter_dsl.analysis import Signed
    from llmposter_dsl.place import Place
    from llmposter_dsl.program import Rule

CODE = Code("info", "attempt that no SDK makes by itself")
_TRIES: Final = 3
"""Of `openai` and `anthropic`: `max_retries` is 2 (docs/sdk-behaviour.md)."""
_FEW: Final[Signed] = (Atom(Name("attempt"), "<=", ("number", _TRIES)), True)
_FIRST: Final[Signed] = (Atom(Name("attempt"), "==", ("number", 1)), True)
_PLAYED: Final = 50


def check(seen: Seen) -> Iterator[Diagnostic]:
    """Rules that wait for more attempts than SDKs make, and errors that outlast these."""
    if seen.program.kind == "fixtures":
        return
    study = studied(seen.program)
    late = {id(rule): rule for rule in rules(seen.program) if _late(study, rule)}
    for rule in late.values():
        if rule.when is not None:
            message = f"{words.shown(rule.name)} waits for an attempt beyond the {_TRIES} that SDKs make by themselves"
            yield Diagnostic("LP318", message, rule.when.place)
    told: set[int] = set()
    for state in seen.program.states:
        for rule in study.live(state) if state in study.reached else ():
            if id(rule) not in told and _passes(rule) and retried(seen.program, rule):
                found = _outlasting(study, state, rule, late)
                told |= {id(rule)} if found is not None else set()
                yield from () if found is None else (found,)


def _late(study: Study, rule: Rule) -> bool:
    """Whether its condition wants an attempt that no SDK makes."""
    possible = [clause for clause in study.clauses(rule) or () if not contradict(clause)]
    return rule.when is not None and bool(possible) and all(contradict((*clause, _FEW)) for clause in possible)


def _passes(rule: Rule) -> bool:
    """Whether it may fail as often as SDKs try, and then no more."""
    if rule.when is not None and (rule.when.volatile or rule.when.apart is None):
        return False
    return (rule.times or 0) >= _TRIES or (rule.when is not None and "attempt" in rule.when.text)


def _outlasting(study: Study, state: str, rule: Rule, late: Collection[int]) -> Diagnostic | None:
    """The finding on a rule that fails as often as SDKs try, where another one comes after it."""
    wanted = Wanted(study.program, state, rule, study.known(state))
    for clause in study.clauses(rule) or ():
        if contradict(asked := (*clause, _FIRST), wanted.known):
            continue
        for witness in witnesses(wanted, asked, {}):
            tries, after = _played(study, witness, rule)
            if tries < _TRIES or after is None or id(after) in late:
                continue
            message = f"{words.shown(rule.name)} fails {tries} times, and SDKs try no more than {_TRIES} by themselves"
            return Diagnostic("LP318", message, _place(rule), f"so it is {witness.where}")
    return None


def _played(study: Study, witness: Witness, rule: Rule) -> tuple[int, Rule | None]:
    """How often a request and its retries, with no time between, meet the rule; and the rule that they meet then."""
    stands, moment = witness.stands, witness.moment
    for tries in range(_PLAYED):
        met = study.tables.meets(stands, witness.turn, moment)
        if met is not rule:
            return tries, met
        stands = study.tables.advance(stands, witness.turn, moment).after
        moment = replace(moment, attempt=moment.attempt + 1)
    return _PLAYED, None


def _place(rule: Rule) -> Place:
    if (rule.times or 0) >= _TRIES and isinstance(rule.place, Within):
        return rule.place.child("times")
    return rule.place if rule.when is None else rule.when.place
