"""Waiting on the one clock: on the real one a wait passes by itself, on a manual one only when it is moved."""

from __future__ import annotations

import asyncio

from llmposter.core.clock import Clock, ManualClock


async def wait(clock: Clock, seconds: float) -> None:
    """Returns when the clock has gone on by *seconds*."""
    if not isinstance(clock, ManualClock):
        await asyncio.sleep(seconds)
        return
    loop = asyncio.get_running_loop()
    due = loop.create_future()
    # Whoever moves the clock may be another thread.
    timer = clock.at(clock.now() + seconds, lambda: loop.call_soon_threadsafe(_resolve, due))
    try:
        await due
    finally:
        timer.cancel()


def _resolve(due: asyncio.Future[None]) -> None:
    if not due.done():
        due.set_result(None)
