"""What OpenAI's formats have in common: how requests are let in, the headers of an answer, and every error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from llmposter.model import BadRequest, Frame, Response
from llmposter.wire import openai_errors, sse
from llmposter.wire.headers import JSON, merged
from llmposter.wire.openai_access import ACCESS
from llmposter.wire.openai_headers import of_reply

if TYPE_CHECKING:
    from collections.abc import Iterable

    from llmposter.model import Failure, Reply, Turn, Unpaired
    from llmposter.wire.headers import Headers

_OF_JSON: Final = ("content-type", JSON)


class OpenAIWire:
    """The part of a wire that is the same in each of them."""

    access = ACCESS

    def head(self, turn: Turn, reply: Reply) -> Headers:  # noqa: ARG002 - the protocol's
        return merged((*sse.HEADERS, *of_reply(reply)), reply.headers)

    def failure(self, failure: Failure, now: float) -> Response:
        return openai_errors.failure(failure, now)

    def broken(self, turn: Turn, reply: Reply, failure: Failure, now: float, sent: int) -> Iterable[Frame]:  # noqa: ARG002 - the protocol's
        # openai/_streaming.py raises for data with an `error`; the last event is not sent after it.
        yield Frame(sse.event(self.failure(failure, now).body))

    def bad_request(self, refused: BadRequest, now: float) -> Response:
        return openai_errors.refused(refused, now)

    def unpaired(self, turn: Turn, found: Unpaired) -> BadRequest | None:  # noqa: ARG002 - the protocol's
        return BadRequest(found.sentence)

    def miss(self, message: str, now: float) -> Response:
        return openai_errors.refused(BadRequest(message, code="no_rule_matched", status=404), now)


def answered(reply: Reply, body: bytes) -> Response:
    """The whole of an answer."""
    return Response(200, merged((_OF_JSON, *of_reply(reply)), reply.headers), body)
