"""One request as Tornado's own transport tells it, piece by piece; read to its end and handed to who answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tornado.httputil import HTTPHeaders, HTTPMessageDelegate, RequestStartLine

from llmposter.server.answers import (
    MOST_DRAINED,
    MOST_FOR_ADMIN,
    MOST_OF_BODY,
    TOO_LARGE,
    Answers,
    for_tornado,
    located,
)
from llmposter.server.tornado_line import TornadoLine

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from tornado.http1connection import HTTP1Connection
    from tornado.httputil import HTTPServerConnectionDelegate, ResponseStartLine

    from llmposter.model import Connection


class Exchange(HTTPMessageDelegate):
    """What the transport tells of one request, as it comes."""

    __slots__ = (
        "_admin",
        "_answers",
        "_body",
        "_connection",
        "_headers",
        "_http",
        "_inner",
        "_line",
        "_size",
        "_target",
    )

    def __init__(
        self, answers: Answers, admin: HTTPServerConnectionDelegate, connection: Connection, http: HTTP1Connection
    ) -> None:
        self._answers, self._admin, self._connection, self._http = answers, admin, connection, http
        self._inner: HTTPMessageDelegate | None = None
        self._body: list[bytes] = []
        self._size = 0

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        assert isinstance(start_line, RequestStartLine)
        self._line, self._headers, self._target = start_line, headers, located(start_line.path)
        if for_tornado(self._target):
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

    def _answer(self) -> None:
        headers: dict[str, str] = {}
        for name, value in self._headers.get_all():
            key = name.lower()
            headers[key] = f"{headers[key]}, {value}" if key in headers else value
        body, self._body = b"".join(self._body), []
        wrong = TOO_LARGE if self._size > MOST_OF_BODY else None
        head = self._answers.head(self._line.method, self._target, headers)
        self._answers.answer(head, body, self._connection, wrong, TornadoLine(self._http, self._line))
