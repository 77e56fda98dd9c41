"""States behind rules that can never fire; the language finds those to which nothing leads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmposter.lint.never import studied
from llmposter_dsl.diagnostic import Diagnostic, Related
from llmposter_dsl.place import Within
from llmposter_dsl.words import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llmposter.lint.checking import Seen
    from llmposter.lint.never import Study
    from llmposter_dsl.place import Place


def check(seen: Seen) -> Iterator[Diagnostic]:
    """States to which only rules lead that no request fires."""
    if seen.program.kind == "fixtures":
        return
    study = studied(seen.program)
    for state in seen.program.states:
        if state in study.joined and state not in study.reached:
            place = _place(study, state)
            if place is not None:
                message = f"no conversation ever reaches the state `{state}`"
                help_ = "the rules that lead there can never fire, or stand in states that cannot be reached"
                yield Diagnostic("LP301", message, place, help_, tuple(_ways(study, state)))


def _ways(study: Study, state: str) -> Iterator[Related]:
    for source in study.program.states:
        for name, never in study.never(source).items() if source in study.reached else ():
            if never.rule.goto == state and never.rule.group == source:
                yield Related(never.rule.place, f"{shown(name)} can never fire")


def _place(study: Study, state: str) -> Place | None:
    rules = study.program.states[state]
    if rules and isinstance(place := rules[0].place, Within):
        return Within(place.document, place.path[:-1], "key")
    root = study.program.place
    return root.child("scenario", "final") if isinstance(root, Within) and state in study.program.final else None
