"""Where a client stands, as plain data: everything that a rule may look at and that a history alone may not show.

Pure: time, chance and identity come in with a `Moment`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeAlias

import msgspec
from msgspec.structs import replace

from llmposter.core.pacing import Rhythm
from llmposter.model import Outcome, Part, Struct, Violation
from llmposter_dsl.program import Delivery, Duration, Fault, Rule, Value

HARMLESS = ("stall", "duplicate")
"""Faults that leave an answer whole: the client has all of it."""
_MOST_SHARED = 10_000
"""Tables of counts that the conversations of one scenario share."""


class Counts(dict[str, int]):
    """Counts by name that never change: conversations that did alike share them, which is most of what they hold."""

    __slots__ = ("more", "room")

    def __init__(self, values: Mapping[str, int] = MappingProxyType({}), room: list[int] | None = None) -> None:
        super().__init__(values)
        self.more = _More(self)
        self.room = [_MOST_SHARED] if room is None else room


class _More(dict[str, Mapping[str, int]]):
    """By name the counts with one more of it, made when first asked for."""

    __slots__ = ("_counts",)

    def __init__(self, counts: Counts) -> None:
        self._counts = counts

    def __missing__(self, name: str) -> Mapping[str, int]:
        values = _plus_one(self._counts, name)
        if self._counts.room[0] <= 0:
            return values
        self._counts.room[0] -= 1
        self[name] = made = Counts(values, self._counts.room)
        return made


def counted(counts: Mapping[str, int], name: str) -> Mapping[str, int]:
    """*counts* with one more of *name*."""
    return counts.more[name] if isinstance(counts, Counts) else _plus_one(counts, name)


def _plus_one(counts: Mapping[str, int], name: str) -> dict[str, int]:
    return {**counts, name: counts.get(name, 0) + 1}


class Conversation(Struct, frozen=True, gc=False):
    """A conversation at one position. JSON-able; a new one is made for every step.

    Attributes:
        visits: answers given in each state, errors not counted. fired: how often each rule fired, by `rule.name`.
        answers: answers of this mock so far; `turn` is one more.
        began, entered, last: Unix seconds of the first request, of entering the state, of the last request.
        loose: variables that a replay set from what it cannot know (`now()`, `uuid()`, `age`), sorted.
    """

    state: str
    vars: Mapping[str, Value] = {}
    visits: Mapping[str, int] = {}
    fired: Mapping[str, int] = {}
    answers: int = 0
    began: float = 0.0
    entered: float = 0.0
    last: float = 0.0
    loose: tuple[str, ...] = ()


class Moment(Struct, frozen=True):
    """What a step needs to know beside conversation and turn.

    Attributes:
        now: Unix seconds on the server's clock.
        attempt: requests at this point of the history, this one included.
        conversation: the conversation's id.
        number: of the conversation among those of the session with the same opening, from 0; 0 in a replay.
        fingerprint: of the history, hexadecimal.
        replayed: the step is played again to find a position; its outcome is compared, never sent.
    """

    now: float
    attempt: int = 1
    conversation: str = ""
    session: str = ""
    number: int = 0
    fingerprint: str = ""
    replayed: bool = False


Pieces: TypeAlias = tuple[str | None, ...]
"""Text of which a replay does not know all: None stands for any text, an empty one too."""


class Unknown(Struct, frozen=True):
    """Stands in a JSON value for what a replay does not know."""


class Shape(Struct, frozen=True):
    """A JSON value with `Unknown` in it."""

    value: Value


class Pattern(Struct, frozen=True):
    """What a replayed reply is compared by where the scenario fills in what a replay cannot know.

    Attributes:
        text: of the reply. calls: the arguments of each call, as text or as JSON.
    """

    text: Pieces
    calls: tuple[Pieces | Shape, ...] = ()


class Struck(Struct, frozen=True):
    """A fault of an answer, and after how many bytes of the body it struck; None: the answer lacks its point."""

    fault: Fault
    after: int | None = None

    @property
    def breaks(self) -> bool:
        """The client did not get the answer as it was meant."""
        return self.after is not None and self.fault.action not in HARMLESS


class Damage(Struct, frozen=True):
    """What the faults of an answer do to it.

    Attributes:
        heard: what the client of a stream makes of it; None where it has nothing that it could read.
        intact: that is all of it, each stretch once, and the stream came to its end.
    """

    struck: tuple[Struck, ...]
    heard: tuple[Part, ...] | None = None
    intact: bool = False

    @property
    def broken(self) -> Fault | None:
        """The first fault by which the client did not get it as it was meant."""
        return next((each.fault for each in self.struck if each.breaks), None)


class Step(Struct, frozen=True, gc=False):
    """The result of `advance`.

    Attributes:
        after: the conversation with what the rule did; for an error without the answer counted; for a `Miss` as before
            but for `last`.
        rule: that answered, or None. passed: the pass-through rules taken on the way, in order.
        latency: seconds to wait before the first byte, drawn already.
        missed: where no rule matched, why; also where `scenario.unmatched` gives the outcome. "" in a replay.
        pattern: in a replay, where the outcome cannot be compared as it is.
        rhythm: when the chunks of a stream are due; None: all at once.
        faults: how the delivery breaks. struck: which of them do, and where.
        chaos: what took the request in place of its answer; "" for nothing.
    """

    before: Conversation
    after: Conversation
    outcome: Outcome
    rule: Rule | None = None
    passed: tuple[Rule, ...] = ()
    violations: tuple[Violation, ...] = ()
    delivery: Delivery = Delivery()
    latency: float = 0.0
    missed: str = ""
    pattern: Pattern | None = None
    rhythm: Rhythm | None = None
    faults: tuple[Fault, ...] = ()
    struck: tuple[Struck, ...] = ()
    chaos: str = ""


def interrupted(step: Step) -> Conversation:
    """The conversation after an answer that was broken off, which counts as an error.

    What chaos took leaves it where it was.
    """
    if step.chaos:
        return replace(step.before, last=step.after.last)
    return replace(step.after, visits=step.before.visits, answers=step.before.answers)


def written(conversation: Conversation) -> bytes:
    """A conversation as JSON, for stores; durations among its variables keep their type."""
    return msgspec.json.encode(conversation, enc_hook=lambda value: {"$duration": float(value)})


def read(data: bytes) -> Conversation:
    """The conversation that `written` wrote.

    Raises:
        msgspec.MsgspecError: it did not.
    """
    found = msgspec.json.decode(data, type=Conversation)
    return replace(found, vars={name: _value(value) for name, value in found.vars.items()})


def _value(value: Value) -> Value:
    match value:
        case {"$duration": int() | float() as seconds} if len(value) == 1:
            return Duration(seconds)
        case dict():
            return {name: _value(member) for name, member in value.items()}
        case list():
            return [_value(item) for item in value]
        case _:
            return value
