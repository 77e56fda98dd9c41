"""Rules whose requests are all taken, or of which there are none; the language finds those that plainly are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmposter.lint.never import plainly, studied
from llmposter_dsl import words
from llmposter_dsl.diagnostic import Diagnostic, Related

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llmposter.lint.checking import Seen
    from llmposter.lint.never import Never, Study


def check(seen: Seen) -> Iterator[Diagnostic]:
    """Rules that no request fires, each with a request that shows it."""
    if seen.program.kind == "fixtures":
        return
    for never in studied(seen.program).nowhere():
        if not plainly(seen.program, never):
            yield _told(studied(seen.program), never)


def _told(study: Study, never: Never) -> Diagnostic:
    rule = never.rule
    named = f"the rule {words.shown(rule.name)} can never fire"
    if never.taker is None or never.witness is None:
        place = rule.place if rule.when is None else rule.when.place
        return Diagnostic("LP302", f"{named}: no request is as its `when` wants it", place, study.why(never))
    takers = words.listed(tuple(each.name for each in never.by))
    related = tuple(Related(each.place, f"{words.shown(each.name)} stands here") for each in never.by)
    help_ = f"{words.shown(never.taker.name)} fires {never.witness.where}"
    return Diagnostic("LP302", f"{named}: all of its requests are taken by {takers}", rule.place, help_, related)
