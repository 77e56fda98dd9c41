"""``/code/404`` and its like: an answer with the status that the path names, by any method, to test HTTP clients."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from llmposter.model import Response, Route
from llmposter.wire.headers import JSON
from llmposter.wire.sse import encode

if TYPE_CHECKING:
    from llmposter.beside import Desk, Endpoint
    from llmposter.model import Request

_BODILESS: Final = (204, 205, 304)
_WAIT: Final = (("retry-after", "60"),)


class StatusCodes:
    """The endpoint."""

    provider = ""
    routes: tuple[Route, ...] = (Route("*", "/code/{status}"),)

    def answer(self, request: Request, desk: Desk) -> Response:  # noqa: ARG002 - the protocol's
        named = request.path.rpartition("/")[2]
        status = int(named) if len(named) == 3 and named.isascii() and named.isdigit() else 0
        if not 100 <= status <= 599:
            return _told(400, f'"{named}" is no status: it takes 100 to 599')
        if status in _BODILESS:
            return Response(status, (), b"")
        return _told(status, _phrase(status))


def _told(status: int, description: str) -> Response:
    headers: tuple[tuple[str, str], ...] = (("content-type", JSON),)
    if 300 <= status < 400:
        headers = (*headers, ("location", "/"))
    return Response(
        status,
        headers + _WAIT if status == 429 else headers,
        encode({"code": status, "description": description}),
    )


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


ENDPOINTS: Final[tuple[Endpoint, ...]] = (StatusCodes(),)
