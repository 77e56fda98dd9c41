"""Waiting on the one clock: on the real one a wait passes by itself, on a manual one only when it is moved.

The waits of one answer are a schedule: each ends when it would if all before had been in time, so that lateness does
not add up.
"""

from __future__ import annotations

import asyncio
from heapq import heapify, heappop, heappush
from math import ceil, floor, inf
from typing import TYPE_CHECKING, Final, Protocol

from llmposter.core.clock import ManualClock

if TYPE_CHECKING:
    from llmposter.core.clock import Clock, Timer

_NEAR: Final = 1e-5
"""Seconds that times may differ by and be one: sums of Unix times are off by a quarter of a microsecond each."""
_TICKS: Final = 1000
"""Of a second: what a loop of uvloop tells apart (uv_timer_start, uv_now). Between two it would only turn."""
_FEW: Final = 100
_MANY: Final = 500


class Waiter(Protocol):
    """Who waits for a time."""

    def done(self) -> bool:
        """It waits no longer."""

    def ring(self) -> None:
        """The time has come."""

    def rung(self) -> None:
        """All whose time it is have heard so."""


class Alarms:
    """All waits for times of the event loop, behind one timer of it; those of one millisecond ring together.

    First each does what it waited for, then each what can wait: writing to one client after the other wakes a client
    once, not for each of its streams, and waking it costs as much as writing.
    """

    __slots__ = ("_most", "_next", "_set", "_size", "_ticks", "_timer")

    def __init__(self) -> None:
        self._set: dict[int, list[Waiter]] = {}
        self._ticks: list[int] = []
        self._size = 0
        self._timer: asyncio.TimerHandle | None = None
        self._next: float = inf
        self._most = _FEW

    def __len__(self) -> int:
        return self._size

    def call(self, time: float, waiter: Waiter) -> None:
        """Calls it when the loop has this time, should it not be done by then."""
        if self._size >= self._most:
            self._tidy()
        tick = ceil((time - _NEAR) * _TICKS)
        if (waiting := self._set.get(tick)) is None:
            self._set[tick] = [waiter]
            heappush(self._ticks, tick)
            if tick < self._next:
                self._wake(asyncio.get_running_loop())
        else:
            waiting.append(waiter)
        self._size += 1

    def _tidy(self) -> None:
        """Lets go of those that wait no longer, each time they are twice as many: an hour is long to be held for."""
        left = {tick: [each for each in waiting if not each.done()] for tick, waiting in self._set.items()}
        self._set = {tick: waiting for tick, waiting in left.items() if waiting}
        self._ticks = list(self._set)
        heapify(self._ticks)
        self._size = sum(map(len, self._set.values()))
        self._most = max(_FEW, 2 * self._size)

    def _wake(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._next = self._ticks[0]
        self._timer = loop.call_at(self._next / _TICKS, self._ring, loop)

    def _ring(self, loop: asyncio.AbstractEventLoop) -> None:
        due: list[Waiter] = []
        now = floor((loop.time() + _NEAR) * _TICKS)
        # Of very many some wait a turn more, so that others are heard between.
        while self._ticks and self._ticks[0] <= now and len(due) < _MANY:
            due += self._set.pop(heappop(self._ticks))
        self._size -= len(due)
        # Whoever sets one meanwhile need not wake anybody.
        self._timer, self._next = None, -inf
        try:
            for each in due:
                if not each.done():
                    each.ring()
            for each in due:
                each.rung()
        finally:
            self._next = inf
            if self._ticks:
                self._wake(loop)


class _Due:
    """A future that waits."""

    __slots__ = ("_future", "done")

    def __init__(self, future: asyncio.Future[None]) -> None:
        self._future, self.done = future, future.done

    def ring(self) -> None:
        self._future.set_result(None)

    def rung(self) -> None:
        pass


class _Once:
    """Lets a waiter be called once, by whom it may be."""

    __slots__ = ("_waiter",)

    def __init__(self, waiter: Waiter) -> None:
        self._waiter: Waiter | None = waiter

    def call(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.ring()
            waiter.rung()


class Schedule:
    """The times of one answer, from now on."""

    __slots__ = ("_alarms", "_clock", "_due", "_loop", "_timer")

    def __init__(self, clock: Clock, alarms: Alarms) -> None:
        self._loop = asyncio.get_running_loop()
        # The loop's own time is the real clock's, but for leaps when somebody sets that.
        self._clock = clock if isinstance(clock, ManualClock) else None
        self._alarms = alarms
        self._timer: Timer | None = None
        self._due = self._now()

    def _now(self) -> float:
        return self._loop.time() if self._clock is None else self._clock.now()

    def goes_on(self, seconds: float) -> bool:
        """The next time is so much after the last one; whether it is still to come."""
        self._due += seconds
        return self._due > self._now() + _NEAR

    def call(self, waiter: Waiter) -> None:
        """Calls it when the time has come, should it not be done by then."""
        if self._clock is None:
            self._alarms.call(self._due, waiter)
            return
        loop, once = self._loop, _Once(waiter)
        # Whoever moves the clock may be another thread.
        self._timer = self._clock.at(self._due - _NEAR, lambda: loop.call_soon_threadsafe(once.call))
        if self._due <= self._clock.now() + _NEAR:
            loop.call_soon(once.call)

    def cancel(self) -> None:
        """Nobody waits for it any more."""
        if self._timer is not None:
            self._timer.cancel()

    async def reached(self) -> None:
        """Returns when the time has come."""
        due = self._loop.create_future()
        self.call(_Due(due))
        try:
            await due
        finally:
            self.cancel()
