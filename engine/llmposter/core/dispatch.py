"""Which scenario a request goes to, and where in it its history stands, before anything is changed.

Scenarios share no positions. One that knows the history is asked before one that merely serves such requests.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from llmposter.core.fingerprint import Prints, client_of
from llmposter.core.lanes import NOWHERE, Caller
from llmposter.core.replay import Mark, Past, Player, Walk, shown_ids

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llmposter.core.positions import Position, Space
    from llmposter.core.sessions import Session
    from llmposter.model import Turn


@dataclass(slots=True)
class Found:
    """Where a request stands in one scenario.

    Attributes:
        position: after its last answer; or, before a `walk`, the last that is recorded.
        walk: the replay that leads on from there, None where none was needed.
    """

    player: Player
    space: Space
    caller: Caller
    position: Position | None = None
    walk: Walk | None = None

    @property
    def known(self) -> bool:
        """The history is wholly this machine's, few-shot prompts aside."""
        if self.walk is not None:
            return self.walk.foreign is None
        return self.position is not None and not self.position.root


class Dispatch:
    """The look-up of one request."""

    __slots__ = ("_found", "_now", "_players", "_prints", "_serves", "_session", "_turn")

    def __init__(self, players: Sequence[Player], session: Session, turn: Turn, prints: Prints, now: float) -> None:
        self._players, self._session, self._turn, self._prints, self._now = players, session, turn, prints, now
        self._serves: dict[int, bool] = {}
        self._found: dict[int, Found] = {}

    def find(self) -> Found | None:
        """Where the request stands; None if no scenario takes it."""
        if not self._prints.answers:
            return next((self._enter(player) for player in self._players if self._served(player)), None)
        for look in (self._recorded, self._replayed):
            for serves in (True, False):
                for player in self._players:
                    if (len(self._players) == 1 or self._served(player) is serves) and (found := look(player)).known:
                        return found
        return next((self._replayed(player) for player in self._players if self._served(player)), None)

    def _served(self, player: Player) -> bool:
        if (known := self._serves.get(player.index)) is None:
            known = self._serves[player.index] = player.program.serves is None or player.machine.serves(self._turn)
        return known

    def _enter(self, player: Player) -> Found:
        """The space that the request is of, and who asks."""
        if (found := self._found.get(player.index)) is not None:
            return found
        turn = self._turn
        key = player.machine.key(turn) if player.program.key is not None else None
        if key is None:
            # A client that sends retry counts and one that does not are two.
            who = client_of(turn.system) + (b"-" if turn.retry is None else b"+")
            caller = Caller(who, turn.request.connection, self._prints.full, turn.retry)
        else:
            caller = Caller(b"", NOWHERE, self._prints.full, turn.retry)
        self._found[player.index] = found = Found(player, self._session.space(player.index, key), caller)
        return found

    def _recorded(self, player: Player) -> Found:
        found = self._enter(player)
        if found.position is None:
            self._look(found, self._prints.answers[-1])
        return found

    def _look(self, found: Found, index: int) -> None:
        """The position after the answer at *index*, by an id that it gave out or by the history."""
        space, caller, prints = found.space, found.caller, self._prints
        if (position := space.named(shown_ids(self._turn.messages[index]))) is not None:
            found.position = position
        else:
            went = prints.full if index == prints.answers[-1] else _next_input(prints, index)
            found.position = space.at(prints.upto(index + 1), caller.who, caller.connection.number, went)

    def _replayed(self, player: Player) -> Found:
        """From the longest prefix on that is recorded."""
        found = self._recorded(player)
        if found.walk is not None or found.position is not None:
            return found
        count, stands = 0, player.opening(self._now)
        for index in reversed(self._prints.answers[:-1]):
            self._look(found, index)
            if found.position is not None:
                count, stands = index + 1, found.position.stands
                break
        strict = player.program.foreign == "reject" or (
            player.program.foreign == "latest" and found.space.latest is not None
        )
        past = Past(player, self._turn, self._prints, self._now)
        found.walk = past.walk(Mark(count, stands), stop_at_foreign=strict)
        return found


def _next_input(prints: Prints, index: int) -> bytes:
    """The history up to the answer that follows the one at *index*."""
    return prints.upto(next(other for other in prints.answers if other > index))
