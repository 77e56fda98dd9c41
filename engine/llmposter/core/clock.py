"""The one clock that all time comes from: the real one, or one that moves only when told.

No event loop is known here: who waits for a time leaves a plain callback.
"""

from __future__ import annotations

import heapq
import time
from itertools import count
from math import isfinite
from threading import RLock
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> float:
        """Unix seconds."""


class RealClock:
    """The clock of the machine."""

    def now(self) -> float:
        """Unix seconds."""
        return time.time()


class Timer:
    """A callback that waits for its time."""

    __slots__ = ("callback", "time")

    def __init__(self, at: float, callback: Callable[[], object]) -> None:
        self.time = at
        self.callback: Callable[[], object] | None = callback

    def cancel(self) -> None:
        """The callback will not be called; nothing happens if it was already."""
        self.callback = None


class ManualClock:
    """A clock that stands still until `advance` moves it; deadlines on the way are met in their order.

    A callback is called by the thread that moves the clock.
    """

    def __init__(self, start: float = 0.0) -> None:
        self._now = start
        self._timers: list[tuple[float, int, Timer]] = []
        self._order = count()
        self._lock = RLock()

    def now(self) -> float:
        """Unix seconds."""
        return self._now

    def at(self, time: float, callback: Callable[[], object]) -> Timer:
        """Calls *callback* once, when the clock reaches *time*; at the next move if that is past."""
        timer = Timer(time, callback)
        with self._lock:
            heapq.heappush(self._timers, (time, next(self._order), timer))
        return timer

    def advance(self, seconds: float) -> None:
        """Moves the clock on, and calls what falls due; a callback sees the clock at its own time.

        Raises:
            ValueError: the clock would go back, or nowhere that is a time.
        """
        if not isfinite(seconds) or seconds < 0:
            raise ValueError(f"the clock cannot be moved by {seconds} seconds: it only goes forward")
        with self._lock:
            goal = self._now + seconds
            while self._timers and self._timers[0][0] <= goal:
                due, _, timer = heapq.heappop(self._timers)
                self._now = max(self._now, due)
                callback, timer.callback = timer.callback, None
                if callback is not None:
                    callback()
            self._now = max(self._now, goal)
