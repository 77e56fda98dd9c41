"""``GET /v1/models`` and ``/v1/models/{id}`` in OpenAI's form: what scenarios mention, else some that OpenAI has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from llmposter.model import Failure, Response, Route
from llmposter.wire.headers import JSON
from llmposter.wire.openai_headers import of_server
from llmposter.wire.sse import encode

if TYPE_CHECKING:
    from llmposter.beside import Desk, Endpoint
    from llmposter.model import Json, Request

_LIST: Final = "/v1/models"
_CREATED: Final = 1_735_689_600
"""When each model was made: 2025-01-01, whatever its name."""
USUAL: Final = (
    "gpt-5.4", "gpt-5.4-mini", "gpt-5.4-nano", "gpt-5.2", "gpt-5.1", "gpt-5", "gpt-5-mini", "gpt-5-nano", "gpt-4.1",
    "gpt-4.1-mini", "gpt-4o", "gpt-4o-mini", "o3", "o4-mini", "gpt-3.5-turbo-instruct", "text-embedding-3-large",
    "text-embedding-3-small", "text-embedding-ada-002", "omni-moderation-latest",
)  # fmt: skip
"""Where no scenario mentions any."""


class Models:
    """The endpoint."""

    provider = "openai"
    routes: tuple[Route, ...] = (Route("GET", _LIST), Route("GET", f"{_LIST}/{{model*}}"))

    def answer(self, request: Request, desk: Desk) -> Response | Failure:
        named = request.path[len(_LIST) + 1 :]
        models = desk.models() or USUAL
        if named and named not in models:
            message = f"The model '{named}' does not exist"
            return Failure("not_found", 404, message=message, param="model", code="model_not_found")
        told = _model(named) if named else {"object": "list", "data": [_model(each) for each in models]}
        return Response(200, (("content-type", JSON), *of_server(request.path.encode())), encode(told))


def _model(name: str) -> Json:
    return {"id": name, "object": "model", "created": _CREATED, "owned_by": "llmposter"}


ENDPOINTS: Final[tuple[Endpoint, ...]] = (Models(),)
