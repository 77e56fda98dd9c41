"""aimock's `turnIndex` as the order of rules (`selectByTurnIndex` in its `router.js`).

Of all fixtures that match, the one answers whose turn is the latest that the history has reached; without one, a
fixture without a turn; without that, the one whose turn comes first. At its very turn it stands back behind a fixture
without a turn that is written before it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llmposter.convert.draft import Entry

_ANSWERS = 'count(messages, it.role == "assistant")'


@dataclass(frozen=True, slots=True)
class Fixture:
    """A fixture, the conditions under which it matches, and its turn."""

    entry: Entry
    conditions: list[str]
    turn: int | None


def in_order(fixtures: Sequence[Fixture]) -> Iterator[tuple[Entry, list[str]]]:
    """The fixtures in the order in which they are to be tried, each with all of its conditions."""
    scripted = sorted((each for each in fixtures if each.turn is not None), key=_turn, reverse=True)
    plain = [each for each in fixtures if each.turn is None]
    if not scripted:
        yield from ((each.entry, each.conditions) for each in plain)
        return
    for each in scripted:
        yield each.entry, [*each.conditions, *_reached(each, fixtures)]
    yield from ((each.entry, each.conditions) for each in plain)
    for each in sorted(scripted, key=_turn):
        if _turn(each) > 0 and not _has_stand_in(each, fixtures):
            yield each.entry, each.conditions


def _turn(fixture: Fixture) -> int:
    return fixture.turn or 0


def _reached(fixture: Fixture, fixtures: Sequence[Fixture]) -> Iterator[str]:
    turn = _turn(fixture)
    before = fixtures[: fixtures.index(fixture)]
    if any(each.turn is None and set(each.conditions) <= set(fixture.conditions) for each in before):
        yield f"{_ANSWERS} > {turn}"
    elif turn > 0:
        yield f"{_ANSWERS} >= {turn}"


def _has_stand_in(fixture: Fixture, fixtures: Sequence[Fixture]) -> bool:
    """Whether another one answers, wherever this one matches, before its turn has come."""
    return any(_turn(each) <= 0 and set(each.conditions) <= set(fixture.conditions) for each in fixtures)
