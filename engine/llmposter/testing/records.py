"""What tests look at: requests, calls, conversations, violations and tokens, as values that never change.

They are made when somebody asks, from what the server remembers; secrets in them are never whole.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, TypeAlias

import msgspec

from llmposter.core.credentials import State as TokenState
from llmposter.model import Message, Turn

Outcome: TypeAlias = Literal[
    "reply", "error", "repeated", "miss", "refused", "unrouted", "endpoint", "rejected", "limited"
]
"""What became of a request; `docs/admin.md` tells what each means."""


@dataclass(frozen=True, slots=True)
class Violation:
    """Something that the client did and should not have, or an `expect` that did not hold.

    Attributes:
        kind: ``expect``, ``conformance``, ``tools`` or ``truncated``.
        place: of the `expect`, ``weather.toml:14:8``; "" where it is none of the scenario.
        request: the number of the request.
        state: where the conversation stood.
    """

    kind: str
    message: str
    place: str
    request: int
    session: str
    scenario: str
    conversation: str
    state: str


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call that an answer made, and what came back.

    Attributes:
        arguments: as data; the text itself where it is no JSON.
        request: the number of the request whose answer made it.
        rule, place: what made it.
        done: the agent sent a result. result: its text. failed: the agent said that the tool failed.
        answered_by: the number of the request that brought the result.
    """

    tool: str
    arguments: Any
    id: str
    request: int
    session: str
    conversation: str
    rule: str
    place: str
    done: bool = False
    result: str | None = None
    failed: bool = False
    answered_by: int | None = None


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool call as an answer has it: its arguments as data, or the text itself where it is no JSON."""

    tool: str
    arguments: Any
    id: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request was told.

    Attributes:
        text: of a reply. thinking: its reasoning. calls: its tool calls.
        finish: why it ended, in the words of the language.
        error: the name of an error, or its status where it has none. message: of the error.
    """

    text: str = ""
    thinking: str = ""
    calls: tuple[ToolCall, ...] = ()
    finish: str | None = None
    error: str | int | None = None
    message: str | None = None


@dataclass(frozen=True)
class Request:
    """One request and what became of it.

    Attributes:
        number: from 1, over the whole server. time: Unix seconds on the server's clock.
        path: as it came. headers: names in lower case. Keys and tokens are not shown whole.
        text: its body as it was sent. cut: bytes of it that were not kept. kept: body and answer were not let go yet.
        outcome: what became of it. detail: why, of a miss and of one that was not taken.
        status: None while the answer is still to come. how: how the answer went out, ``complete``.
        scenario, conversation: "" where none took it.
        before, after: the state before it and after it.
        path_taken: the states from before to after, those passed through included.
        rule, place: what answered it, and where that stands. attempt: requests at this point of the history.
        faults: what broke the answer.
        token: the name of its credential.
        seconds: from the request to the end of its answer.
        history: reads the body; `messages`, `system` and `tools` ask it, once, so that looking at many costs little.
    """

    number: int
    time: float
    session: str
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    provider: str
    model: str
    stream: bool
    text: str = field(repr=False)
    cut: int = field(repr=False)
    kept: bool = field(repr=False)
    outcome: Outcome
    detail: str
    status: int | None
    how: str
    answer: Answer | None
    scenario: str
    conversation: str
    before: str
    after: str
    path_taken: tuple[str, ...] = field(repr=False)
    rule: str | None
    place: str | None
    attempt: int
    violations: tuple[Violation, ...]
    faults: tuple[str, ...]
    token: str | None
    seconds: float | None
    history: Callable[[], Turn | None] = field(repr=False, compare=False)

    @cached_property
    def body(self) -> Any:
        """As it was sent, parsed; None where it is no JSON, or was not kept whole."""
        return parsed(self.text)

    @property
    def messages(self) -> tuple[Message, ...]:
        """The history that it carried, in no provider's words; empty where the body was not kept whole."""
        return () if self._turn is None else self._turn.messages

    @property
    def system(self) -> str:
        """Its system prompt; likewise."""
        return "" if self._turn is None else self._turn.system

    @property
    def tools(self) -> tuple[str, ...]:
        """The names of the tools that it declared; likewise."""
        return () if self._turn is None else tuple(tool.name for tool in self._turn.tools)

    @cached_property
    def _turn(self) -> Turn | None:
        return self.history()

    @property
    def matched(self) -> bool:
        """A rule answered it, be it with an error."""
        return self.rule is not None


@dataclass(frozen=True, slots=True)
class Conversation:
    """Where a conversation stands.

    Attributes:
        final: it may end here: the state is final, or the scenario has no final states.
        path: the states that it was in, each once for every time that it came there.
        vars: its variables. answers: given so far. requests: of it.
        forked_from: the conversation that it went on from with another history.
    """

    id: str
    session: str
    scenario: str
    state: str
    final: bool
    path: tuple[str, ...]
    vars: Mapping[str, Any]
    answers: int
    requests: int
    key: str | None
    forked_from: str | None


@dataclass(frozen=True, slots=True)
class Token:
    """A credential.

    Attributes:
        value: not whole. uses: how often it was used. most: how often it may be.
        since, until: Unix seconds of its issue and of its end; None for no end.
        session: None for one that is good in all.
    """

    name: str
    value: str
    state: TokenState
    uses: int
    most: int | None
    since: float
    until: float | None
    session: str | None


def parsed(text: str) -> Any:
    """JSON as data; None for what is none."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return None
