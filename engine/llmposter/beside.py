"""What stands around conversations: endpoints beside them, and what these may ask of the mock.

Beside `model`, below `core` and `wire`; nothing here knows the name of a provider's field.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from llmposter.model import BadRequest, Failure, Json, Reply, Request, Response, Route, Struct, Turn


class Kept(Struct, frozen=True):
    """An answer that a client can come back to by its id: the request, with all of its history, and the reply.

    `reply` is None for what was put into a conversation object without being answered.
    """

    turn: Turn
    reply: Reply | None


class Thread(Struct, frozen=True):
    """A conversation object that the provider holds for its clients.

    Attributes:
        id: as `Turn.thread` has it. created: Unix time in seconds. kept: what was said in it, in order.
    """

    id: str
    created: int
    metadata: Mapping[str, Json] = {}
    kept: tuple[Kept, ...] = ()


class Desk(Protocol):
    """What an endpoint that is no conversation may ask of the mock, in the session of its request."""

    def now(self) -> float:
        """Unix seconds on the server's clock."""

    def models(self) -> tuple[str, ...]:
        """The models that a list names."""

    def tokens(self, turn: Turn) -> int:
        """How many tokens a request has, as usage would count them."""

    def estimate(self, text: str) -> int:
        """How many tokens a text has, likewise."""

    def vector(self, text: str, model: str, dimensions: int, whole: str | None = None) -> tuple[float, ...] | Failure:
        """The embedding of a text: as a rule says it, else a unit vector of so many dimensions.

        *whole* is all that the request wants embedded, with one space between.
        """

    def flags(self, text: str, model: str) -> frozenset[str] | Failure:
        """The categories of moderation that a rule flags in a text."""

    def kept(self, id_: str) -> Kept | None:
        """The answer that has this `Reply.id`, while it is held."""

    def forget(self, id_: str) -> bool:
        """Forgets it; whether it was there."""

    def fresh(self) -> str:
        """24 letters and digits for an id that the session has not seen."""

    def thread(self, id_: str) -> Thread | None:
        """The conversation object of this id, while it is held."""

    def hold(self, thread: Thread) -> None:
        """Holds a conversation object, in place of one of its id."""

    def add(self, turn: Turn) -> bool:
        """Puts what *turn* says into its conversation object, unanswered; whether that is there."""

    def close(self, id_: str) -> bool:
        """Forgets a conversation object; whether it was there."""


class Endpoint(Protocol):
    """Paths beside the conversations, pure: a request and what the mock knows, to one answer.

    `provider` is the name of the wire whose words it speaks, for the journal; "" for llmposter's own. It has the GET
    routes' HEAD without saying so.
    """

    provider: str
    routes: tuple[Route, ...]

    def answer(self, request: Request, desk: Desk) -> Response | Failure | BadRequest:
        """The answer; any request gives one, never an exception. Its wire words what is not a Response.

        A Failure is the provider's own error, which a rule asked for or the provider has for such a request; a
        BadRequest is for a body that is none of its requests.
        """
