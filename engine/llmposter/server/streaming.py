"""A streamed answer whose pieces have times, driven by its alarms.

What is due next is made ready while nobody waits for it, so that at its time nothing but the writing is left; what is
late already goes out with what comes next.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Protocol

from llmposter.model import Wait
from llmposter.server.line import Gone

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterator

    from llmposter.model import Item
    from llmposter.server.waiting import Schedule

MOST_AT_ONCE: Final = 16_384
"""Bytes of a stream that are written together, before others get their turn."""
_TURN: Final = -1.0


class Going(Protocol):
    """The answer that a stream is of."""

    def put(self, data: bytes, *, last: bool, opens: bool) -> Awaitable[None] | None:
        """Writes more of it; *opens*: even nothing of a body sends the head."""

    def failed(self, error: Exception) -> None:
        """It cannot go on; no more is written."""

    def left(self) -> None:
        """It ends before its time."""


class Streaming:
    """One such answer, from its first item to its last."""

    __slots__ = ("_going", "_held", "_items", "_next", "_over", "_pushing", "_schedule")

    def __init__(self, going: Going, items: Iterator[Item], schedule: Schedule) -> None:
        self._going, self._items, self._schedule = going, items, schedule
        self._held: list[bytes] = []
        # Seconds from what is held to what comes next; None if nothing does.
        self._next: float | None = 0.0
        self._pushing: asyncio.Future[None] | None = None
        self._over = False

    def done(self) -> bool:
        """Nothing more is written."""
        return self._over

    def cancel(self) -> None:
        """No more of it."""
        if not self._over:
            self._end()
            self._going.left()

    def _end(self) -> None:
        self._over = True
        self._schedule.cancel()
        if self._pushing is not None:
            self._pushing.cancel()

    # --- as it is called ------------------------------------------------------------------------------------------

    def ring(self) -> None:
        """The time of what is held has come."""
        try:
            self._write()
        except Exception as error:  # noqa: BLE001 - a bug ends this answer and nothing else
            self._failed(error)

    def rung(self) -> None:
        """Goes on after what was written."""
        if self._over or self._pushing is not None:
            return
        try:
            self._go_on()
        except Exception as error:  # noqa: BLE001 - a bug ends this answer and nothing else
            self._failed(error)

    def _failed(self, error: Exception) -> None:
        self._end()
        if isinstance(error, Gone):
            self._going.left()
        else:
            self._going.failed(error)

    # --- what it does ---------------------------------------------------------------------------------------------

    def _go_on(self) -> None:
        """Up to the next time that is still to come, with what is due then made ready."""
        while (seconds := self._next) is not None:
            if seconds == _TURN:
                self._next = 0.0
                self._write()
                if self._pushing is None:
                    # A write that the socket took at once does not let others run.
                    asyncio.get_running_loop().call_soon(self.rung)
                return
            if self._schedule.goes_on(seconds):
                self._next = 0.0
                self._write()
                if self._pushing is None:
                    self._gather()
                    self._schedule.call(self)
                return
            self._gather()
        self._write()

    def _gather(self) -> None:
        """Holds what is to be written before the next wait."""
        held, size = self._held, sum(map(len, self._held))
        for item in self._items:
            if isinstance(item, Wait):
                self._next = item.seconds
                return
            held.append(item.data)
            size += len(item.data)
            if size >= MOST_AT_ONCE:
                self._next = _TURN
                return
        self._next = None

    def _write(self) -> None:
        held = self._held
        last = self._next is None
        if not held and not last:
            return
        self._held = []
        data = held[0] if len(held) == 1 else b"".join(held)
        if last:
            self._end()
        if (pushing := self._going.put(data, last=last, opens=bool(held))) is not None:
            self._pushing = asyncio.ensure_future(pushing)
            self._pushing.add_done_callback(self._pushed)

    def _pushed(self, pushing: asyncio.Future[None]) -> None:
        """The client has taken enough for more to be written."""
        self._pushing = None
        if pushing.cancelled():
            return
        if (error := pushing.exception()) is not None:
            if not self._over and isinstance(error, Exception):
                self._failed(error)
            return
        self.rung()
