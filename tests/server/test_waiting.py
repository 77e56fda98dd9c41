"""Waiting on the real clock: many alarms behind one timer of the loop."""

from __future__ import annotations

import asyncio
import contextlib
import random
from math import ceil

from llmposter.core.clock import RealClock
from llmposter.server.waiting import Alarms, Schedule


class Due:
    """A future that waits."""

    def __init__(self) -> None:
        self.future = asyncio.get_running_loop().create_future()
        self.done = self.future.done

    def ring(self) -> None:
        self.future.set_result(None)

    def rung(self) -> None:
        assert self.future.done()


def at(alarms: Alarms, time: float) -> asyncio.Future[None]:
    """Done when the loop has this time."""
    due = Due()
    alarms.call(time, due)
    return due.future


def test_alarms_ring_in_the_order_of_their_times() -> None:
    """However they were set, none before its time, and those of one millisecond in the order in which they were set."""

    async def go() -> None:
        alarms, loop, rung = Alarms(), asyncio.get_running_loop(), []
        began = ceil(loop.time() * 1000) / 1000
        times = [began + n / 1000 for n in random.Random(1).choices(range(40), k=400)]

        async def wait(number: int) -> None:
            await at(alarms, times[number])
            assert loop.time() >= times[number] - 1e-4
            rung.append((times[number], number))

        await asyncio.gather(*(wait(number) for number in range(len(times))))
        assert sorted(rung) == rung

    asyncio.run(go())


def test_an_alarm_that_nobody_waits_for_keeps_no_other_from_ringing() -> None:
    """Those that are cancelled are let go of before their time; those that are not still ring."""

    async def go() -> None:
        alarms, loop = Alarms(), asyncio.get_running_loop()
        hours = [Schedule(RealClock(), alarms) for _ in range(1_000)]
        for each in hours:
            assert each.goes_on(3600)
        tasks = [asyncio.ensure_future(each.reached()) for each in hours]
        soon = at(alarms, loop.time() + 0.05)
        await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        for task in tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await asyncio.wait_for(soon, 10)
        for _ in range(1_000):
            at(alarms, loop.time() + 3600).cancel()
        assert len(alarms) <= 100

    asyncio.run(go())


def test_a_cancelled_alarm_at_the_front_is_passed_over() -> None:
    """The next one rings at its time."""

    async def go() -> None:
        alarms, loop = Alarms(), asyncio.get_running_loop()
        first, second = at(alarms, loop.time() + 0.01), at(alarms, loop.time() + 0.02)
        first.cancel()
        await asyncio.wait_for(second, 10)
        assert 0 == len(alarms)

    asyncio.run(go())


def test_lateness_does_not_add_up() -> None:
    """A time that has passed is not waited for, and the next one is counted from when it should have been."""

    async def go() -> None:
        loop, schedule = asyncio.get_running_loop(), Schedule(RealClock(), Alarms())
        began = loop.time()
        while loop.time() < began + 0.03:
            pass
        assert not schedule.goes_on(0.01)
        assert not schedule.goes_on(0.01)
        assert schedule.goes_on(10)
        assert began + 10.02 - schedule._due < 1

    asyncio.run(go())
