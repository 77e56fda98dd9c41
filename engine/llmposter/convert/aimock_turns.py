"""aimock's `turnIndex` as the order of rules (`selectByTurnIndex` in its `router.js`).

Of all fixtures that match, the one answers whose turn is the latest that the history has reached; without one, a
fixture without a turn; without that, the one whose turn comes first. At its very turn it stands back behind a fixture
without a turn that is written before it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llmposter.convert.draft import Entry

_ANSWERS = 'count(messages, it.role == "assistant")'


@dataclass(frozen=True, slots=True, eq=False)
class Fixture:
    """A fixture, the conditions under which it matches, and its turn."""

    entry: Entry
    conditions: list[str]
    turn: int | None

    @property
    def asked(self) -> frozenset[str]:
        return frozenset(self.conditions)


def in_order(fixtures: Sequence[Fixture]) -> Iterator[tuple[Entry, list[str]]]:
    """The fixtures in the order in which they are to be tried, each with all of its conditions."""
    scripted = sorted((each for each in fixtures if each.turn is not None), key=_turn, reverse=True)
    plain = [each for each in fixtures if each.turn is None]
    if not scripted:
        yield from ((each.entry, each.conditions) for each in plain)
        return
    before = _before(fixtures)
    for each in scripted:
        yield each.entry, [*each.conditions, *_reached(each, before[each])]
    yield from ((each.entry, each.conditions) for each in plain)
    ready = {each.asked for each in fixtures if _turn(each) <= 0}
    for each in sorted(scripted, key=_turn):
        # Nobody else answers, wherever it matches, before its turn has come.
        if _turn(each) > 0 and not _covered(each, ready):
            yield each.entry, each.conditions


def _turn(fixture: Fixture) -> int:
    return fixture.turn or 0


def _before(fixtures: Sequence[Fixture]) -> dict[Fixture, bool]:
    """Whether a fixture without a turn that matches wherever this one does is written before it."""
    plain: set[frozenset[str]] = set()
    found = {}
    for each in fixtures:
        found[each] = _covered(each, plain)
        if each.turn is None:
            plain.add(each.asked)
    return found


def _covered(fixture: Fixture, others: Collection[frozenset[str]]) -> bool:
    asked = fixture.asked
    return asked in others or any(other <= asked for other in others)


def _reached(fixture: Fixture, behind: bool) -> Iterator[str]:  # noqa: FBT001 - what was asked before
    turn = _turn(fixture)
    if behind:
        yield f"{_ANSWERS} > {turn}"
    elif turn > 0:
        yield f"{_ANSWERS} >= {turn}"
