"""Waiting on the one clock: on the real one a wait passes by itself, on a manual one only when it is moved.

The waits of one answer are a schedule: each ends when it would if all before had been in time, so that lateness does
not add up.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from llmposter.core.clock import ManualClock

if TYPE_CHECKING:
    from llmposter.core.clock import Clock

_NEAR: Final = 1e-5
"""Seconds that times may differ by and be one: sums of Unix times are off by a quarter of a microsecond each."""


class Schedule:
    """The times of one answer, from now on."""

    __slots__ = ("_clock", "_due", "_loop")

    def __init__(self, clock: Clock) -> None:
        self._loop = asyncio.get_running_loop()
        # The loop's own time is the real clock's, but for leaps when somebody sets that.
        self._clock = clock if isinstance(clock, ManualClock) else None
        self._due = self._now()

    def _now(self) -> float:
        return self._loop.time() if self._clock is None else self._clock.now()

    def goes_on(self, seconds: float) -> bool:
        """The next time is so much after the last one; whether it is still to come."""
        self._due += seconds
        return self._due > self._now() + _NEAR

    async def reached(self) -> None:
        """Returns when the time has come."""
        if self._clock is None:
            await asyncio.sleep(self._due - self._loop.time())
            return
        loop, due = self._loop, self._loop.create_future()
        # Whoever moves the clock may be another thread.
        timer = self._clock.at(self._due - _NEAR, lambda: loop.call_soon_threadsafe(_resolve, due))
        try:
            if self._due > self._clock.now() + _NEAR:
                await due
        finally:
            timer.cancel()


def _resolve(due: asyncio.Future[None]) -> None:
    if not due.done():
        due.set_result(None)
