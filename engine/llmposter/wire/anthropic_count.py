"""``POST /v1/messages/count_tokens``: how many tokens a request to Anthropic Messages has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from llmposter.model import BadRequest, Response, Route
from llmposter.wire.anthropic_headers import ORGANIZATION, request_id
from llmposter.wire.anthropic_read import read
from llmposter.wire.headers import JSON

if TYPE_CHECKING:
    from llmposter.beside import Desk, Endpoint
    from llmposter.model import Request


class CountTokens:
    """The endpoint."""

    provider = "anthropic"
    routes: tuple[Route, ...] = (Route("POST", "/v1/messages/count_tokens"),)

    def answer(self, request: Request, desk: Desk) -> Response | BadRequest:
        turn = read(self.provider, request)
        if isinstance(turn, BadRequest):
            return turn
        headers = (("content-type", JSON), ("request-id", request_id(request.body)), ORGANIZATION)
        return Response(200, headers, b'{"input_tokens":%d}' % desk.tokens(turn))


ENDPOINTS: Final[tuple[Endpoint, ...]] = (CountTokens(),)
