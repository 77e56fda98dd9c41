"""What rules may ask of a request and of the conversation it belongs to: the facts of language.md, section 4.

Each is worked out when it is first asked for, then kept for the step; nothing is worked out that no rule asks for.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, cast, overload

import msgspec
from msgspec.structs import replace

from llmposter.core import tokens
from llmposter_dsl.program import Duration
from llmposter_dsl.types import Headers

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from llmposter.core.chance import Chance
    from llmposter.core.conversation import Conversation
    from llmposter.model import Message, ToolResult, ToolUse, Turn
    from llmposter_dsl.program import Value

T = TypeVar("T")
_PARAMS: Final = (
    *("temperature", "top_p", "max_tokens", "stop", "seed", "n"),
    *("reasoning", "response_format", "tool_choice"),
)


class fact(Generic[T]):  # noqa: N801 - reads as the decorator that it is
    """A fact worked out once; from then on it is a plain attribute, without a call."""

    def __init__(self, work_out: Callable[[Any], T]) -> None:
        self.work_out = work_out
        self.name = work_out.__name__

    @overload
    def __get__(self, facts: None, owner: object) -> fact[T]: ...
    @overload
    def __get__(self, facts: object, owner: object) -> T: ...
    def __get__(self, facts: object | None, owner: object) -> fact[T] | T:
        if facts is None:
            return self
        value = self.work_out(facts)
        facts.__dict__[self.name] = value
        return value


def parsed(text: str) -> Value:
    """The JSON value of a text, or None where it is not JSON."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


class Watched(dict[str, "Value"]):
    """The variables of a conversation in a replay, which notice when one is read that the replay cannot know."""

    __slots__ = ("loose", "read")

    def __init__(self, values: Mapping[str, Value], loose: Collection[str]) -> None:
        super().__init__(values)
        self.loose = loose
        self.read = False

    def get(self, name: str, default: Value = None) -> Value:
        """As of any dict; compiled expressions read variables by it."""
        self.read = self.read or name in self.loose
        return super().get(name, default)


class Facts:
    """The facts of one request, and of the conversation it belongs to; an `Env` for compiled rules."""

    vars: Mapping[str, Value]

    def __init__(self, turn: Turn, conversation: Conversation, chance: Chance) -> None:
        self._turn, self._stands, self._chance = turn, conversation, chance
        self.vars = _seen(conversation) if conversation.loose else conversation.vars
        self.groups: dict[str, Value] = {}
        self.state = conversation.state

    def knows(self, conversation: Conversation) -> None:
        """Variables were set; they are all that a rule changes before it moves on."""
        self.vars = _seen(conversation)

    def moved(self, conversation: Conversation) -> Facts:
        """The same request where a rule has taken the conversation; what was found out about the request is kept."""
        after = Facts(self._turn, conversation, self._chance)
        after.__dict__.update((name, value) for name, value in self.__dict__.items() if name in _LASTING)
        return after

    def in_state(self, state: str) -> Facts:
        """The same request to the same conversation, if it stood in another state."""
        return self.moved(replace(self._stands, state=state))

    # --- of the request

    @fact
    def user(self) -> str:
        for message in reversed(self._turn.messages):
            if message.role == "user":
                return message.text
        return ""

    @fact
    def system(self) -> str:
        return self._turn.system

    @fact
    def assistant(self) -> str:
        return next((m.text for m in reversed(self._turn.messages) if m.role == "assistant"), "")

    @fact
    def messages(self) -> list[Value]:
        return [self._message(message) for message in self._turn.messages if message.role != "system"]

    @fact
    def last(self) -> str:
        return next((m.role for m in reversed(self._turn.messages) if m.role != "system"), "user")

    @fact
    def turn(self) -> int:
        return self._stands.answers + 1

    @fact
    def results(self) -> list[Value]:
        found: list[Value] = []
        for message in reversed(self._turn.messages):
            if message.role == "assistant":
                break
            found[:0] = [self._result(result) for result in message.results]
        return found

    @fact
    def result(self) -> Value:
        return self.results[-1] if self.results else None

    @fact
    def tools(self) -> list[str]:
        return [tool.name for tool in self._turn.tools]

    @fact
    def model(self) -> str:
        return self._turn.model

    @fact
    def path(self) -> str:
        return self._turn.request.path

    @fact
    def stream(self) -> bool:
        return self._turn.stream

    @fact
    def provider(self) -> str:
        return self._turn.provider

    @fact
    def params(self) -> dict[str, Value]:
        return {name: self._turn.params.get(name) for name in _PARAMS}

    @fact
    def metadata(self) -> dict[str, Value]:
        return dict(self._turn.metadata)

    @fact
    def headers(self) -> Headers:
        return Headers(self._turn.request.headers)

    @fact
    def query(self) -> dict[str, str]:
        return dict(self._turn.request.query)

    @fact
    def images(self) -> int:
        return next((m.images for m in reversed(self._turn.messages) if m.role == "user"), 0)

    @fact
    def files(self) -> int:
        return next((m.files for m in reversed(self._turn.messages) if m.role == "user"), 0)

    @fact
    def tokens(self) -> int:
        return tokens.of_turn(self._turn)

    @fact
    def body(self) -> Value:
        try:
            return msgspec.json.decode(self._turn.request.body)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return None

    # --- of the conversation

    @fact
    def attempt(self) -> int:
        return self._chance.moment.attempt

    @fact
    def conversation(self) -> str:
        return self._chance.moment.conversation

    @fact
    def visits(self) -> int:
        return self._stands.visits.get(self.state, 0) + 1

    @fact
    def elapsed(self) -> Duration:
        return self._since(self._stands.entered)

    @fact
    def idle(self) -> Duration:
        return self._since(self._stands.last)

    @fact
    def age(self) -> Duration:
        return self._since(self._stands.began)

    @fact
    def token(self) -> Value:
        shown = self._turn.request.credential
        if shown is None:
            return None
        return {"name": shown.name, "uses": shown.uses, "age": self._since(shown.since), "grant": shown.grant}

    def _since(self, then: float) -> Duration:
        return Duration(max(0.0, self._chance.moment.now - then))

    # --- functions

    def result_of(self, tool: str) -> Value:
        return next((result for result in reversed(self.results) if result["tool"] == tool), None)

    def fired(self, rule: str) -> int:
        return self._stands.fired.get(rule, 0)

    def chance(self, place: str, probability: float) -> bool:
        return self._chance.unit(place) < probability

    def random(self, place: str, low: float, high: float) -> float:
        return low + (high - low) * self._chance.unit(place)

    def uuid(self, place: str) -> str:
        return self._chance.uuid(place)

    def now(self) -> str:
        seconds = min(max(self._chance.moment.now, 0.0), 253402300799.0)
        return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def __getattr__(self, name: str) -> Value:
        raise AttributeError(name)

    # --- a history as data

    @fact
    def _calls(self) -> dict[str, ToolUse]:
        return {call.id: call for message in self._turn.messages for call in message.calls}

    def _message(self, message: Message) -> Value:
        return {
            "role": message.role,
            "text": message.text,
            "calls": [_call(call) for call in message.calls],
            "results": [self._result(result) for result in message.results],
        }

    def _result(self, result: ToolResult) -> Value:
        call = self._calls.get(result.id)
        value = parsed(result.text)
        return {
            "tool": result.tool or (call.tool if call else ""),
            "id": result.id,
            "arguments": _arguments(call.arguments) if call else None,
            "text": result.text,
            "json": value,
            "error": _failed(result, value),
        }


_LASTING: Final = frozenset(name for name, value in vars(Facts).items() if isinstance(value, fact)) - {
    "turn",
    "visits",
    "elapsed",
}


def _seen(conversation: Conversation) -> Mapping[str, Value]:
    return Watched(conversation.vars, conversation.loose) if conversation.loose else conversation.vars


def _call(call: ToolUse) -> Value:
    return {"tool": call.tool, "id": call.id, "arguments": _arguments(call.arguments)}


def _arguments(text: str) -> Value:
    value = parsed(text or "{}")
    return text if value is None else value


def _failed(result: ToolResult, value: Value) -> bool:
    if result.error is not None:
        return result.error
    if isinstance(value, dict):
        return cast("dict[str, Value]", value).get("error") not in (None, False)
    return result.text.startswith("Error")
