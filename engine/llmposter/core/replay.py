"""A history played through the machine to find where it leads, stepping over errors, which a history cannot show.

Pure: nothing is recorded here; what was found comes back as marks.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from msgspec.structs import replace

from llmposter.core import answer
from llmposter.core.conversation import HARMLESS, Conversation, Moment, Step, interrupted
from llmposter.core.remains import remains
from llmposter.model import Failure, Miss, Reply, Turn
from llmposter_dsl.program import Say

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from llmposter.core.fingerprint import Prints
    from llmposter.model import Message
    from llmposter_dsl.program import Program

MOST_ATTEMPTS: Final = 50
"""Errors that are stepped over before one answer."""
_LONG: Final = 20


class Machine(Protocol):
    """What conversations need of a machine; `llmposter.core.tables` is one."""

    def advance(self, conversation: Conversation, turn: Turn, moment: Moment) -> Step: ...
    def begin(self, now: float) -> Conversation: ...
    def serves(self, turn: Turn) -> bool: ...
    def key(self, turn: Turn) -> str | None: ...


@dataclass(frozen=True, slots=True, eq=False)
class Player:
    """One scenario on the server, with its machine and its place in the order given."""

    index: int
    program: Program
    machine: Machine

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


@dataclass(frozen=True, slots=True)
class Past:
    """A history and the machine that may have made it."""

    player: Player
    turn: Turn
    prints: Prints
    now: float

    def walk(self, begin: Mark, *, stop_at_foreign: bool = False) -> Walk:
        """The rest of the history from *begin* on."""
        found, stands = Walk(), begin.stands
        for index in self.prints.answers:
            if index < begin.count:
                continue
            if (step := self._answered(stands, index)) is not None:
                stands = step.after
                message = self.turn.messages[index]
                ids = made_ids(step, [call.id for call in message.calls])
                found.marks.append(Mark(index + 1, stands, (message.answer, *ids) if message.answer else ids))
                continue
            found.foreign = index if found.foreign is None else found.foreign
            if stop_at_foreign:
                break
            stands = self.player.opening(self.now, foreign=True)
            found.marks = [Mark(index + 1, stands, root=True)]
        return found

    def _answered(self, stands: Conversation, index: int) -> Step | None:
        """The step that gives the answer at *index* of the history; None if the machine gives another one."""
        machine, turn = self.player.machine, self.turn
        shown = replace(turn, messages=turn.messages[:index])
        session, name = turn.request.session, self.prints.upto(index).hex()
        accepted = None
        for attempt in range(1, MOST_ATTEMPTS + 1):
            moment = Moment(self.now, attempt, session=session, fingerprint=name, replayed=True)
            step = machine.advance(stands, shown, moment)
            match step.outcome:
                case Reply() if any(fault.action not in HARMLESS for fault in step.faults):
                    # Most likely a later attempt gave it whole; else the fault had no point there, or none minded it.
                    if accepted is None and _shows(step, step.outcome, turn.messages[index]):
                        accepted = step
                    stands = interrupted(step)
                case Reply():
                    return step if _shows(step, step.outcome, turn.messages[index]) else accepted
                case Failure():
                    stands = step.after
                case Miss():
                    return accepted
        return accepted


def _shows(step: Step, reply: Reply, message: Message) -> bool:
    """Whether *message* is the reply of a step, or what its faults may have left of it."""
    return answer.same(step, message) or (bool(step.faults) and remains(reply, step.faults, message))


def made_ids(step: Step, ids: Sequence[str]) -> tuple[str, ...]:
    """Those of the ids of a step's calls that the server made, so that each names one position.

    An author's own id comes in every conversation, and a short one may be a framework's own counting.
    """
    if not ids:
        return ()
    said = step.rule.outcome if step.rule is not None else None
    own = [call.id is not None for call in said.calls] if isinstance(said, Say) else [False] * len(ids)
    return tuple(name for name, of_author in zip(ids, own, strict=False) if not of_author and len(name) >= _LONG)


def shown_ids(message: Message) -> Iterator[str]:
    """The ids in a message of a history that can name one position: the answer's own first, for it names no other."""
    if message.answer:
        yield message.answer
    for call in message.calls:
        yield call.id
