"""A machine without a server: scenarios from text, turns by hand, and a client that keeps its history."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from llmposter.core.conversation import Conversation, Moment, Step
from llmposter.core.fingerprint import Prints, spoken
from llmposter.core.machine import Machine
from llmposter.model import Connection, Message, Reply, Request, Tool, ToolResult, ToolUse, Turn
from llmposter_dsl.place import At
from llmposter_dsl.source import Source, Span

if TYPE_CHECKING:
    from llmposter_dsl.program import Program

PLACE = At(Source("test.toml", "test"), Span(0, 4))


def scenario(text: str, name: str = "test.toml") -> Program:
    """The program of a scenario without errors."""
    from llmposter_dsl.compiler import compile_text

    compiled = compile_text(text, name)
    assert compiled.program is not None, [finding.message for finding in compiled.diagnostics]
    return compiled.program


def turn(*messages: Message | str, **more: Any) -> Turn:
    """A request; a text is a user message. *more* are fields of `Request` or `Turn`, `tools` by name."""
    fields = {name: more.pop(name) for name in ("path", "query", "headers", "body", "session") if name in more}
    request = Request(
        **{
            "method": "POST",
            "path": "/v1/chat/completions",
            "query": {},
            "headers": {},
            "body": b"{}",
            "connection": Connection(1),
            **fields,
        }
    )
    more["tools"] = tuple(Tool(name) for name in more.pop("tools", ()))
    history = tuple(Message("user", each) if isinstance(each, str) else each for each in messages)
    defaults = {"provider": "openai", "model": "m", "stream": False, "system": ""}
    return Turn(request=request, messages=history, **{**defaults, **more})


def said(text: str = "", *calls: ToolUse) -> Message:
    return Message("assistant", text, calls)


def use(id_: str, tool: str, arguments: object = None) -> ToolUse:
    return ToolUse(id_, tool, arguments if isinstance(arguments, str) else json.dumps(arguments or {}))


def got(*results: ToolResult) -> Message:
    return Message("tool", results=results)


def result(id_: str, value: object, **more: Any) -> ToolResult:
    return ToolResult(id_, value if isinstance(value, str) else json.dumps(value), **more)


class Talk:
    """One client of one conversation; it keeps what it said and heard, and asks again after an error.

    Attributes:
        now: the clock, which `ask` moves on by one second before each request.
        steps: all that the machine did.
    """

    def __init__(self, program: Program, *, now: float = 1000.0, number: int = 0, session: str = "", **request: Any):
        self.machine = Machine(program)
        self.now, self.number, self.session, self.request = now, number, session, request
        self.stands = self.machine.begin(now)
        self.messages: tuple[Message, ...] = ()
        self.attempt = 1
        self.steps: list[Step] = []

    def ask(self, *messages: Message | str, wait: float = 0.0, **request: Any) -> Step:
        """Says something more, or the same again, and gives the step."""
        self.now += wait
        self.messages += tuple(Message("user", each) if isinstance(each, str) else each for each in messages)
        asked = turn(*self.messages, session=self.session, **{**self.request, **request})
        step = self.machine.advance(self.stands, asked, self.moment(asked))
        self.steps.append(step)
        self.stands = step.after
        if isinstance(step.outcome, Reply):
            self.messages += (spoken(step.outcome),)
            self.attempt = 1
        else:
            self.attempt += 1
        return step

    def answer(self, *values: object) -> Message:
        """The results of the calls of the last answer, in order."""
        asked = next(message for message in reversed(self.messages) if message.role == "assistant")
        return got(*(result(call.id, value) for call, value in zip(asked.calls, values, strict=True)))

    def moment(self, asked: Turn) -> Moment:
        return Moment(
            now=self.now,
            attempt=self.attempt,
            conversation="c1",
            session=self.session,
            number=self.number,
            fingerprint=Prints(asked.messages).full.hex(),
        )


def text(step: Step) -> str:
    """What a step's reply says; of an error or a miss, its kind and name."""
    match step.outcome:
        case Reply() as reply:
            return spoken(reply).text
        case other:
            return f"{type(other).__name__} {getattr(other, 'name', None) or getattr(other, 'status', '')}".strip()


def calls(step: Step) -> list[tuple[str, Any]]:
    """The tools that a step calls, with their arguments."""
    assert isinstance(step.outcome, Reply)
    return [(call.tool, json.loads(call.arguments)) for call in spoken(step.outcome).calls]


def replayed(machine: Machine, asked: Turn, before: Conversation, **moment: Any) -> Step:
    """The step in a replay."""
    return machine.advance(before, asked, replace(Moment(0.0, replayed=True), **moment))
