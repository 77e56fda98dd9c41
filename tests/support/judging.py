"""What it means that a provider's own SDK understands an answer: one judge a wire, found in `judges/`.

A judge decodes with the SDK's own models, strictly, and says in no provider's words what they hold. An agent is the
SDK itself, talking over a socket.
"""

from __future__ import annotations

import json
import ssl
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

import judges as found
from pydantic import BaseModel, TypeAdapter

from llmposter.model import Refusal, Text, Thinking, ToolCall
from llmposter.wire.finishes import meaning

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from llmposter.model import Reply

TOOLS = {
    "get_weather": {
        "type": "object",
        "properties": {"city": {"type": "string"}, "unit": {"type": "string"}},
        "required": ["city", "unit"],
        "additionalProperties": False,
    },
    "now": {"type": "object", "properties": {}, "additionalProperties": False},
}
"""The parameters of the tools that every judge and agent declares, alike so that usage is alike."""
NO_TLS = ssl.create_default_context()
"""Given to every client: none of them uses it, and making their own takes longer than a conversation does."""
Parsed = TypeVar("Parsed", bound=BaseModel)


class Called(NamedTuple):
    """A tool call as the SDK shows it; `arguments` is JSON text, or what stood in its place."""

    id: str
    tool: str
    arguments: str


class Used(NamedTuple):
    """Token counts; `input` includes `cached` and `output` includes `reasoning`, whatever the provider counts."""

    input: int
    output: int
    cached: int
    reasoning: int


class Heard(NamedTuple):
    """What an answer says.

    Attributes:
        texts: each text part by itself, where the provider keeps them apart; none that is empty.
        finish: in the words of `llmposter.model.Reply`, as far as the provider can say it.
        raw: the provider's own word for it.
    """

    texts: tuple[str, ...]
    thinking: str
    calls: tuple[Called, ...]
    refusal: str | None
    finish: str
    raw: str
    used: Used | None


class Agent(Protocol):
    """An SDK's client with the history of one conversation, which it sends as its users would.

    What it was told and what it heard goes into the history; an answer that is an error raises the SDK's exception and
    leaves the history as it was sent, for `again`.
    """

    def say(self, text: str) -> Heard:
        """A message of the user."""

    def result(self, *results: tuple[Called, str]) -> Heard:
        """The results of the tool calls of the last answer."""

    def again(self) -> Heard:
        """The last request once more."""

    def parsed(self, text: str, kind: type[Parsed]) -> Parsed:
        """A message of the user that asks for JSON of this kind, and what the SDK's own parsing makes of the answer."""

    def close(self) -> None:
        """Its connections are closed."""


class Judge(Protocol):
    """A wire as its SDK sees it. Judges inherit from this class, and so what it says for those without a word."""

    wire: str
    """Its name in `wire.load()`."""
    retried: Collection[str] = ("rate_limited", "quota_exceeded", "server_error", "overloaded", "timeout")
    """The error names after which the SDK asks again of itself."""
    body: Any
    """The SDK's type of a whole request, and in `history` the field of its messages with the type of one."""
    history: tuple[str, Any]
    words: Collection[str]
    """The provider's own finish reasons, as the SDK's types list them."""

    def request(self, *, stream: bool) -> tuple[str, dict[str, str], bytes]:
        """Path with query, headers and body of a small request that says "hi", declares the tools of `TOOLS`, and
        asks for all that an answer can show (usage in a stream, a summary of the reasoning)."""

    def whole(self, body: bytes) -> Heard:
        """A plain answer, validated strictly.

        Raises:
            Exception: the SDK's models do not take it.
        """

    def streamed(self, body: bytes) -> Heard:
        """A streamed answer: every event validated strictly, put together as the SDK does.

        Raises:
            Exception: the SDK's models do not take it.
        """

    def failed(self, status: int, headers: Mapping[str, str], body: bytes) -> str:
        """An error answer, validated as far as the SDK has models: the name of the exception that the SDK makes."""

    def agent(self, url: str, *, stream: bool, retries: int = 2, system: str = "") -> Agent:
        """A client of the server at *url* (scheme, host, port and perhaps `/@ID`); it declares `TOOLS`.

        Args:
            retries: how often the SDK itself may ask again.
            system: the system prompt, where the provider has a place for it.
        """

    def within(self, said: Heard) -> Heard:
        """What is left of it that this provider's format can say; each difference stands in docs/providers/."""
        return said

    def takes_back(self, reply: Reply) -> bool:
        """Whether the provider finds nothing wrong with this reply in a history."""
        return True


@cache
def judges() -> Mapping[str, Judge]:
    """Every judge by the name of its wire."""
    modules = (import_module(f"judges.{module.name}") for module in iter_modules(found.__path__))
    return {judge.wire: judge for judge in (module.JUDGE for module in modules)}


def said(reply: Reply) -> Heard:
    """What a provider that can say everything would be heard to say; there is no `raw`."""
    used, parts = reply.tokens, reply.parts
    refusals = [part.text for part in parts if isinstance(part, Refusal)]
    return Heard(
        texts=tuple(part.text for part in parts if isinstance(part, Text) and part.text),
        thinking="".join(part.text for part in parts if isinstance(part, Thinking)),
        calls=tuple(Called(part.id, part.tool, part.arguments) for part in parts if isinstance(part, ToolCall)),
        refusal="\n".join(refusals) if refusals else None,
        finish=meaning(reply.finish) or reply.finish,
        raw="",
        used=Used(used.input, used.output, used.cached, used.reasoning),
    )


def evened(heard: Heard) -> Heard:
    """Without what may differ when the same is said: the provider's word for the end, and how arguments are spelt."""
    return heard._replace(raw="", calls=tuple(call._replace(arguments=_evened(call.arguments)) for call in heard.calls))


def _evened(arguments: str) -> str:
    try:
        return json.dumps(json.loads(arguments), sort_keys=True)
    except ValueError:
        return arguments


# --- strictness ------------------------------------------------------------------------------------------------------


def strictly(kind: Any, data: bytes | str, known: Collection[str] = ()) -> Any:
    """JSON as *kind* of an SDK, in pydantic's strict mode, without a field that its models lack.

    Args:
        kind: a model, or a union of them.
        known: names of fields that the models lack although the real API, or servers like it, send them.

    Raises:
        ValueError: the models do not take it, or a field is unknown to them.
    """
    found = _adapter(kind).validate_json(data, strict=True)
    if strange := [path for path in unknown(found) if path.rpartition(".")[2] not in known]:
        raise ValueError(f"fields that {kind} does not know: {', '.join(strange)} in {data!r}")
    return found


_adapter = cache(TypeAdapter)


def unknown(value: object, path: str = "") -> Iterator[str]:
    """The paths of all fields in *value* that its models did not declare."""
    match value:
        case BaseModel():
            yield from (f"{path}.{name}" for name in value.model_extra or ())
            for name in type(value).model_fields:
                yield from unknown(getattr(value, name), f"{path}.{name}")
        case list() | tuple():
            for index, inner in enumerate(value):
                yield from unknown(inner, f"{path}[{index}]")
        case dict():
            for name, inner in value.items():
                yield from unknown(inner, f"{path}[{name!r}]")
        case _:
            return
