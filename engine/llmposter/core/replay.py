"""A history played through the machine to find where it leads, stepping over errors, which a history cannot show.

Pure: nothing is recorded here; what was found comes back as marks.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from msgspec.structs import replace

from llmposter.core.conversation import Conversation, Moment, Step
from llmposter.model import Failure, Message, Miss, Reply, Turn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from llmposter.core.fingerprint import Prints
    from llmposter_dsl.program import Program

MOST_ATTEMPTS: Final = 50
"""Errors that are stepped over before one answer."""


class Machine(Protocol):
    """What conversations need of a machine; `llmposter.core.machine` is one."""

    def advance(self, conversation: Conversation, turn: Turn, moment: Moment) -> Step: ...
    def begin(self, now: float) -> Conversation: ...
    def serves(self, turn: Turn) -> bool: ...
    def key(self, turn: Turn) -> str | None: ...


@dataclass(frozen=True, slots=True, eq=False)
class Player:
    """One scenario on the server, with its machine and its place in the order given.

    Attributes:
        same: whether a message of a history is what a step answered.
    """

    index: int
    program: Program
    machine: Machine
    same: Callable[[Step, Message], bool]

    def opening(self, now: float, *, foreign: bool = False) -> Conversation:
        """Where a conversation begins, and where one whose history is foreign does."""
        stands = self.machine.begin(now)
        if foreign and self.program.foreign.startswith("state:"):
            return replace(stands, state=self.program.foreign.removeprefix("state:"))
        return stands


@dataclass(frozen=True, slots=True)
class Mark:
    """Where the conversation stood after the first *count* messages; at a root it begins there."""

    count: int
    stands: Conversation
    ids: tuple[str, ...] = ()
    root: bool = False


@dataclass(slots=True)
class Walk:
    """What a replay found.

    Attributes:
        marks: after each answer in order, from the last root on.
        foreign: the first message that is not the machine's, or None.
    """

    marks: list[Mark] = field(default_factory=list)
    foreign: int | None = None


def walk(player: Player, turn: Turn, prints: Prints, begin: Mark, now: float, *, stop_at_foreign: bool = False) -> Walk:
    """The rest of the history from *begin* on."""
    found, stands = Walk(), begin.stands
    for index in _from(prints.answers, begin.count):
        after = _answered(player, stands, turn, index, prints, now)
        message = turn.messages[index]
        if after is not None:
            found.marks.append(Mark(index + 1, after, tuple(call.id for call in message.calls if call.id)))
        else:
            found.foreign = index if found.foreign is None else found.foreign
            if stop_at_foreign:
                return found
            after = player.opening(now, foreign=True)
            found.marks = [Mark(index + 1, after, root=True)]
        stands = after
    return found


def _from(answers: Iterable[int], count: int) -> Iterable[int]:
    return (index for index in answers if index >= count)


def _answered(
    player: Player, stands: Conversation, turn: Turn, index: int, prints: Prints, now: float
) -> Conversation | None:
    """Where the machine stands after giving the answer at *index* of the history; None if it gives another one."""
    shown = replace(turn, messages=turn.messages[:index])
    name = prints.after[index].hex()
    for attempt in range(1, MOST_ATTEMPTS + 1):
        moment = Moment(now=now, attempt=attempt, session=turn.request.session, fingerprint=name, replayed=True)
        step = player.machine.advance(stands, shown, moment)
        match step.outcome:
            case Reply():
                return step.after if player.same(step, turn.messages[index]) else None
            case Failure():
                stands = step.after
            case Miss():
                return None
    return None
