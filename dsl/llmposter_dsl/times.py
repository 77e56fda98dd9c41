"""Lengths of time that tables give: more than none, and what to say where no test waits for one."""

from __future__ import annotations

from typing import Final

from llmposter_dsl import bind, words
from llmposter_dsl.answers import duration
from llmposter_dsl.diagnostic import Diagnostic
from llmposter_dsl.place import Within
from llmposter_dsl.program import Duration

PATIENCE: Final = 300.0
"""Seconds that a test waits at most, on the machine's own clock, for a credential to expire."""


def some_time(table: bind.Table, name: str) -> Duration | None:
    """The duration that a key holds, which has to be more than none."""
    found = duration(table, name)
    if found is None or found > 0:
        return found
    table.refuse("LP114", f"`{name}` is {words.shown(table.get(name))}, expected more than no time", name)
    return None


def patient(seconds: float, place: Within, report: bind.Report) -> None:
    """Reports a lifetime that no test waits for."""
    if seconds > PATIENCE:
        message = f"no test waits {Duration(seconds)} for a token to expire"
        cure = "a manual clock gets there at once: `--clock manual`, and POST /_llmposter/clock/advance"
        report(Diagnostic("LP504", message, place, cure))
