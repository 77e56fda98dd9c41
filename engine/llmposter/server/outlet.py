"""The way out of one TCP connection: bytes, waits until the client has read them, and the ends that it can have."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from math import inf
from time import monotonic
from typing import TYPE_CHECKING

from llmposter.server.line import RESET_ON_CLOSE, Gone, taken, unheard

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from llmposter.server.limits import Limits


class Outlet(asyncio.Protocol):
    """What is written to.

    Attributes:
        gone: nothing can be written any more. closing: nothing is read any more.
        full: the client does not read as fast as it is written to. writes: how often something was written.
        deadline: when the time is over in which something should have happened.
    """

    __slots__ = ("_waiters", "closing", "deadline", "full", "gone", "limits", "transport", "writes")

    transport: asyncio.Transport

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.gone = self.closing = self.full = False
        self.writes, self.deadline = 0, inf
        self._waiters: list[asyncio.Future[None]] = []

    def write(self, data: bytes) -> None:
        """Bytes, as far as the client takes any."""
        if not self.gone:
            self.writes += 1
            self.transport.write(data)

    def drained(self) -> Awaitable[None] | None:
        """Returns once the client has read enough for more to be written; None if it has."""
        if not self.full and not self.transport.is_closing():
            return None
        # A transport that is about to tell of its end takes everything and says nothing.
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        return waiter

    def pause_writing(self) -> None:
        self.full = True
        self.deadline = monotonic() + self.limits.idle

    def resume_writing(self) -> None:
        self.full = False
        self.deadline = monotonic() + self.limits.idle
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)
        self.writable()

    def close(self) -> None:
        """Ends the connection once all that was written is out."""
        if not self.gone:
            self.gone = self.closing = True
            self.deadline = monotonic() + self.limits.idle
            self.transport.close()

    def half_close(self) -> None:
        """Says that nothing more will be written."""
        if not self.gone:
            self.gone = self.closing = True
            self.deadline = monotonic() + self.limits.idle
            self.transport.write_eof()

    async def heard(self) -> None:
        """Returns when all that was written is on the client's side, or if that takes no more of it."""
        await taken(self._unheard)

    def _unheard(self) -> int:
        if self.gone:
            return 0
        held = self.transport.get_extra_info("socket")
        return self.transport.get_write_buffer_size() + (0 if held is None else unheard(held.fileno()))

    def reset(self) -> None:
        """Breaks the connection off, so that the client sees a reset."""
        held = self.transport.get_extra_info("socket")
        if held is not None:
            with suppress(OSError):
                held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        self.abort()

    def abort(self) -> None:
        """Ends the connection now."""
        self.gone = self.closing = True
        self.transport.abort()

    def lost(self) -> None:
        """The connection is there no longer; who waits for it hears so."""
        self.gone, self.full = True, False
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_exception(Gone())
                waiter.exception()

    def writable(self) -> None:
        """There is room again."""
