"""One answer on its way out: head, body, waits and the entry that is completed by it.

The entry is completed before the last byte leaves, so that who has read an answer finds it in the journal.
"""

from __future__ import annotations

import asyncio
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, assert_never

from llmposter.model import Broken, Plan, Send, Wait
from llmposter.server.breaking import Breaking
from llmposter.server.heads import reason
from llmposter.server.line import Gone
from llmposter.server.streaming import MOST_AT_ONCE, Streaming
from llmposter.server.waiting import Schedule
from llmposter.wire.headers import told

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from llmposter.core.journal import Entry
    from llmposter.model import Response
    from llmposter.server.line import Line, Pairs
    from llmposter.server.service import Service


class Sending:
    """An answer that goes out over *line*; whoever made it hears of its end by *entry*, if there is one."""

    __slots__ = ("_entry", "_headers", "_line", "_over", "_sent", "_service", "_status", "_streaming", "begun")

    def __init__(self, service: Service, line: Line, entry: Entry | None) -> None:
        self._service, self._line, self._entry = service, line, entry
        self._status, self._sent, self._over, self.begun = 0, 0, False, False
        self._headers: Pairs = ()
        self._streaming: Streaming | None = None

    # --- at once --------------------------------------------------------------------------------------------------

    def respond(self, response: Response) -> None:
        """The whole answer now; a status of 1xx ends none (RFC 9110, section 15.2), so that a 200 follows it."""
        if response.status < 200:
            self._start(lambda: self._announced(response))
        else:
            self._whole(response.status, response.headers, response.body)

    async def _announced(self, response: Response) -> None:
        going = self._line.raw(f"HTTP/1.1 {response.status} {reason(response.status)}\r\n\r\n".encode("ascii"))
        if going is not None:
            await going
        self._whole(200, response.headers, response.body)

    def _whole(self, status: int, headers: Pairs, body: bytes) -> None:
        self._status, self._headers, self._sent, self.begun = status, headers, len(body), True
        self._end("complete")
        self._line.whole(status, headers, body)

    # --- on the clock ---------------------------------------------------------------------------------------------

    def follow(self, plan: Plan) -> None:
        """The answer as planned: at once where nothing has to be waited for, else by itself, in its time."""
        self._status, self._headers = plan.status, plan.headers
        if isinstance(plan, Broken):
            self._start(Breaking(self._line, plan, self._schedule(), self._breaks).run)
            return
        if plan.streamed:
            self._stream_at_once(plan)
            return
        seconds, body = 0.0, b""
        for item in plan.items:
            match item:
                case Send():
                    body = body + item.data if body else item.data
                case Wait():
                    seconds += item.seconds
                case _:
                    assert_never(item)
        if seconds > 0:
            self._start(partial(self._later, seconds, plan, body, self._schedule()))
        else:
            self._whole(plan.status, plan.headers, body)

    def _stream_at_once(self, plan: Plan) -> None:
        """A short stream without waits is one write; any other goes on by itself, from where this came to."""
        held: list[bytes] = []
        size, items = 0, iter(plan.items)
        for item in items:
            if size >= MOST_AT_ONCE or isinstance(item, Wait):
                rest = chain((Send(data) for data in held), (item,), items)
                self._streaming = Streaming(self, rest, self._schedule())
                self._service.streams.add(self._streaming)
                self._line.on_gone(self._streaming.cancel)
                self._streaming.rung()
                return
            held.append(item.data)
            size += len(item.data)
        self.begun = True
        self._sent = size
        self._end("complete")
        self._line.begin(plan.status, plan.headers, b"".join(held), last=True)

    async def _later(self, seconds: float, plan: Plan, body: bytes, schedule: Schedule) -> None:
        if schedule.goes_on(seconds):
            await schedule.reached()
        self._whole(plan.status, plan.headers, body)

    def _schedule(self) -> Schedule:
        return Schedule(self._service.clock, self._service.alarms)

    def _breaks(self, sent: int, how: str) -> None:
        """Of a broken answer so much is out; *how* it ends, once it does."""
        self.begun, self._sent = True, sent
        if how:
            self._end(how)

    def put(self, data: bytes, *, last: bool, opens: bool) -> Awaitable[None] | None:
        """Writes more of a stream; *opens*: even nothing of a body sends the head. As `Line.write`."""
        if not data and not last and (self.begun or not opens):
            return None
        self._sent += len(data)
        if last:
            self._end("complete")
        if self.begun:
            return self._line.write(data, last=last)
        self.begun = True
        return self._line.begin(self._status, self._headers, data, last=last)

    # --- its end --------------------------------------------------------------------------------------------------

    def _start(self, work: Callable[[], Coroutine[object, object, None]]) -> None:
        task = asyncio.get_running_loop().create_task(self._guarded(work))
        self._service.tasks.add(task)
        task.add_done_callback(self._ended)
        self._line.on_gone(lambda: _cancel(task))

    async def _guarded(self, work: Callable[[], Coroutine[object, object, None]]) -> None:
        # The work is made here: a task that is cancelled before it began would leave it behind unawaited.
        try:
            await work()
        except Gone:
            self.left()
        except Exception as error:  # noqa: BLE001 - a bug ends this answer and nothing else
            self.failed(error)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._service.tasks.discard(task)
        if task.cancelled():
            self.left()

    def failed(self, error: Exception) -> None:
        """A bug has ended it."""
        self._service.watch.broke(error, "an answer that was going out")
        self._end("failed")
        self._line.close()

    def left(self) -> None:
        """It ends before its time: the client has left, or the server stops."""
        self._end("server stopped" if self._service.stopping else "client left")
        self._line.close()

    def _end(self, how: str) -> None:
        if self._over:
            return
        self._over = True
        if self._streaming is not None:
            self._service.streams.discard(self._streaming)
        if self._entry is not None:
            now = self._service.clock.now()
            if self._status >= 400:
                self._entry.retry_after = told(self._headers, now)
            self._entry.finished(now, self._status, self._sent, how)
            self._service.watch.answered(self._entry)


def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
