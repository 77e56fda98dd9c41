"""Which scenario a request goes to, and where in it its history stands, before anything is changed.

Scenarios share no positions. One that knows the history is asked before one that merely serves such requests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from llmposter.core.fingerprint import Prints, client_of
from llmposter.core.lanes import NOWHERE, Caller
from llmposter.core.replay import Mark, Past, Player, Walk, shown_ids

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llmposter.core.positions import Position, Space
    from llmposter.core.sessions import Session
    from llmposter.model import Turn


class Found(msgspec.Struct, eq=False):
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


def find(players: Sequence[Player], session: Session, turn: Turn, prints: Prints, now: float) -> Found | None:
    """Where the request stands; None if no scenario takes it."""
    if prints.last >= 0:
        return Dispatch(players, session, turn, prints, now).find()
    for player in players:
        if player.program.serves is None or player.machine.serves(turn):
            return _entered(player, session, turn, prints)
    return None


def _entered(player: Player, session: Session, turn: Turn, prints: Prints) -> Found:
    """The space that the request is of, and who asks."""
    if player.program.key is not None and (key := player.machine.key(turn)) is not None:
        return Found(player, session.space(player.index, key), Caller(b"", NOWHERE, prints.full, turn.retry))
    who = client_of(turn.system, counts=turn.retry is not None)
    caller = Caller(who, turn.request.connection, prints.full, turn.retry, session.alone)
    return Found(player, session.space(player.index, None), caller)


class Dispatch(msgspec.Struct, eq=False):
    """The look-up of one request that has a history."""

    players: Sequence[Player]
    session: Session
    turn: Turn
    prints: Prints
    now: float
    _serves: dict[int, bool] = {}
    _found: dict[int, Found] = {}

    def find(self) -> Found | None:
        if len(self.players) == 1:
            return self._only(self.players[0])
        for look in (self._recorded, self._replayed):
            for serves in (True, False):
                for player in self.players:
                    if self._served(player) is serves and (found := look(player)).known:
                        return found
        return next((self._replayed(player) for player in self.players if self._served(player)), None)

    def _only(self, player: Player) -> Found | None:
        if (found := self._recorded(player)).known or (found := self._replayed(player)).known or self._served(player):
            return found
        return None

    def _served(self, player: Player) -> bool:
        if (known := self._serves.get(player.index)) is None:
            known = self._serves[player.index] = player.program.serves is None or player.machine.serves(self.turn)
        return known

    def _enter(self, player: Player) -> Found:
        if (found := self._found.get(player.index)) is None:
            found = self._found[player.index] = _entered(player, self.session, self.turn, self.prints)
        return found

    def _recorded(self, player: Player) -> Found:
        found = self._enter(player)
        if found.position is None:
            self._look(found, self.prints.last)
        return found

    def _look(self, found: Found, index: int) -> None:
        """The position after the answer at *index*, by an id that it gave out or by the history."""
        space, caller, prints = found.space, found.caller, self.prints
        if (position := space.named(shown_ids(self.turn.messages[index]))) is not None:
            found.position = position
        else:
            went = prints.full if index == prints.last else _next_input(prints, index)
            number, provider = caller.connection.number, self.turn.provider
            found.position = space.at(prints.upto(index + 1), caller.who, number, provider, went)

    def _replayed(self, player: Player) -> Found:
        """From the longest prefix on that is recorded."""
        found = self._recorded(player)
        if found.walk is not None or found.position is not None:
            return found
        count, stands = 0, player.opening(self.now)
        for index in reversed(self.prints.answers[:-1]):
            self._look(found, index)
            if found.position is not None:
                count, stands = index + 1, found.position.stands
                break
        if not player.program.remembers:
            # Nothing depends on what was said before, so that nothing has to be played again.
            found.walk = Walk([Mark(self.prints.last + 1, stands, root=True)], self.prints.answers[0])
            return found
        strict = player.program.foreign == "reject" or (
            player.program.foreign == "latest" and found.space.latest is not None
        )
        past = Past(player, self.turn, self.prints, self.now)
        found.walk = past.walk(Mark(count, stands), stop_at_foreign=strict)
        return found


def _next_input(prints: Prints, index: int) -> bytes:
    """The history up to the answer that follows the one at *index*."""
    return prints.upto(next(other for other in prints.answers if other > index))
