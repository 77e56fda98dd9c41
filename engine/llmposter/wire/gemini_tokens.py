"""Gemini's ``countTokens``: as many tokens as the usage of an answer would say of the same request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from msgspec.structs import replace

from llmposter.model import BadRequest, Response, Route, Struct
from llmposter.wire import gemini_body as sent
from llmposter.wire.gemini_errors import HEADERS
from llmposter.wire.gemini_read import ACTIONS, decoded, read
from llmposter.wire.gemini_wording import NO_CONTENTS

if TYPE_CHECKING:
    from llmposter.beside import Desk, Endpoint
    from llmposter.model import Failure, Request


class Body(Struct, frozen=True):
    """Contents alone, or a whole request of `generateContent`."""

    contents: sent.Contents = None
    generateContentRequest: sent.Body | None = None  # noqa: N815 - the provider's
    generate_content_request: sent.Body | None = None


class Wrapped(Struct, frozen=True):
    generateContentRequest: msgspec.Raw = sent.NOTHING  # noqa: N815 - the provider's
    generate_content_request: msgspec.Raw = sent.NOTHING


_BODY: Final = msgspec.json.Decoder(Body)
_WRAPPED: Final = msgspec.json.Decoder(Wrapped)


class CountTokens:
    """The endpoint."""

    provider = "gemini"
    routes: tuple[Route, ...] = tuple(Route("POST", f"{path}:countTokens") for path in ACTIONS)

    def answer(self, request: Request, desk: Desk) -> Response | Failure | BadRequest:
        if isinstance(body := decoded(_BODY, request.body), BadRequest):
            return body
        wrapped = _WRAPPED.decode(request.body)
        for inner in (wrapped.generateContentRequest, wrapped.generate_content_request):
            if inner != sent.NOTHING:
                request = replace(request, body=bytes(inner))
        turn = read(self.provider, request)
        if isinstance(turn, BadRequest):
            return turn
        if not turn.messages:
            return BadRequest(NO_CONTENTS.replace("GenerateContent", "CountTokens"))
        count = desk.tokens(turn)
        told = b'{"totalTokens":%d,"promptTokensDetails":[{"modality":"TEXT","tokenCount":%d}]}' % (count, count)
        return Response(200, HEADERS, told)


ENDPOINTS: Final[tuple[Endpoint, ...]] = (CountTokens(),)
