"""Calls that Tornado's application answers: a connection lent to it, as far as it needs one, WebSockets included.

Tornado asks for more than `HTTPConnection` names; a test holds the names against Tornado's own connection.
"""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Final

from tornado.httputil import HTTPConnection, HTTPHeaders, HTTPInputError, RequestStartLine, ResponseStartLine
from tornado.ioloop import IOLoop
from tornado.iostream import StreamClosedError

from llmposter.server.answers import MOST_FOR_ADMIN, problem

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tornado.httputil import HTTPServerConnectionDelegate

    from llmposter.server.call import Call
    from llmposter.server.peer import Peer

_MOST_BUFFERED: Final = 64 * 1024 * 1024


def hand_over(call: Call, application: HTTPServerConnectionDelegate) -> None:
    """The whole call to Tornado, which answers it whenever it likes."""
    if call.wrong is not None or call.size > MOST_FOR_ADMIN:
        refused = problem(413, f"the body is larger than {MOST_FOR_ADMIN // 1024 // 1024} MiB")
        call.whole(refused.status, refused.headers, refused.body)
        return
    headers = HTTPHeaders()
    for name, value in call.headers.items():
        headers.add(name, value)
    line = RequestStartLine(call.method, call.url.decode("latin-1"), "HTTP/1.0" if call.old else "HTTP/1.1")
    try:
        delegate = application.start_request(call.peer, Lent(call))
        delegate.headers_received(line, headers)
        if call.body:
            delegate.data_received(b"".join(call.body))
        delegate.finish()
    except HTTPInputError as error:
        refused = problem(400, str(error))
        call.keep = False
        call.whole(refused.status, refused.headers, refused.body)


class Lent(HTTPConnection):
    """One exchange, as Tornado sees it."""

    def __init__(self, call: Call) -> None:
        self._call = call
        address = call.peer.transport.get_extra_info("peername")
        held = call.peer.transport.get_extra_info("socket")
        self.context = SimpleNamespace(
            remote_ip=address[0] if address else "0.0.0.0",  # noqa: S104 - as Tornado writes an unknown one
            protocol="http",
            address=address,
            address_family=None if held is None else held.family,
        )
        self._left: int | None = None

    def set_close_callback(self, callback: Callable[[], None] | None) -> None:
        self._call.on_gone(callback)

    def set_max_body_size(self, size: int) -> None:
        """The body is here already."""

    def set_body_timeout(self, seconds: float) -> None:
        """Likewise."""

    def write_headers(
        self,
        start_line: RequestStartLine | ResponseStartLine,
        headers: HTTPHeaders,
        chunk: bytes | None = None,
    ) -> asyncio.Future[None]:
        assert isinstance(start_line, ResponseStartLine)
        call, status = self._call, start_line.code
        bodiless = call.method == "HEAD" or status in (204, 304) or status < 200
        framed = "Content-Length" in headers or "Transfer-Encoding" in headers
        call.chunked = not (bodiless or framed or call.old)
        if call.chunked:
            headers["Transfer-Encoding"] = "chunked"
        elif not (bodiless or framed):
            call.keep = False
        if status >= 200:
            if not call.keep:
                headers["Connection"] = "close"
            elif call.old:
                headers["Connection"] = "Keep-Alive"
        lines = [f"HTTP/1.1 {status} {start_line.reason}", *(f"{name}: {value}" for name, value in headers.get_all())]
        if any("\r" in line or "\n" in line for line in lines):
            raise ValueError("a header of an answer has a line break in it")
        return self._out("\r\n".join((*lines, "", "")).encode("latin-1"), chunk or b"")

    def write(self, chunk: bytes) -> asyncio.Future[None]:
        return self._out(b"", chunk)

    def _out(self, before: bytes, chunk: bytes) -> asyncio.Future[None]:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        peer = self._call.peer
        if peer.gone:
            done.set_exception(StreamClosedError())
            done.exception()
            return done
        if chunk and self._call.chunked:
            chunk = b"%x\r\n%b\r\n" % (len(chunk), chunk)
        elif self._call.method == "HEAD":
            chunk = b""
        if before or chunk:
            peer.write(before + bytes(chunk))
        _follow(peer.drained(), done)
        return done

    def finish(self) -> None:
        call = self._call
        if not call.over:
            call.over, call.gone = True, None
            if call.chunked:
                call.peer.write(b"0\r\n\r\n")
            call.peer.answered(call)

    def detach(self) -> Borrowed:
        """The connection is no longer HTTP's."""
        call = self._call
        call.over, call.gone = True, None
        return Borrowed(call.peer)


def _follow(going: Awaitable[None] | None, done: asyncio.Future[None]) -> None:
    """*done* is done when *going* is, with an error that Tornado knows."""
    if going is None:
        # Not at once: a handler that writes without end would never let others run.
        asyncio.get_running_loop().call_soon(_resolve, done)
        return

    def over(future: asyncio.Future[None]) -> None:
        if done.done():
            return
        if future.cancelled() or future.exception() is not None:
            done.set_exception(StreamClosedError())
            done.exception()
        else:
            done.set_result(None)

    asyncio.ensure_future(going).add_done_callback(over)


def _resolve(done: asyncio.Future[None]) -> None:
    if not done.done():
        done.set_result(None)


class Borrowed:
    """What Tornado's WebSockets ask of an `IOStream`, over the connection of a peer."""

    def __init__(self, peer: Peer) -> None:
        self._peer, self.io_loop, self.error = peer, IOLoop.current(), None
        self._reader = asyncio.StreamReader(limit=_MOST_BUFFERED)
        self._reader.set_transport(peer.transport)
        self._on_close: Callable[[], None] | None = None
        self._over = False
        peer.lend(self._reader.feed_data, self._lost)

    def closed(self) -> bool:
        return self._over or self._peer.gone

    def close(self, exc_info: object = False) -> None:  # noqa: ARG002, FBT002 - Tornado's
        self._peer.close()

    def set_close_callback(self, callback: Callable[[], None] | None) -> None:
        self._on_close = callback
        if callback is not None and self.closed():
            self.io_loop.add_callback(callback)

    def set_nodelay(self, value: bool) -> None:  # noqa: FBT001 - Tornado's
        """It is so already."""

    def write(self, data: bytes | memoryview) -> asyncio.Future[None]:
        if self.closed():
            raise StreamClosedError
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._peer.write(bytes(data))
        _follow(self._peer.drained(), done)
        return done

    async def read_bytes(self, count: int, partial: bool = False) -> bytes:  # noqa: FBT001, FBT002 - Tornado's
        try:
            return await (self._reader.read(count) if partial else self._reader.readexactly(count))
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise StreamClosedError from error

    def _lost(self) -> None:
        self._over = True
        self._reader.feed_eof()
        callback, self._on_close = self._on_close, None
        if callback is not None:
            callback()
