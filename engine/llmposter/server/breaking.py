"""A broken answer on its way out: bytes below HTTP, framed here, and the end that they come to.

What was written is with the client before the connection is reset, for a reset throws away what is not.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, assert_never

from llmposter.model import Ends, PartOfHead, Send, Wait

if TYPE_CHECKING:
    from collections.abc import Callable

    from llmposter.model import Broken
    from llmposter.server.line import Line
    from llmposter.server.waiting import Schedule


class Breaking:
    """One such answer.

    Args:
        tell: hears how many bytes of the body are out or about to be, and how the answer ended before its last byte is.
    """

    __slots__ = ("_chunked", "_head", "_held", "_in_body", "_line", "_plan", "_schedule", "_sent", "_tell")

    def __init__(self, line: Line, plan: Broken, schedule: Schedule, tell: Callable[[int, str], None]) -> None:
        self._line, self._plan, self._schedule, self._tell = line, plan, schedule, tell
        self._chunked = plan.streamed and not line.old
        closes = Ends("close") in plan.course
        self._head = line.opening(plan.status, plan.headers, None if plan.streamed else plan.length, last=closes)
        self._held: list[bytes] = []
        self._sent, self._in_body = 0, False

    async def run(self) -> None:
        """To its end."""
        for item in self._plan.course:
            match item:
                case Wait():
                    if self._schedule.goes_on(item.seconds):
                        await self._out()
                        await self._schedule.reached()
                case Send():
                    self._held.append(item.data)
                    self._in_body = True
                case PartOfHead():
                    await self._part_of_head()
                case Ends():
                    await self._ends(item)
                    return
                case _:
                    assert_never(item)
        await self._out("complete", last=True)
        self._line.finish()

    async def _part_of_head(self) -> None:
        line = self._head.index(b"\n") + 1
        half = (line + len(self._head)) // 2
        first, self._head = self._head[:half], self._head[half:]
        await self._write(first)

    async def _ends(self, end: Ends) -> None:
        match end.how:
            case "reset":
                await self._out()
                await self._line.heard()
                self._tell(self._sent, "reset")
                self._line.reset()
            case "close":
                await self._out("closed", last=True)
                self._line.half_close()
            case "hang":
                await self._out()
                await asyncio.get_running_loop().create_future()
            case _:
                assert_never(end.how)

    async def _out(self, how: str = "", *, last: bool = False) -> None:
        """Writes what is held; *last*: and what HTTP wants at the end of a body, once one has begun."""
        data, self._held = b"".join(self._held), []
        self._sent += len(data)
        self._tell(self._sent, how)
        if not self._in_body:
            return
        if self._chunked:
            data = (b"%x\r\n%b\r\n" % (len(data), data) if data else b"") + (b"0\r\n\r\n" if last else b"")
        before, self._head = self._head, b""
        await self._write(before + data)

    async def _write(self, data: bytes) -> None:
        if data and (going := self._line.raw(data)) is not None:
            await going
