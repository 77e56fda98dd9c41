"""One request and its answer, on Tornado's delegate interface: bytes in, bytes out.

Requests of the admin API are handed to Tornado's own application; all others are read, answered and journalled here.
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

import msgspec
from tornado.httputil import HTTPHeaders, HTTPMessageDelegate, RequestStartLine

from llmposter.core.delivery import plan
from llmposter.model import BadRequest, Failure, Request, Response
from llmposter.server import target
from llmposter.server.sending import Sending

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from tornado.http1connection import HTTP1Connection
    from tornado.httputil import HTTPServerConnectionDelegate, ResponseStartLine

    from llmposter.core.journal import Entry
    from llmposter.model import Connection, Wire
    from llmposter.server.service import Service

ADMIN: Final = "/_llmposter"
MOST_OF_BODY: Final = 16 * 1024 * 1024
MOST_DRAINED: Final = 4 * MOST_OF_BODY
"""A body up to here is read to its end although it is too large, so that the client hears the answer."""
MOST_FOR_ADMIN: Final = 1024 * 1024
_JSON: Final = (("content-type", "application/json"),)
_NO_RETRY: Final = (("x-should-retry", "false"),)


class Exchange(HTTPMessageDelegate):
    """What the transport tells of one request, as it comes."""

    __slots__ = (
        "_admin",
        "_body",
        "_connection",
        "_headers",
        "_http",
        "_inner",
        "_line",
        "_service",
        "_size",
        "_target",
    )

    def __init__(
        self, service: Service, admin: HTTPServerConnectionDelegate, connection: Connection, http: HTTP1Connection
    ) -> None:
        self._service, self._admin, self._connection, self._http = service, admin, connection, http
        self._inner: HTTPMessageDelegate | None = None
        self._body: list[bytes] = []
        self._size = 0

    # --- what the transport calls ---------------------------------------------------------------------------------

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        assert isinstance(start_line, RequestStartLine)
        self._line, self._headers, self._target = start_line, headers, target.parse(start_line.path)
        path = self._target.path
        if path.startswith(ADMIN) and path[len(ADMIN) :][:1] in ("", "/"):
            self._http.set_max_body_size(MOST_FOR_ADMIN)
            self._inner = self._admin.start_request(self._connection, self._http)
            return self._inner.headers_received(start_line, headers)
        length = headers.get("Content-Length", "")
        if length.isdecimal() and (len(length) > 12 or int(length) > MOST_DRAINED):
            self._http.set_max_body_size(10**13 if len(length) <= 12 else 0)
            self._size = MOST_DRAINED + 1
            self._answer()
        return None

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        if self._inner is not None:
            return self._inner.data_received(chunk)
        self._size += len(chunk)
        if self._size <= MOST_OF_BODY:
            self._body.append(chunk)
        elif self._size > MOST_DRAINED:
            self._answer()
        else:
            self._body.clear()
        return None

    def finish(self) -> None:
        if self._inner is not None:
            self._inner.finish()
        else:
            self._answer()

    def on_connection_close(self) -> None:
        if self._inner is not None:
            self._inner.on_connection_close()

    # --- the answer -----------------------------------------------------------------------------------------------

    def _answer(self) -> None:
        (request, wrong), wires = self._request(), self._service.routes.at(self._target.path)
        try:
            if (wire := wires.get(request.method)) is None:
                self._unrouted(request, wires)
            elif wrong is not None:
                self._refuse(request, wire, BadRequest(wrong, code="bad_session"))
            elif self._size > MOST_OF_BODY:
                most = MOST_OF_BODY // 1024 // 1024
                self._refuse(request, wire, BadRequest(f"The body is larger than {most} MiB.", status=413))
            else:
                self._speak(request, wire)
        except Exception as error:  # noqa: BLE001 - a bug ends this answer and nothing else
            self._broke(error, request, next(iter(wires.values()), None))

    def _request(self) -> tuple[Request, str | None]:
        """The request, and what is wrong with the session that it names."""
        headers: dict[str, str] = {}
        for name, value in self._headers.get_all():
            key = name.lower()
            headers[key] = f"{headers[key]}, {value}" if key in headers else value
        where = self._target
        session = headers.get(target.SESSION_HEADER) if where.session is None else where.session
        wrong = None if session is None else target.faulty(session)
        body, self._body = b"".join(self._body), []
        request = Request(
            self._line.method, where.path, target.query(where.query), headers, body, self._connection,
            session if session is not None and wrong is None else "",
        )  # fmt: skip
        return request, wrong

    def _speak(self, request: Request, wire: Wire) -> None:
        read = wire.read(request)
        if isinstance(read, BadRequest):
            self._refuse(request, wire, read)
            return
        exchange = self._service.mock.answer(read)
        going = self._sending(exchange.entry)
        try:
            going.follow(plan(exchange.step, read, wire, self._service.clock.now()))
        except Exception as error:  # noqa: BLE001 - as above; the entry is there already
            self._broke(error, request, wire, going)

    def _refuse(self, request: Request, wire: Wire, refused: BadRequest) -> None:
        response = wire.bad_request(refused, self._service.clock.now())
        entry = self._service.mock.refused(request, wire.name, refused, response.status)
        self._sending(entry).respond(response)

    def _broke(self, error: Exception, request: Request, wire: Wire | None, going: Sending | None = None) -> None:
        what = f"{request.method} {request.path}"
        self._service.watch.broke(error, what)
        message = f"llmposter failed inside ({type(error).__name__}); its log has more"
        if going is None:
            name = "" if wire is None else wire.name
            going = self._sending(self._service.mock.refused(request, name, BadRequest(message, status=500), 500))
        if going.begun:
            self._http.close()
        elif wire is None:
            going.respond(_problem(500, message, _NO_RETRY))
        else:
            failure = Failure("server_error", 500, message=message, headers=_NO_RETRY)
            going.respond(wire.failure(failure, self._service.clock.now()))

    # --- what no wire answers -------------------------------------------------------------------------------------

    def _unrouted(self, request: Request, wires: dict[str, Wire]) -> None:
        method, path, routes = request.method, request.path, self._service.routes
        if wires and method == "OPTIONS":
            self._sending(None).respond(Response(204, (("allow", ", ".join((*sorted(wires), "OPTIONS"))),), b""))
        elif wires:
            allow = (("allow", ", ".join(sorted(wires))),)
            self._write_off(request, _problem(405, routes.not_allowed(method, path), allow))
        elif path == "/" and method in ("GET", "HEAD"):
            self._sending(None).respond(_welcome(self._service))
        elif path == "/favicon.ico" and method == "GET":
            # Browsers ask for it by themselves, so that it says nothing of the agent under test.
            self._sending(None).respond(Response(204, (), b""))
        else:
            self._write_off(request, _problem(404, routes.unknown(method, path)))

    def _write_off(self, request: Request, response: Response) -> None:
        message: str = msgspec.json.decode(response.body)["error"]["message"]
        self._sending(self._service.mock.unrouted(request, response.status, message)).respond(response)

    def _sending(self, entry: Entry | None) -> Sending:
        return Sending(self._service, self._http, self._line, entry)


def _problem(status: int, message: str, headers: tuple[tuple[str, str], ...] = ()) -> Response:
    # As OpenAI's SDKs and most others read an error.
    kind = "invalid_request_error" if status < 500 else "server_error"
    error: dict[str, Any] = {"message": message, "type": kind, "param": None, "code": None}
    return Response(status, (*_JSON, *headers), msgspec.json.encode({"error": error}))


def _welcome(service: Service) -> Response:
    told = {
        "llmposter": own_version(),
        "scenarios": [each["name"] for each in service.mock.scenarios()],
        "routes": service.routes.listed,
        "admin": f"{ADMIN}/",
    }
    return Response(200, _JSON, msgspec.json.encode(told))


@cache
def own_version() -> str:
    """The version of llmposter that runs."""
    return version("llmposter")
