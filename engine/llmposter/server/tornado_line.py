"""A line over Tornado's own HTTP/1.1 connection."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING

from tornado.httputil import HTTPHeaders, ResponseStartLine
from tornado.iostream import StreamClosedError

from llmposter.server.heads import date, head, reason, sound
from llmposter.server.line import RESET_ON_CLOSE, Gone, taken, unheard

if TYPE_CHECKING:
    from asyncio import Future
    from collections.abc import Awaitable, Callable

    from tornado.http1connection import HTTP1Connection
    from tornado.httputil import RequestStartLine

    from llmposter.server.line import Pairs


class TornadoLine:
    """As `Line`."""

    __slots__ = ("_http", "method", "old")

    def __init__(self, http: HTTP1Connection, asked: RequestStartLine) -> None:
        self._http, self.method, self.old = http, asked.method, asked.version == "HTTP/1.0"

    def whole(self, status: int, headers: Pairs, body: bytes) -> None:
        length = None if status in (204, 304) else len(body)
        chunk = None if self.method == "HEAD" or not body else body
        self._http.write_headers(_start_line(status), _headers(headers, length), chunk)
        self._http.finish()

    def begin(self, status: int, headers: Pairs, data: bytes, *, last: bool) -> Awaitable[None] | None:
        written = self._http.write_headers(_start_line(status), _headers(headers, None), data or None)
        return self._written(written, last=last)

    def write(self, data: bytes, *, last: bool) -> Awaitable[None] | None:
        return self._written(self._http.write(data), last=last)

    def _written(self, written: Future[None], *, last: bool) -> Awaitable[None] | None:
        if not last:
            return _or_gone(written)
        self._http.finish()
        if self.old:
            # It knows no chunks, so that only the end of the connection ends a body whose length was not told.
            written.add_done_callback(lambda _: self._http.close())
        return None

    def opening(self, status: int, headers: Pairs, length: int | None, *, last: bool) -> bytes:
        told, last = head(status, headers), last or (self.old and length is None)
        if length is not None:
            told += b"content-length: %d\r\n" % length
        elif not self.old:
            told += b"transfer-encoding: chunked\r\n"
        return told + (b"connection: close\r\n\r\n" if last else b"\r\n")

    def finish(self) -> None:
        self._http.finish()
        if self.old:
            self._http.close()

    async def heard(self) -> None:
        await taken(self._unheard)

    def _unheard(self) -> int:
        held = self._http.stream.socket
        return 0 if held is None or self._http.stream.closed() else unheard(held.fileno())

    def on_gone(self, call: Callable[[], None] | None) -> None:
        self._http.set_close_callback(call)

    def close(self) -> None:
        self._http.close()

    def raw(self, data: bytes) -> Awaitable[None] | None:
        return _or_gone(self._http.stream.write(data))

    def half_close(self) -> None:
        if (held := self._http.stream.socket) is not None:
            held.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        if (held := self._http.stream.socket) is not None:
            held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        self._http.stream.close()


async def _or_gone(written: Awaitable[None]) -> None:
    try:
        await written
    except StreamClosedError:
        raise Gone from None


def _start_line(status: int) -> ResponseStartLine:
    return ResponseStartLine("HTTP/1.1", status, reason(status))


def _headers(pairs: Pairs, length: int | None) -> HTTPHeaders:
    headers = HTTPHeaders()
    for name, value in sound(pairs):
        headers.add(name, value)
    headers.add("Date", date(int(time.time())))
    if length is not None:
        headers.add("Content-Length", str(length))
    return headers
