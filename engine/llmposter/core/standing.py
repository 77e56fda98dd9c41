"""Where a request stands, found without moving anything: for whoever asks what a request would get."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmposter.core.conversation import Conversation, Moment
from llmposter.core.dispatch import find
from llmposter.core.lanes import Caller
from llmposter.model import Struct

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llmposter.core.dispatch import Found
    from llmposter.core.fingerprint import Prints
    from llmposter.core.lanes import Lane
    from llmposter.core.positions import Position
    from llmposter.core.replay import Player
    from llmposter.core.sessions import Session
    from llmposter.model import Turn


class Standing(Struct, frozen=True):
    """Where a request stands.

    Attributes:
        conversation: its id, "" for one that this request would begin.
        foreign: the first message of its history that is not the machine's, or None.
        refused: the scenario would refuse such a history.
    """

    player: Player
    stands: Conversation
    moment: Moment
    conversation: str = ""
    foreign: int | None = None
    refused: bool = False


def standing(players: Sequence[Player], session: Session, turn: Turn, prints: Prints, now: float) -> Standing | None:
    """Where it stands; None if no scenario takes it."""
    found = find(players, session, turn, prints, now)
    if found is None:
        return None
    position, stands, foreign = _settled(found, now)
    lane = _lane(found, position, prints, now)
    talk = lane.talk if lane is not None else position.talk if position is not None and not position.root else None
    attempt = 1
    if lane is not None:
        stands, attempt = lane.stands, lane.attempts + 1 if lane.input == prints.full else 1
    number = 0 if talk is None else talk.number
    name = "" if talk is None else talk.id
    moment = Moment(now, attempt, name, session.name, number, prints.full.hex())
    refused = foreign is not None and found.player.program.foreign == "reject"
    return Standing(found.player, stands, moment, name, foreign, refused)


def _settled(found: Found, now: float) -> tuple[Position | None, Conversation, int | None]:
    """The recorded position, how the conversation stands after its last answer, and what is foreign of it."""
    player, position, walk = found.player, found.position, found.walk
    if walk is None:
        if position is None:
            return None, player.machine.begin(now), None
        stands = player.opening(now, foreign=True) if position.root else position.stands
        return position, stands, position.talk.foreign
    if walk.foreign is not None and player.program.foreign == "latest" and (talk := found.space.latest) is not None:
        return None, talk.latest, walk.foreign
    stands = walk.marks[-1].stands if walk.marks else player.opening(now, foreign=True)
    return None, stands, walk.foreign


def _lane(found: Found, position: Position | None, prints: Prints, now: float) -> Lane | None:
    """The lane that waits there for an answer: this client's, else the only one there is."""
    if position is None and found.walk is not None:
        return None
    opening = position is None or position.root
    places = prints.openings if position is None or position.root else (position.print,)
    if position is not None and not opening and position.ids:
        places = (*places, position.print + position.talk.id.encode())
    caller = Caller(found.caller.who, found.caller.connection, prints.full, found.caller.retry, found.caller.alone)
    lane = found.space.lanes.find(caller, places, now, None)
    if lane is not None and lane.answer is None:
        return lane
    waiting = found.space.lanes.waiting(places)
    return waiting[0] if len(waiting) == 1 else None
