"""Waiting on the one clock: on the real one a wait passes by itself, on a manual one only when it is moved.

The waits of one answer are a schedule: each ends when it would if all before had been in time, so that lateness does
not add up.
"""

from __future__ import annotations

import asyncio
from heapq import heapify, heappop, heappush
from itertools import count
from math import inf
from typing import TYPE_CHECKING, Final

from llmposter.core.clock import ManualClock

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from llmposter.core.clock import Clock

_NEAR: Final = 1e-5
"""Seconds that times may differ by and be one: sums of Unix times are off by a quarter of a microsecond each."""
_FEW: Final = 100


class Alarms:
    """All waits for times of the event loop, behind one timer of it: half of what a timer for each would cost.

    The loop compares its timers in Python, and these are tuples, which are compared without it.
    """

    __slots__ = ("_most", "_next", "_order", "_set", "_timer")

    def __init__(self) -> None:
        self._set: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = count()
        self._timer: asyncio.TimerHandle | None = None
        self._next = inf
        self._most = _FEW

    def at(self, time: float) -> asyncio.Future[None]:
        """Done when the loop has this time; whoever waits no longer cancels it."""
        loop = asyncio.get_running_loop()
        due = loop.create_future()
        if len(self._set) >= self._most:
            self._tidy()
        heappush(self._set, (time, next(self._order), due))
        if time < self._next:
            self._wake(loop)
        return due

    def _tidy(self) -> None:
        """Lets go of what nobody waits for, each time they are twice as many: an hour is long to be held for."""
        self._set = [each for each in self._set if not each[2].done()]
        heapify(self._set)
        self._most = max(_FEW, 2 * len(self._set))

    def _wake(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._next = self._set[0][0]
        self._timer = loop.call_at(self._next, self._ring, loop)

    def _ring(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time() + _NEAR
        while self._set and self._set[0][0] <= now:
            _, _, due = heappop(self._set)
            _resolve(due)
        self._timer, self._next = None, inf
        if self._set:
            self._wake(loop)


class Schedule:
    """The times of one answer, from now on."""

    __slots__ = ("_alarms", "_clock", "_due", "_loop")

    def __init__(self, clock: Clock, alarms: Alarms) -> None:
        self._loop = asyncio.get_running_loop()
        # The loop's own time is the real clock's, but for leaps when somebody sets that.
        self._clock = clock if isinstance(clock, ManualClock) else None
        self._alarms = alarms
        self._due = self._now()

    def _now(self) -> float:
        return self._loop.time() if self._clock is None else self._clock.now()

    def goes_on(self, seconds: float) -> bool:
        """The next time is so much after the last one; whether it is still to come."""
        self._due += seconds
        return self._due > self._now() + _NEAR

    def reached(self) -> Awaitable[None]:
        """Returns when the time has come."""
        return self._alarms.at(self._due) if self._clock is None else self._told(self._clock)

    async def _told(self, clock: ManualClock) -> None:
        loop, due = self._loop, self._loop.create_future()
        # Whoever moves the clock may be another thread.
        timer = clock.at(self._due - _NEAR, lambda: loop.call_soon_threadsafe(_resolve, due))
        try:
            if self._due > clock.now() + _NEAR:
                await due
        finally:
            timer.cancel()


def _resolve(due: asyncio.Future[None]) -> None:
    if not due.done():
        due.set_result(None)
