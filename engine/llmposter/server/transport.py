"""HTTP/1.1 over TCP by Tornado, within bounds; a faster transport can take its place without a change above.

It makes one `Connection` for each TCP connection and marks it closed when that is gone.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from itertools import count
from typing import TYPE_CHECKING, Any, Final, cast

from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPConnection, HTTPMessageDelegate, HTTPServerConnectionDelegate
from tornado.iostream import IOStream, StreamClosedError

from llmposter.model import Connection
from llmposter.server.answers import Answers
from llmposter.server.exchange import Exchange
from llmposter.server.limits import MOST_CONNECTIONS

if TYPE_CHECKING:
    import socket
    from collections.abc import Sequence

    from tornado.http1connection import HTTP1Connection

    from llmposter.server.service import Service

MOST_OF_HEAD: Final = 64 * 1024
IDLE: Final = 600.0
"""Seconds after which a connection without a request is closed; no client's pool keeps one that long."""
SLOW_BODY: Final = 120.0
"""Seconds in which a body has to arrive."""
_UNBOUNDED: Final = 1 << 62
_FULL: Final = (
    b'{"error": {"message": "llmposter has %d connections open, which is the most that it takes", '
    b'"type": "server_error", "param": null, "code": null}}'
)


class Router(HTTPServerConnectionDelegate):
    """Where every request begins; `Exchange` sees whose it is."""

    def __init__(self, service: Service, admin: HTTPServerConnectionDelegate) -> None:
        self._answers, self._admin = Answers(service), admin
        self._open: dict[object, Connection] = {}
        self._numbers = count(1)

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        if (connection := self._open.get(server_conn)) is None:
            connection = self._open[server_conn] = Connection(next(self._numbers))
        return Exchange(self._answers, self._admin, connection, cast("HTTP1Connection", request_conn))

    def on_close(self, server_conn: object) -> None:
        if (connection := self._open.pop(server_conn, None)) is not None:
            connection.open = False


class _Tornado(HTTPServer):
    """Tornado's server with bounds that are told to those who meet them."""

    def initialize(self, router: Router, most: int = MOST_CONNECTIONS) -> None:  # type: ignore[override]
        """Takes the place of a constructor, as Tornado wants it."""
        self._router, self._most = router, most
        super().initialize(
            router,
            max_header_size=MOST_OF_HEAD,
            # Whoever reads a body bounds it: only there is the answer to one too large known.
            max_body_size=_UNBOUNDED,
            idle_connection_timeout=IDLE,
            body_timeout=SLOW_BODY,
        )

    def handle_stream(self, stream: IOStream, address: tuple[Any, ...]) -> None:
        if len(self._connections) >= self._most:
            stream.io_loop.add_callback(_turn_away, stream, _FULL % self._most)
        else:
            super().handle_stream(stream, address)

    def on_close(self, server_conn: object) -> None:
        super().on_close(server_conn)
        self._router.on_close(server_conn)


class Slow:
    """All connections of one server, as `Fast` has them."""

    def __init__(self, service: Service, admin: HTTPServerConnectionDelegate, most: int) -> None:
        self._server = _Tornado(Router(service, admin), most)

    async def start(self, sockets: Sequence[socket.socket], backlog: int) -> None:  # noqa: ARG002 - they listen
        """Takes connections from now on."""
        self._server.add_sockets(sockets)

    def stop(self) -> None:
        """No new connections; those that are open stay."""
        self._server.stop()

    async def close(self, seconds: float) -> None:
        """No connection is left after so many seconds."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._server.close_all_connections(), seconds)


async def _turn_away(stream: IOStream, body: bytes) -> None:
    head = b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\nconnection: close\r\n"
    try:
        await stream.write(b"%bcontent-length: %d\r\n\r\n%b" % (head, len(body), body))
    except StreamClosedError:
        pass
    finally:
        stream.close()
