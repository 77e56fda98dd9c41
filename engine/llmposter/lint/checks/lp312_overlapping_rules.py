"""Two rules of a state that both take some request, so that their order decides; the help shows one.

It is only looked for where it is selected: rules for different words overlap in every request that has them all.
A rule that takes whatever another one takes is no finding: the narrower one comes first, and the other is for the rest.

## Why it is a mistake

It need not be one.
But if the two are moved, such a request gets another answer, and nothing else tells.

## Example

```toml
[[states.begin]]
when  = 'user mentions "refund"'
reply = "About your refund."

[[states.begin]]
when  = 'user mentions "invoice"'  # LP312
reply = "About your invoice."
```

## Instead

Say in one of them that the other is not meant; or leave it, knowing which comes first.

```toml
[[states.begin]]
when  = 'user mentions "refund"'
reply = "About your refund."

[[states.begin]]
when  = 'user mentions "invoice" and not (user mentions "refund")'
reply = "About your invoice."
```
"""

from __future__ import annotations

from itertools import combinations, islice
from typing import TYPE_CHECKING, Final

from llmposter.lint.never import studied
from llmposter.lint.witness import Wanted, witnesses
from llmposter_dsl import words
from llmposter_dsl.analysis import contradict, refuted
from llmposter_dsl.codes import Code
from llmposter_dsl.diagnostic import Diagnostic, Related

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llmposter.lint.checking import Seen
    from llmposter.lint.never import Study
    from llmposter.lint.witness import Witness
    from llmposter_dsl.program import Rule

CODE = Code("info", "rules whose order decides", asked=True)
_MOST: Final = 5_000
"""Pairs of one state that are looked at."""


def check(seen: Seen) -> Iterator[Diagnostic]:
    """Pairs of rules that share some requests, each with others of its own."""
    if seen.program.kind == "fixtures":
        return
    study = studied(seen.program)
    for state in seen.program.states:
        live = [rule for rule in study.live(state) if rule.group == state and rule.when is not None]
        for one, other in islice(combinations(live, 2), _MOST) if state in study.reached else ():
            witness = both(study, state, one, other)
            if witness is not None and other.when is not None:
                message = f"{words.shown(one.name)} and {words.shown(other.name)} take some requests both"
                help_ = f"{words.shown(one.name)} fires {witness.where}, since it comes first"
                related = (Related(one.place, f"{words.shown(one.name)} stands here"),)
                yield Diagnostic("LP312", message, other.when.place, help_, related)


def both(study: Study, state: str, one: Rule, other: Rule) -> Witness | None:
    """A request that the first takes although the other would, where neither is for the rest of the other."""
    ours, theirs, known = study.clauses(one), study.clauses(other), study.known(state)
    if ours is None or theirs is None or all(refuted(clause, theirs, known) for clause in ours):
        return None
    for clause in ((*mine, *its) for mine in ours for its in theirs):
        if contradict(clause, known):
            continue
        for witness in witnesses(Wanted(study.program, state, other, known), clause, {}):
            if study.tables.meets(witness.stands, witness.turn, witness.moment) is one:
                return witness
    return None
