"""A request that was read, and who answers it: a wire, or a word on what would be right. Every transport asks here."""

from __future__ import annotations

from functools import cache, lru_cache, partial
from typing import TYPE_CHECKING, Any, Final

import msgspec

from llmposter.access import Rejected
from llmposter.core.delivery import broken, damage, plan
from llmposter.model import BadRequest, Failure, Request, Response
from llmposter.server import target
from llmposter.server.encodings import unpacked
from llmposter.server.gate import Gate
from llmposter.server.gateways import named_model, with_model
from llmposter.server.request_head import RequestHead
from llmposter.server.resource import metadata
from llmposter.server.routes import Beside
from llmposter.server.sending import Sending
from llmposter.server.sharing import preflight, shared
from llmposter.wire.strictly import refused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from llmposter.access import Limited
    from llmposter.core.journal import Entry
    from llmposter.model import Connection, Wire
    from llmposter.server.line import Line, Pairs
    from llmposter.server.routes import Answerer
    from llmposter.server.service import Service

ADMIN: Final = "/_llmposter"
MOST_OF_BODY: Final = 16 * 1024 * 1024
MOST_DRAINED: Final = 4 * MOST_OF_BODY
"""A body up to here is read to its end although it is too large, so that the client hears the answer."""
MOST_FOR_ADMIN: Final = 1024 * 1024
TOO_LARGE: Final = BadRequest(f"The body is larger than {MOST_OF_BODY // 1024 // 1024} MiB.", status=413)
_JSON: Final = (("content-type", "application/json"),)
_NO_RETRY: Final = (("x-should-retry", "false"),)


def located(raw: str) -> target.Target:
    """The target of a request line; short ones are remembered, as a client asks for the same few."""
    return _remembered(raw) if len(raw) <= 256 else target.parse(raw)


_remembered = lru_cache(maxsize=512)(target.parse)


def for_tornado(where: target.Target) -> bool:
    """Whether Tornado's application answers there."""
    path = where.path
    return path.startswith(ADMIN) and path[len(ADMIN) :][:1] in ("", "/")


class Answers:
    """All that is not answered by Tornado's application."""

    __slots__ = ("_guard", "_service")

    def __init__(self, service: Service) -> None:
        self._service = service
        self._guard = Gate(service)

    @property
    def _gate(self) -> Gate | None:
        """What stands before the answers; other scenarios may want one where none was."""
        return None if self._service.mock.admission.free else self._guard

    def head(self, method: str, where: target.Target, headers: dict[str, str]) -> RequestHead:
        """A head as a transport read it, names in lower case, repeated ones joined with ``, ``."""
        return RequestHead(method, where, headers, self._service.routes.at(where.path), tornado=for_tornado(where))

    def answer(
        self, head: RequestHead, body: bytes, connection: Connection, wrong: BadRequest | None, line: Line
    ) -> None:
        """Sees to it that *line* gets its answer, now or later; whatever goes wrong is its answer too.

        *wrong* is why the request is refused, whatever it says.
        """
        if "origin" in head.headers:
            line = shared(line, head.headers)
            if (leave := preflight(head.method, head.headers)) is not None:
                # A browser asks by itself, so that it says nothing of the agent under test.
                self._told(line).respond(leave)
                return
        answerer, wrong = head.answerer, head.wrong or wrong
        if head.encoding and body and wrong is None:
            body, wrong = _plain(body, head.encoding)
        if head.came and (named := named_model(head.came)) and wrong is None:
            body = with_model(body, named)
        request = Request(head.method, head.path, head.query, head.headers, body, connection, head.session, head.came)
        try:
            if answerer is None:
                self._unrouted(request, head.methods, line)
            elif isinstance(answerer, Beside):
                self._beside(request, answerer, wrong, line)
            elif wrong is not None:
                self._refuse(request, answerer, wrong, line)
            else:
                self._speak(request, answerer, line)
        except Exception as error:  # noqa: BLE001 - a bug ends this answer and nothing else
            self._broke(error, request, None if isinstance(answerer, Beside) else answerer, line)

    def _speak(self, request: Request, wire: Wire, line: Line) -> None:
        gate = self._gate
        if gate is not None:
            admitted = gate.admit(request, wire)
            if isinstance(admitted, Rejected):
                self._keep_out(request, wire, admitted, line)
                return
            request = admitted
        read = (refused(request) if self._service.mock.strict else None) or wire.read(request)
        if isinstance(read, BadRequest):
            self._refuse(request, wire, read, line)
            return
        if gate is not None and (limited := gate.limited(read)) is not None:
            self._keep_out(request, wire, limited, line, read.model)
            return
        exchange = self._service.mock.answer(read, wire.unpaired, partial(damage, read, wire))
        going = Sending(self._service, line, exchange.entry)
        try:
            planned = plan(exchange.step, read, wire, self._service.clock.now())
            going.follow(planned if gate is None else gate.told(planned, read, exchange.step, wire))
        except Exception as error:  # noqa: BLE001 - as above; the entry is there already
            self._broke(error, request, wire, line, going)

    def _beside(self, request: Request, there: Beside, wrong: BadRequest | None, line: Line) -> None:
        if (endpoint := there.of(request)) is None:
            self._unrouted(request, {}, line)
            return
        mock, wire, gate = self._service.mock, self._service.wires.get(endpoint.provider), self._gate
        try:
            # What is llmposter's own needs no credential.
            if gate is not None and wire is not None and wrong is None:
                admitted = gate.admit(request, wire)
                if isinstance(admitted, Rejected):
                    self._keep_out(request, wire, admitted, line)
                    return
                request = admitted
                if (limited := gate.limited_beside(request)) is not None:
                    self._keep_out(request, wire, limited, line)
                    return
            desk = mock.desk(request, endpoint.provider)
            if wrong is None and mock.strict:
                wrong = refused(request)
            told = wrong or endpoint.answer(request, desk)
            if isinstance(told, BadRequest):
                self._refuse(request, wire, told, line)
                return
            if isinstance(told, Failure):
                told = self._failed(wire, told)
            elif gate is not None and wire is not None:
                told = gate.told_beside(told, request, wire)
            # A status of 1xx ends no answer, so that `respond` makes it 200.
            going = self._told(line, mock.beside(request, endpoint.provider, max(200, told.status), desk))
            if desk.faults:
                going.follow(broken(told, desk.faults, partial(self._failed, wire)))
            else:
                going.respond(told)
        except Exception as error:  # noqa: BLE001 - as above, in the provider's words
            self._broke(error, request, wire, line)

    def _keep_out(self, request: Request, wire: Wire, refused: Rejected | Limited, line: Line, model: str = "") -> None:
        response = self._guard.refusal(request, refused, wire, model)
        entry = self._service.mock.kept_out(request, wire.name, refused, response.status)
        Sending(self._service, line, entry).respond(response)

    def _refuse(self, request: Request, wire: Wire | None, refused: BadRequest, line: Line) -> None:
        if wire is None:
            response = problem(refused.status, refused.message)
        else:
            response = wire.bad_request(refused, self._service.clock.now())
        entry = self._service.mock.refused(request, "" if wire is None else wire.name, refused, response.status)
        Sending(self._service, line, entry).respond(response)

    def _broke(
        self, error: Exception, request: Request, wire: Wire | None, line: Line, going: Sending | None = None
    ) -> None:
        what = f"{request.method} {request.path}"
        self._service.watch.broke(error, what)
        message = f"llmposter failed inside ({type(error).__name__}); its log has more"
        if going is None:
            name = "" if wire is None else wire.name
            entry = self._service.mock.refused(request, name, BadRequest(message, status=500), 500)
            going = Sending(self._service, line, entry)
        if going.begun:
            line.close()
        else:
            going.respond(self._failed(wire, Failure("server_error", 500, message=message, headers=_NO_RETRY)))

    def _failed(self, wire: Wire | None, failure: Failure) -> Response:
        if wire is not None:
            return wire.failure(failure, self._service.clock.now())
        return problem(failure.status or 500, failure.message or "", failure.headers)

    # --- what no wire answers -------------------------------------------------------------------------------------

    def _unrouted(self, request: Request, there: Mapping[str, Answerer], line: Line) -> None:
        method, path, routes = request.method, request.path, self._service.routes
        if there and method == "OPTIONS":
            self._told(line).respond(Response(204, (("allow", ", ".join((*sorted(there), "OPTIONS"))),), b""))
        elif there:
            allow = (("allow", ", ".join(sorted(there))),)
            self._write_off(request, BadRequest(routes.not_allowed(method, path), status=405), line, allow)
        elif path in _OWN and method in ("GET", "HEAD"):
            self._told(line).respond(_OWN[path](self._service))
        elif (told := metadata(request, self._service)) is not None and method in ("GET", "HEAD"):
            self._told(line).respond(told)
        else:
            self._write_off(request, BadRequest(routes.unknown(method, path), status=404), line)

    def _write_off(self, request: Request, told: BadRequest, line: Line, more: Pairs = ()) -> None:
        """In the words of the provider whose client it seems to be, for its SDK reads no other's."""
        service = self._service
        entry = service.mock.unrouted(request, told.status, told.message)
        if (wire := service.wires.get(service.routes.resembled(request))) is None:
            response = problem(told.status, told.message)
        else:
            response = wire.bad_request(told, service.clock.now())
        self._told(line, entry).respond(Response(response.status, (*response.headers, *more), response.body))

    def _told(self, line: Line, entry: Entry | None = None) -> Sending:
        return Sending(self._service, line, entry)


def _plain(body: bytes, encoding: str) -> tuple[bytes, BadRequest | None]:
    """The body unpacked; or as it came, and what is wrong with it."""
    plain = unpacked(body, encoding, MOST_OF_BODY)
    return (body, plain) if isinstance(plain, BadRequest) else (plain, None)


def problem(status: int, message: str, headers: tuple[tuple[str, str], ...] = ()) -> Response:
    """An error as OpenAI's SDKs and most others read one."""
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


_OWN: Final[Mapping[str, Callable[[Service], Response]]] = {
    "/": _welcome,
    "/health": lambda _: Response(200, _JSON, b'{"status":"ok"}'),
    "/favicon.ico": lambda _: Response(204, (), b""),
}
"""What browsers and probes ask: it says nothing of the agent under test, so that none of it is written down."""


@cache
def own_version() -> str:
    """The version of llmposter that runs."""
    from importlib.metadata import version

    return version("llmposter")
