"""``GET /v1beta/models`` and ``/v1beta/models/{id}`` in Gemini's form, page by page; under ``/v1`` for its clients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from llmposter.model import Failure, Response, Route
from llmposter.wire.gemini_errors import HEADERS
from llmposter.wire.sse import encode

if TYPE_CHECKING:
    from llmposter.beside import Desk, Endpoint
    from llmposter.model import Json, Request

USUAL: Final = (
    "gemini-3-pro-preview", "gemini-3-flash-preview", "gemini-2.5-pro", "gemini-2.5-flash", "gemini-2.5-flash-lite",
    "gemini-2.0-flash", "gemini-embedding-001",
)  # fmt: skip
"""Where no scenario mentions any."""
_METHODS: Final = ("generateContent", "streamGenerateContent", "countTokens")
_EMBEDS: Final = ("embedContent", "batchEmbedContents", "countTokens")


def _meant(request: Request) -> bool:
    headers = request.headers
    return "x-goog-api-key" in headers or "x-goog-api-client" in headers or "key" in request.query


class Models:
    """The endpoint."""

    provider = "gemini"
    routes: tuple[Route, ...] = (
        Route("GET", "/v1beta/models"),
        Route("GET", "/v1beta/models/{model*}"),
        Route("GET", "/v1beta/tunedModels"),
        Route("GET", "/v1/models", _meant),
        Route("GET", "/v1/models/{model*}", _meant),
        Route("GET", "/v1/tunedModels"),
    )

    def answer(self, request: Request, desk: Desk) -> Response | Failure:
        _, version, kind, *named = request.path.split("/", 3)
        models = desk.models() or USUAL
        if not named:
            return _page(models if kind == "models" else (), kind, request)
        if named[0] in models:
            return _told(_model(named[0]))
        return Failure("not_found", 404, message=f"Model is not found: models/{named[0]} for api version {version}")


def _page(models: tuple[str, ...], kind: str, request: Request) -> Response | Failure:
    size, token = request.query.get("pageSize", ""), request.query.get("pageToken", "")
    if size and not (size.isascii() and size.isdigit()):
        return Failure("bad_request", 400, message=f"Invalid value at 'page_size' (TYPE_INT32), \"{size}\"")
    if token and token not in models:
        return Failure("bad_request", 400, message="The page token is invalid.")
    most = min(int(size[:5] or 0) or 50, 1000)
    begin = models.index(token) if token else 0
    shown, rest = models[begin : begin + most], models[begin + most :]
    told: dict[str, Json] = {kind: [_model(each) for each in shown]} if shown else {}
    if rest:
        told["nextPageToken"] = rest[0]
    return _told(told)


def _told(value: Json) -> Response:
    return Response(200, HEADERS, encode(value))


def _model(name: str) -> Json:
    embeds = "embedding" in name
    return {
        "name": f"models/{name}",
        "version": "001",
        "displayName": name,
        "description": "A model that llmposter plays.",
        "inputTokenLimit": 2_048 if embeds else 1_048_576,
        "outputTokenLimit": 1 if embeds else 65_536,
        "supportedGenerationMethods": _EMBEDS if embeds else _METHODS,
        **({} if embeds else {"temperature": 1, "topP": 0.95, "topK": 64, "maxTemperature": 2, "thinking": True}),
    }


ENDPOINTS: Final[tuple[Endpoint, ...]] = (Models(),)
