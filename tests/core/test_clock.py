"""The clock that moves only when told, and the real one."""

from __future__ import annotations

import time

import pytest

from llmposter.core.clock import ManualClock, RealClock


def test_real_time() -> None:
    """The real clock tells Unix seconds."""
    assert abs(RealClock().now() - time.time()) < 5


def test_it_stands_still() -> None:
    """A manual clock begins where it is set and moves by what it is told."""
    clock = ManualClock(100.0)
    assert clock.now() == clock.now() == 100.0
    clock.advance(2.5)
    clock.advance(0)
    assert clock.now() == 102.5


def test_deadlines_are_met_in_order() -> None:
    """Callbacks come in the order of their times, equal ones in the order they were left, each at its own time."""
    clock, seen = ManualClock(), []
    for at, name in ((3.0, "c"), (1.0, "a"), (3.0, "d"), (2.0, "b"), (9.0, "late")):
        clock.at(at, lambda name=name: seen.append((name, clock.now())))
    clock.advance(5)
    assert seen == [("a", 1.0), ("b", 2.0), ("c", 3.0), ("d", 3.0)]
    assert clock.now() == 5.0
    clock.advance(5)
    assert seen[-1] == ("late", 9.0)


def test_a_callback_may_wait_again() -> None:
    """A deadline set by a callback on the way is met in the same move."""
    clock, seen = ManualClock(), []

    def tick() -> None:
        seen.append(clock.now())
        clock.at(clock.now() + 1, tick)

    clock.at(1, tick)
    clock.advance(3.5)
    assert seen == [1.0, 2.0, 3.0]


def test_a_cancelled_callback_is_not_called() -> None:
    """What was cancelled does not come, and cancelling twice is no mistake."""
    clock, seen = ManualClock(), []
    timer = clock.at(1, lambda: seen.append("no"))
    clock.at(1, lambda: seen.append("yes"))
    timer.cancel()
    timer.cancel()
    clock.advance(2)
    assert seen == ["yes"]


def test_a_past_deadline_is_met_at_the_next_move() -> None:
    """Time that has gone by already is due at once, and never takes the clock back."""
    clock, seen = ManualClock(10), []
    clock.at(5, lambda: seen.append(clock.now()))
    clock.advance(0)
    assert seen == [10]


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf")])
def test_it_goes_forward_only(seconds: float) -> None:
    """Back, for ever and nowhere are refused, and the clock stays."""
    clock = ManualClock(1)
    with pytest.raises(ValueError, match="it only goes forward"):
        clock.advance(seconds)
    assert clock.now() == 1
