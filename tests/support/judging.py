"""What it means that a provider's own SDK understands an answer: one judge a wire, found in `judges/`.

A judge decodes with the SDK's own models, strictly, and says in no provider's words what they hold. An agent is the
SDK itself, talking over a socket.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, NamedTuple, Protocol

import judges as found

if TYPE_CHECKING:
    from collections.abc import Mapping


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
        texts: each text part by itself, where the provider keeps them apart.
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
    """An SDK's client with the history of one conversation, which it sends as its users would."""

    def say(self, text: str) -> Heard:
        """A message of the user."""

    def result(self, *results: tuple[Called, str]) -> Heard:
        """The results of the tool calls of the last answer."""

    def again(self) -> Heard:
        """The last request once more."""

    def close(self) -> None:
        """Its connections are closed."""


class Judge(Protocol):
    """A wire as its SDK sees it."""

    wire: str
    """Its name in `wire.load()`."""

    def request(self, *, stream: bool) -> tuple[str, dict[str, str], bytes]:
        """Path, headers and body of a small request that says "hi" and declares the tools `get_weather` and `now`."""

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

    def agent(self, url: str, *, stream: bool, retries: int = 2) -> Agent:
        """A client of the server at *url* (scheme, host, port and perhaps `/@ID`); it declares both tools."""


@cache
def judges() -> Mapping[str, Judge]:
    """Every judge by the name of its wire."""
    modules = (import_module(f"judges.{module.name}") for module in iter_modules(found.__path__))
    return {judge.wire: judge for judge in (module.JUDGE for module in modules)}
