"""Faults that never strike, tried on every wire; the language finds those that no wire could help."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmposter.lint.meant import meant_for, rules
from llmposter_dsl.diagnostic import Diagnostic
from llmposter_dsl.words import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llmposter.lint.checking import Seen


def check(seen: Seen) -> Iterator[Diagnostic]:
    """Faults that strike no answer of their rule, on any wire whose clients can get to it."""
    program = seen.program
    faulty = [rule for rule in rules(program) if rule.faults]
    if not faulty:
        return
    from llmposter.lint.striking import never
    from llmposter.wire import load

    for rule in faulty:
        meant = [wire for wire in load().values() if meant_for(wire, program.serves) and meant_for(wire, rule.when)]
        for fault, lacks in never(program, rule, meant):
            yield Diagnostic("LP402", f"{shown(fault.text)} never strikes: {lacks}", fault.place)
