"""OpenAI Responses: ``POST /v1/responses``, whole and streamed.

Facts of the format: docs/providers/openai-responses.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from msgspec.structs import replace

from llmposter.model import BadRequest, Response, Route
from llmposter.wire.finishes import meaning
from llmposter.wire.openai_responses_echo import asked
from llmposter.wire.openai_responses_events import failed, spoken
from llmposter.wire.openai_responses_output import OWN_WORDS, Output, ResponseError
from llmposter.wire.openai_responses_read import read
from llmposter.wire.openai_responses_unpaired import unpaired
from llmposter.wire.openai_wire import OpenAIWire, answered

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from llmposter.model import Failure, Frame, Piece, Reply, Request, Rule, Turn, Unpaired, Wire

_FAILED: Final = {
    "code": "server_error",
    "message": "An error occurred while processing your request. You can retry your request, or contact us through our "
    "help center at help.openai.com if the error persists.",
}
_OWN: Final[dict[str | int | None, dict[str, str]]] = {
    "context_length_exceeded": {
        "message": "Your input exceeds the context window of this model. Please adjust your input and try again.",
        "param": "input",
    },
    "server_error": _FAILED,
    500: _FAILED,
}
"""Where this API words an error otherwise than OpenAI's other ones, by name and by status."""


class OpenAIResponses(OpenAIWire):
    """The wire."""

    name = "responses"
    routes: tuple[Route, ...] = (Route("POST", "/v1/responses"),)

    def read(self, request: Request) -> Turn | BadRequest:
        return read(self.name, request)

    def whole(self, turn: Turn, reply: Reply) -> Response:
        return answered(reply, Output(asked(turn), reply).whole())

    def stream(self, turn: Turn, reply: Reply, pieces: Iterable[Piece]) -> Iterator[Frame]:
        return spoken(Output(asked(turn), reply), pieces)

    def failure(self, failure: Failure, now: float) -> Response:
        own = _OWN.get(failure.name or failure.status, {})
        unsaid = {name: text for name, text in own.items() if getattr(failure, name) is None}
        return super().failure(replace(failure, **unsaid), now)

    def unpaired(self, turn: Turn, found: Unpaired) -> BadRequest | None:
        return unpaired(turn, found)

    def broken(self, turn: Turn, reply: Reply, failure: Failure, now: float, sent: int) -> Iterable[Frame]:
        error = msgspec.json.decode(self.failure(failure, now).body)["error"]
        told = ResponseError(error["message"], error["type"], error["code"], error["param"])
        return failed(Output(asked(turn), reply), told, sent)

    def cannot(self, rule: Rule) -> Iterable[str]:
        if rule.finish is not None and rule.finish not in OWN_WORDS and meaning(rule.finish) in (None, "pause"):
            words = ", ".join(f'"{word}"' for word in OWN_WORDS)
            yield f'OpenAI Responses has no finish reason "{rule.finish}": it knows {words}'


WIRE: Final[Wire] = OpenAIResponses()
