"""OpenAI Responses: ``POST /v1/responses``, whole and streamed.

Facts of the format: docs/providers/openai-responses.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from llmposter.model import BadRequest, Response, Route
from llmposter.wire import openai_errors, sse
from llmposter.wire.finishes import meaning
from llmposter.wire.headers import JSON, merged
from llmposter.wire.openai_access import ACCESS
from llmposter.wire.openai_headers import of_reply
from llmposter.wire.openai_responses_echo import asked
from llmposter.wire.openai_responses_events import spoken
from llmposter.wire.openai_responses_output import OWN_WORDS, Output
from llmposter.wire.openai_responses_read import read

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from llmposter.model import Failure, Frame, Piece, Reply, Request, Rule, Turn, Wire
    from llmposter.wire.headers import Headers

_OF_JSON: Final = ("content-type", JSON)
_CONTEXT: Final = "Your input exceeds the context window of this model. Please adjust your input and try again."


class OpenAIResponses:
    """The wire."""

    name = "responses"
    routes: tuple[Route, ...] = (Route("POST", "/v1/responses"),)
    access = ACCESS

    def read(self, request: Request) -> Turn | BadRequest:
        return read(self.name, request)

    def whole(self, turn: Turn, reply: Reply) -> Response:
        return Response(200, merged((_OF_JSON, *of_reply(reply)), reply.headers), Output(asked(turn), reply).whole())

    def head(self, turn: Turn, reply: Reply) -> Headers:  # noqa: ARG002 - the protocol's
        return merged((*sse.HEADERS, *of_reply(reply)), reply.headers)

    def stream(self, turn: Turn, reply: Reply, pieces: Iterable[Piece]) -> Iterator[Frame]:
        return spoken(Output(asked(turn), reply), pieces)

    def failure(self, failure: Failure, now: float) -> Response:
        if failure.name == "context_length_exceeded":
            failure = replace(failure, message=failure.message or _CONTEXT, param=failure.param or "input")
        return openai_errors.failure(failure, now)

    def bad_request(self, refused: BadRequest, now: float) -> Response:
        return openai_errors.refused(refused, now)

    def miss(self, message: str, now: float) -> Response:
        return openai_errors.refused(BadRequest(message, code="no_rule_matched", status=404), now)

    def cannot(self, rule: Rule) -> Iterable[str]:
        if rule.finish is not None and rule.finish not in OWN_WORDS and meaning(rule.finish) in (None, "pause"):
            words = ", ".join(f'"{word}"' for word in OWN_WORDS)
            yield f'OpenAI Responses has no finish reason "{rule.finish}": it knows {words}'


WIRE: Final[Wire] = OpenAIResponses()
