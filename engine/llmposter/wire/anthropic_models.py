"""``GET /v1/models`` and ``/v1/models/{id}`` in Anthropic's form, page by page, for who sends `anthropic-version`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from llmposter.model import Failure, Response, Route
from llmposter.wire.anthropic_headers import ORGANIZATION, request_id
from llmposter.wire.headers import JSON
from llmposter.wire.sse import encode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llmposter.beside import Desk, Endpoint
    from llmposter.model import Json, Request

_LIST: Final = "/v1/models"
_CREATED: Final = "2025-01-01T00:00:00Z"
"""When each model was released, whatever its name."""
USUAL: Final = (
    "claude-opus-4-8", "claude-opus-4-6", "claude-sonnet-4-6", "claude-haiku-4-5", "claude-haiku-4-5-20251001",
    "claude-opus-4-5", "claude-opus-4-5-20251101", "claude-sonnet-4-5", "claude-sonnet-4-5-20250929",
)  # fmt: skip
"""Where no scenario mentions any."""


def _meant(request: Request) -> bool:
    # Every client has to send it: https://docs.anthropic.com/en/api/versioning.
    return "anthropic-version" in request.headers


class Models:
    """The endpoint."""

    provider = "anthropic"
    routes: tuple[Route, ...] = (Route("GET", _LIST, _meant), Route("GET", f"{_LIST}/{{model*}}", _meant))

    def answer(self, request: Request, desk: Desk) -> Response | Failure:
        named = request.path[len(_LIST) + 1 :]
        models = desk.models() or USUAL
        if not named:
            return _page(models, request)
        if named in models:
            return _told(_model(named))
        return Failure("not_found", 404, message=f"model: {named}")


def _page(models: Sequence[str], request: Request) -> Response | Failure:
    limit, after, before = (request.query.get(name, "") for name in ("limit", "after_id", "before_id"))
    if limit and not (limit.isascii() and limit.isdigit() and 1 <= int(limit[:5]) <= 1000):
        return Failure("bad_request", 400, message="limit: Input should be greater than or equal to 1 and at most 1000")
    most = int(limit[:5]) if limit else 20
    for name, cursor in (("after_id", after), ("before_id", before)):
        if cursor and cursor not in models:
            return Failure("bad_request", 400, message=f"{name}: no such model: {cursor}")
    if before:
        rest = models[: models.index(before)]
        shown = rest[-most:]
    else:
        rest = models[models.index(after) + 1 :] if after else models
        shown = rest[:most]
    ends = {"first_id": shown[0] if shown else None, "last_id": shown[-1] if shown else None}
    return _told({"data": [_model(each) for each in shown], "has_more": len(shown) < len(rest), **ends})


def _told(value: Json) -> Response:
    body = encode(value)
    return Response(200, (("content-type", JSON), ("request-id", request_id(body)), ORGANIZATION), body)


def _model(name: str) -> Json:
    return {
        "type": "model",
        "id": name,
        "display_name": name,
        "created_at": _CREATED,
        "lifecycle": "active",
        "max_input_tokens": 200_000,
        "max_tokens": 64_000,
        "capabilities": None,
        "line": None,
        "deprecated_at": None,
        "retires_at": None,
    }


ENDPOINTS: Final[tuple[Endpoint, ...]] = (Models(),)
