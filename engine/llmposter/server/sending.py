"""One answer on its way out: head, body, waits and the entry that is completed by it.

The entry is completed before the last byte leaves, so that who has read an answer finds it in the journal.
"""

from __future__ import annotations

import asyncio
import time
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, assert_never

from tornado.httputil import HTTPHeaders, ResponseStartLine
from tornado.iostream import StreamClosedError

from llmposter.model import Plan, Send, Wait
from llmposter.server.waiting import wait

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable

    from tornado.http1connection import HTTP1Connection
    from tornado.httputil import RequestStartLine

    from llmposter.core.journal import Entry
    from llmposter.model import Response
    from llmposter.server.service import Service

MOST_AT_ONCE: Final = 16_384
"""Bytes of a stream that are written together, before others get their turn."""
_TOKEN: Final = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_FRAMING: Final = frozenset(("content-length", "transfer-encoding", "connection", "date"))


def start_line(status: int) -> ResponseStartLine:
    try:
        reason = HTTPStatus(status).phrase
    except ValueError:
        reason = "Unknown"
    return ResponseStartLine("HTTP/1.1", status, reason)


def head(pairs: Iterable[tuple[str, str]], length: int | None) -> HTTPHeaders:
    """The headers of an answer; a scenario's can break neither them nor the framing."""
    headers = HTTPHeaders()
    for name, value in pairs:
        if name and _TOKEN.issuperset(name) and name.lower() not in _FRAMING:
            headers.add(name, _printable(value))
    headers.add("Date", _date(int(time.time())))
    if length is not None:
        headers.add("Content-Length", str(length))
    return headers


def _printable(value: str) -> str:
    if value.isascii() and value.isprintable():
        return value
    plain = "".join(char if char >= " " and char != "\x7f" else " " for char in value)
    return plain.encode("utf-8", "replace").decode("latin-1")


@lru_cache(maxsize=2)
def _date(second: int) -> str:
    return formatdate(second, usegmt=True)


class Sending:
    """An answer that goes out over *http*; whoever made it hears of its end by *entry*, if there is one."""

    __slots__ = ("_asked", "_entry", "_http", "_over", "_sent", "_service", "_status", "begun")

    def __init__(self, service: Service, http: HTTP1Connection, asked: RequestStartLine, entry: Entry | None) -> None:
        self._service, self._http, self._asked, self._entry = service, http, asked, entry
        self._status, self._sent, self._over, self.begun = 0, 0, False, False

    # --- at once --------------------------------------------------------------------------------------------------

    def respond(self, response: Response) -> None:
        """The whole answer now."""
        self._whole(response.status, response.headers, response.body)

    def _whole(self, status: int, headers: Iterable[tuple[str, str]], body: bytes) -> None:
        self._status, self._sent, self.begun = status, len(body), True
        self._end("complete")
        length = None if status in (204, 304) else len(body)
        chunk = None if self._asked.method == "HEAD" or not body else body
        self._http.write_headers(start_line(status), head(headers, length), chunk)
        self._http.finish()

    # --- on the clock ---------------------------------------------------------------------------------------------

    def follow(self, plan: Plan) -> None:
        """The answer as planned: at once where nothing has to be waited for, else in a task of its own."""
        self._status = plan.status
        if plan.streamed:
            self._start(lambda: self._stream(plan))
            return
        seconds, body = 0.0, b""
        for item in plan.items:
            match item:
                case Wait():
                    seconds += item.seconds
                case Send():
                    body += item.data
                case _:
                    assert_never(item)
        if seconds > 0:
            self._start(lambda: self._later(seconds, plan, body))
        else:
            self._whole(plan.status, plan.headers, body)

    async def _later(self, seconds: float, plan: Plan, body: bytes) -> None:
        await wait(self._service.clock, seconds)
        self._whole(plan.status, plan.headers, body)

    async def _stream(self, plan: Plan) -> None:
        held: list[bytes] = []
        size = 0
        for item in plan.items:
            match item:
                case Wait():
                    await self._flush(plan, held)
                    held, size = [], 0
                    await wait(self._service.clock, item.seconds)
                case Send():
                    held.append(item.data)
                    size += len(item.data)
                    if size >= MOST_AT_ONCE:
                        await self._flush(plan, held)
                        held, size = [], 0
                        # A write that the socket took at once does not let others run.
                        await asyncio.sleep(0)
                case _:
                    assert_never(item)
        self._sent += size
        self._end("complete")
        self._sent -= size
        await self._flush(plan, held, last=True)
        self._http.finish()
        if self._asked.version == "HTTP/1.0":
            # It knows no chunks, so that only the end of the connection ends a body whose length was not told.
            self._http.close()

    async def _flush(self, plan: Plan, held: list[bytes], *, last: bool = False) -> None:
        data = b"".join(held)
        if not data and (self.begun or not last):
            return
        self._sent += len(data)
        if self.begun:
            await self._http.write(data)
        else:
            self.begun = True
            await self._http.write_headers(start_line(plan.status), head(plan.headers, None), data or None)

    # --- its end --------------------------------------------------------------------------------------------------

    def _start(self, work: Callable[[], Coroutine[object, object, None]]) -> None:
        task = asyncio.get_running_loop().create_task(self._guarded(work))
        self._service.tasks.add(task)
        task.add_done_callback(self._ended)
        self._http.set_close_callback(lambda: _cancel(task))

    async def _guarded(self, work: Callable[[], Coroutine[object, object, None]]) -> None:
        # The work is made here: a task that is cancelled before it began would leave it behind unawaited.
        try:
            await work()
        except StreamClosedError:
            self._left()
        except Exception as error:  # noqa: BLE001 - a bug ends this answer and nothing else
            self._service.watch.broke(error, "an answer that was going out")
            self._end("failed")
            self._http.close()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._service.tasks.discard(task)
        if task.cancelled():
            self._left()

    def _left(self) -> None:
        self._end("server stopped" if self._service.stopping else "client left")
        self._http.close()

    def _end(self, how: str) -> None:
        if self._over:
            return
        self._over = True
        if self._entry is not None:
            self._entry.finished(self._service.clock.now(), self._status, self._sent, how)
            self._service.watch.answered(self._entry)


def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
