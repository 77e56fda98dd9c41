"""Clients of a `Mock` without a server: turns by hand, and machines that are plain functions."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from msgspec.structs import replace

from llmposter.core.conversation import Conversation, Moment, Step
from llmposter.core.fingerprint import spoken
from llmposter.core.mock import Exchange, Mock
from llmposter.model import (
    Connection,
    Failure,
    Message,
    Miss,
    Reply,
    Request,
    Text,
    Tokens,
    ToolCall,
    ToolResult,
    ToolUse,
    Turn,
)
from llmposter_dsl.place import At
from llmposter_dsl.program import Expression, Program
from llmposter_dsl.source import Source, Span

PLACE = At(Source("fake.toml", "fake"), Span(0, 4))
KEY = Expression('headers["x-key"]', PLACE, "text", lambda env: env.headers.get("x-key"))
"""What a fake scenario with a key calls its conversations by."""


class StoppedClock:
    """Time that a test moves."""

    def __init__(self, now: float = 1_000_000.0) -> None:
        self.time = now

    def now(self) -> float:
        return self.time

    def advance(self, seconds: float) -> None:
        self.time += seconds


def user(text: str, **more: object) -> Message:
    return Message("user", text, **more)


def said(text: str = "", *calls: ToolUse) -> Message:
    return Message("assistant", text, calls)


def call(id_: str, tool: str, **arguments: object) -> ToolUse:
    return ToolUse(id_, tool, json.dumps(arguments))


def results(*pairs: tuple[str, str]) -> Message:
    return Message("tool", results=tuple(ToolResult(id_, text) for id_, text in pairs))


_numbers = iter(range(1, 10**12))


def connection() -> Connection:
    return Connection(next(_numbers))


_ONLY = connection()


def turn(
    *messages: Message,
    session: str = "",
    on: Connection = _ONLY,
    retry: int | None = None,
    system: str = "",
    headers: dict[str, str] | None = None,
    body: bytes = b"{}",
    provider: str = "openai",
) -> Turn:
    request = Request("POST", "/v1/chat/completions", {}, headers or {}, body, on, session)
    return Turn(provider, request, "m", stream=False, system=system, messages=messages, retry=retry)


def spoken_text(step: Step) -> str:
    """What a client sees of a step, shortly."""
    match step.outcome:
        case Reply() as reply:
            message = spoken(reply)
            return message.text + "".join(f"[{use.tool} {use.arguments}]" for use in message.calls)
        case Failure() as failure:
            return f"!{failure.name}"
        case Miss():
            return "?"


Played = tuple[str, str, Conversation]
Play = Callable[[Conversation, Turn, Moment], Played]


class FakeMachine:
    """A machine whose step is a function that gives ``reply``, ``call``, ``error`` or ``miss``; text; what follows."""

    def __init__(self, program: Program, play: Play, serves: Callable[[Turn], bool] = lambda _: True) -> None:
        self.program, self.play, self._serves = program, play, serves

    def begin(self, now: float) -> Conversation:
        return Conversation(self.program.start, dict(self.program.vars), began=now, entered=now, last=now)

    def advance(self, conversation: Conversation, turn: Turn, moment: Moment) -> Step:
        kind, text, after = self.play(conversation, turn, moment)
        after = replace(after, last=moment.now)
        match kind:
            case "reply":
                outcome, answered = reply(Text(text)), 1
            case "call":
                id_ = f"call_{moment.session}_{moment.number}_{moment.fingerprint}_{moment.attempt}"
                outcome, answered = reply(ToolCall(id_, "tool", json.dumps({"n": text}))), 1
            case "error":
                outcome, answered = Failure(name=text), 0
            case _:
                outcome, answered = Miss(text), 0
        return Step(conversation, replace(after, answers=conversation.answers + answered), outcome)

    def serves(self, turn: Turn) -> bool:
        return self._serves(turn)

    def key(self, turn: Turn) -> str | None:
        return turn.request.headers.get("x-key") or None


def reply(*parts: Text | ToolCall) -> Reply:
    return Reply("id", 0, "m", parts, "stop", Tokens())


def program(**fields: object) -> Program:
    return replace(Program("fake", PLACE, "s0", {}), **fields)


def fake_mock(
    play: Play | Sequence[tuple[Program, FakeMachine]], *, clock: StoppedClock | None = None, **options: object
) -> Mock:
    """A `Mock` of one machine that is a function, or of several with their programs."""
    fields = options.pop("program", {})
    machines = play if isinstance(play, Sequence) else [((only := program(**fields)), FakeMachine(only, play))]
    by_program = {id(program): machine for program, machine in machines}
    return Mock(
        [program for program, _ in machines],
        clock or StoppedClock(),
        machine=lambda program: by_program[id(program)],
        **options,
    )


def script(**states: dict[str, Any]) -> Play:
    """A machine of one rule for each state.

    Keys of a rule: `says` (text; `{attempt}`, `{turn}`, `{number}`, `{kept}` and `{id}` are filled in); `calls` (in its
    place: a tool is called); `goto`; `errors` (how many attempts get a 529 first); `keeps` (what users say is kept).
    """

    def play(conversation: Conversation, turn: Turn, moment: Moment) -> Played:
        rule, kept = states[conversation.state], conversation.vars.get("kept", "")
        if rule.get("keeps"):
            kept += f"<{turn.messages[-1].text}>"
        after = replace(conversation, vars={"kept": kept})
        if moment.attempt <= rule.get("errors", 0):
            return "error", "overloaded", after
        if not (rule.keys() & {"says", "calls"}):
            return "miss", f"nothing in {conversation.state}", conversation
        facts = {"attempt": moment.attempt, "turn": conversation.answers + 1, "number": moment.number, "kept": kept}
        text = rule.get("says", "").format(**facts, id=moment.conversation)
        after = replace(after, state=rule.get("goto", conversation.state))
        return ("call", rule["calls"], after) if "calls" in rule else ("reply", text, after)

    return play


class Agent:
    """A client that keeps its history, and its connection."""

    def __init__(self, mock: Mock, **door: Any) -> None:
        self.mock, self.door, self.said = mock, {"on": connection(), **door}, []
        self.exchange: Exchange | None = None

    def ask(self, *more: str | Message, **door: Any) -> str:
        """Sends the history and this, keeps both the input and an answer; the answer as `spoken_text`."""
        self.said += [user(one) if isinstance(one, str) else one for one in more]
        self.exchange = self.mock.answer(turn(*self.said, **{**self.door, **door}))
        if isinstance(self.exchange.step.outcome, Reply):
            self.said.append(spoken(self.exchange.step.outcome))
        return spoken_text(self.exchange.step)

    def again(self, **door: Any) -> str:
        """Sends the last request once more."""
        if self.said[-1].role == "assistant":
            self.said.pop()
        return self.ask(**door)

    @property
    def conversation(self) -> str:
        assert self.exchange is not None
        return self.exchange.entry.conversation
