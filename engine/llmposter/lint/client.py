"""A client that plays an example: it keeps its history, echoes ids, and marks its retries as an SDK does.

What it sends are Turns as a wire would have read them; their body is empty.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from llmposter.core.pattern import json_text, text_of
from llmposter.model import Connection, Message, Reply, Request, Tool, ToolCall, ToolResult, ToolUse, Turn

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from llmposter.model import Wire
    from llmposter_dsl.program import ExampleTurn, Program, Value

MODEL: Final = "example-model"
"""The model of a request that does not name one."""


class Unplayable(Exception):  # noqa: N818 - it says what the turn is
    """A turn that cannot be sent; its message says why."""


class Client:
    """One client of one scenario, from the first turn of an example to the last."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.connection = Connection(1)
        self.history: list[Message] = []
        self.sent: tuple[Message, ...] = ()
        self.retries = 0

    def turn(self, turn: ExampleTurn, wire: Wire) -> Turn:
        """The request that *turn* of an example asks for.

        Raises:
            Unplayable: the last answer does not hold what the turn answers to.
        """
        self.retries = self.retries + 1 if turn.kind == "retry" else 0
        if turn.kind != "retry":
            self._add(turn)
            self.sent = tuple(self.history)
        return self._request(turn.request, wire)

    def asks(self, wire: Wire, *, stream: bool) -> Turn:
        """The smallest request that there is."""
        return self._request({"stream": stream}, wire)

    def got(self, reply: Reply) -> None:
        """The answer becomes a part of the history."""
        calls = tuple(ToolUse(p.id, p.tool, p.arguments) for p in reply.parts if isinstance(p, ToolCall))
        self.history = [*self.sent, Message("assistant", text_of(reply), calls)]

    def _add(self, turn: ExampleTurn) -> None:
        match turn.kind:
            case "user":
                self.history.append(Message("user", turn.user))
            case "messages":
                self.history = list(_written(turn.messages))
            case "tool":
                (tool, value, failed) = turn.results[0]
                self._results([_result(_called(self.waiting(), tool), value, failed=failed)])
            case "results":
                self._results(self._all(turn.results))
            case "retry" | "wait":
                pass

    def _results(self, results: list[ToolResult]) -> None:
        last = self.history[-1] if self.history else None
        if last is not None and last.role == "tool":
            self.history[-1] = Message("tool", results=(*last.results, *results))
        else:
            self.history.append(Message("tool", results=tuple(results)))

    def _all(self, results: Sequence[tuple[str, Value, bool]]) -> list[ToolResult]:
        calls = self.waiting()
        if len(calls) != len(results):
            made = ", ".join(f'"{call.tool}"' for call in calls) or "none"
            raise Unplayable(
                f"`results` has {len(results)}, expected one for each call that waits for a result: {made}"
            )
        return [_result(call, *given) for call, (_, *given) in zip(calls, results, strict=True)]

    def waiting(self) -> list[ToolUse]:
        """The calls of the last answer that have no result yet, in order."""
        return _waiting(self.history)

    def _request(self, wanted: Mapping[str, Value], wire: Wire) -> Turn:
        headers = {name.lower(): value for name, value in wanted.get("headers", {}).items()}
        path = wire.routes[0].path
        return Turn(
            provider=wire.name,
            request=Request("POST", path, {}, headers, b"{}", self.connection),
            model=wanted.get("model", MODEL),
            stream=wanted.get("stream", False),
            system=wanted.get("system", ""),
            messages=self.sent,
            tools=self._tools(wanted),
            params=wanted.get("params", {}),
            retry=self.retries,
        )

    def _tools(self, wanted: Mapping[str, Value]) -> tuple[Tool, ...]:
        known = self.program.tools
        given: Iterable[Any] = wanted.get("tools", known)
        return tuple(
            Tool(each, known.get(each)) if isinstance(each, str) else Tool(each["name"], each.get("parameters"))
            for each in given
        )


def _waiting(history: Sequence[Message]) -> list[ToolUse]:
    done: set[str] = set()
    for message in reversed(history):
        if message.role == "assistant":
            return [call for call in message.calls if call.id not in done]
        done.update(result.id for result in message.results)
    return []


def _called(waiting: Iterable[ToolUse], tool: str) -> ToolUse:
    calls = list(waiting)
    for call in calls:
        if call.tool == tool:
            return call
    made = ", ".join(f'"{call.tool}"' for call in calls)
    raise Unplayable(f'no call of "{tool}" waits for a result: {made or "no call does"}')


def _result(call: ToolUse, value: Value, failed: bool) -> ToolResult:  # noqa: FBT001 - it comes out of a tuple
    return ToolResult(call.id, _failed(value) if failed else _text(value), call.tool)


def _text(value: Value) -> str:
    return value if isinstance(value, str) else json_text(value)


def _failed(value: Value) -> str:
    """An error as every format shows it, also those without a flag (language.md, section 4)."""
    if isinstance(value, str):
        return value if value.startswith("Error") else f"Error: {value}"
    return json_text(value if isinstance(value, dict) and value.get("error") else {"error": value})


def _written(messages: Iterable[Mapping[str, Value]]) -> Iterator[Message]:
    """The messages as an example writes them; ids that are left out are those of the calls, in order."""
    history: list[Message] = []
    for number, given in enumerate(messages):
        calls = tuple(
            ToolUse(call.get("id") or f"call_{number}_{n}", call["tool"], _text(call.get("arguments", {})))
            for n, call in enumerate(given.get("calls", ()))
        )
        results = tuple(_answered(given.get("results", ()), _waiting(history)))
        history.append(Message(given["role"], given.get("text", ""), calls, results))
        yield history[-1]


def _answered(results: Iterable[Mapping[str, Value]], waiting: list[ToolUse]) -> Iterator[ToolResult]:
    for given in results:
        call = next((one for one in waiting if _meant(given, one)), None)
        if call is not None:
            waiting.remove(call)
        of = call or ToolUse("", "", "")
        named = ToolUse(given.get("id", of.id), given.get("tool", of.tool), "")
        yield _result(named, given.get("error", given.get("result")), "error" in given)


def _meant(given: Mapping[str, Value], call: ToolUse) -> bool:
    return (given.get("id", call.id), given.get("tool", call.tool)) == (call.id, call.tool)
