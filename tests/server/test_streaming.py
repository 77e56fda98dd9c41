"""Streams with times on their way out, without a socket: what is written when."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from llmposter.core.clock import ManualClock
from llmposter.model import Item, Send, Wait
from llmposter.server.line import Gone
from llmposter.server.streaming import MOST_AT_ONCE, Streaming
from llmposter.server.waiting import Alarms, Schedule

WAITS = st.integers(0, 3).map(lambda seconds: Wait(float(seconds)))
SENDS = st.binary(max_size=3).map(Send)


class Answer:
    """One that keeps what it is given; *full*: what each write is to wait for."""

    def __init__(self, full: Callable[[], Awaitable[None] | None] = lambda: None) -> None:
        self.told: list[bytes] = []
        self.ended: list[str] = []
        self.full = full

    def put(self, data: bytes, *, last: bool, opens: bool) -> Awaitable[None] | None:
        assert data or last or opens
        self.told.append(data)
        if last:
            self.ended.append("complete")
        return self.full()

    def failed(self, error: Exception) -> None:
        self.ended.append(str(error))

    def left(self) -> None:
        self.ended.append("left")


async def turns() -> None:
    """All that can happen without time has happened."""
    for _ in range(5):
        await asyncio.sleep(0)


@given(st.lists(WAITS | SENDS, max_size=12), st.lists(st.integers(1, 4), max_size=12))
def test_all_whose_time_has_come_is_out_and_nothing_else(items: list[Item], moves: list[int]) -> None:
    """However the clock moves; the last bytes end it, in the same write."""

    async def go() -> None:
        clock, answer = ManualClock(), Answer()
        Streaming(answer, iter(items), Schedule(clock, Alarms())).rung()
        waits = list(accumulate(item.seconds if isinstance(item, Wait) else 0.0 for item in items))
        for move in (0, *moves):
            clock.advance(move)
            await turns()
            due = [item.data for item, at in zip(items, waits, strict=True) if at <= clock.now() and item in sends]
            assert b"".join(due) == b"".join(answer.told)
            assert (["complete"] if not waits or waits[-1] <= clock.now() else []) == answer.ended

    sends = [item for item in items if isinstance(item, Send)]
    asyncio.run(go())


def test_what_is_due_is_written_before_anything_is_made_ready() -> None:
    """Streams that ring together are written to one after the other, with none of the work for their next pieces."""
    done: list[str] = []

    class Told(Answer):
        def put(self, data: bytes, *, last: bool, opens: bool) -> None:
            done.append(f"wrote {data.decode()}")

    def items(name: str) -> Iterator[Item]:
        for number in range(3):
            yield Wait(1.0)
            done.append(f"made {name}{number}")
            yield Send(f"{name}{number}".encode())

    async def go() -> None:
        alarms, clock = Alarms(), asyncio.get_running_loop()
        streams = [Streaming(Told(), items(name), Schedule(ManualClock(), alarms)) for name in "ab"]
        for each in streams:
            each.rung()
            alarms.call(clock.time() + 0.01, each)
        assert ["made a0", "made b0"] == done
        await asyncio.sleep(0.05)
        assert ["wrote a0", "wrote b0", "made a1", "made b1"] == done[2:]

    asyncio.run(go())


def test_much_is_written_bit_by_bit_and_others_get_their_turn() -> None:
    """No write is longer than that and one piece; between two the loop runs."""

    async def go() -> None:
        answer, others = Answer(), []
        piece = Send(b"x" * (MOST_AT_ONCE // 2))
        Streaming(answer, iter([piece] * 6), Schedule(ManualClock(), Alarms())).rung()
        while not answer.ended:
            others.append(len(answer.told))
            await asyncio.sleep(0)
        assert [1, 2, 3] == others
        assert [MOST_AT_ONCE] * 3 == [len(each) for each in answer.told if each]

    asyncio.run(go())


def test_a_client_that_does_not_read_is_waited_for() -> None:
    """Nothing is written before it does; what has become late by then goes out together."""

    async def go() -> None:
        clock, held = ManualClock(), []

        def full() -> Awaitable[None]:
            held.append(asyncio.get_running_loop().create_future())
            return held[-1]

        answer = Answer(full)
        items = [Send(b"a"), Wait(1.0), Send(b"b"), Wait(1.0), Send(b"c"), Wait(5.0), Send(b"d")]
        Streaming(answer, iter(items), Schedule(clock, Alarms())).rung()
        clock.advance(3.0)
        await turns()
        assert [b"a"] == answer.told
        held[-1].set_result(None)
        await turns()
        assert [b"a", b"bc"] == answer.told
        held[-1].set_result(None)
        await turns()
        clock.advance(4.0)
        await turns()
        assert ([b"a", b"bc", b"d"], ["complete"]) == (answer.told, answer.ended)

    asyncio.run(go())


def test_a_client_that_leaves_while_it_is_waited_for_ends_the_answer() -> None:
    """The same for one that leaves, and one whom nothing is written to any more."""

    async def go() -> None:
        for ends in ("cancel", "gone"):
            held = asyncio.get_running_loop().create_future()
            answer = Answer(lambda held=held: held)
            stream = Streaming(answer, iter([Send(b"a"), Wait(1.0), Send(b"b")]), Schedule(ManualClock(), Alarms()))
            stream.rung()
            if ends == "cancel":
                stream.cancel()
                stream.cancel()
            else:
                held.set_exception(Gone())
            await turns()
            assert ([b"a"], ["left"], True) == (answer.told, answer.ended, stream.done())
            assert held.cancelled() == (ends == "cancel")

    asyncio.run(go())


def test_a_bug_ends_the_answer_and_nothing_else() -> None:
    """Wherever it is: in what makes the pieces, or in what writes them."""

    def broken() -> Iterator[Item]:
        yield Send(b"a")
        raise ValueError("made wrong")

    def write() -> None:
        raise ValueError("written wrong")

    async def go() -> None:
        for items, full, why in ((broken(), lambda: None, "made wrong"), (iter([Send(b"a")]), write, "written wrong")):
            answer = Answer(full)
            Streaming(answer, items, Schedule(ManualClock(), Alarms())).rung()
            await turns()
            assert why == answer.ended[-1]

    asyncio.run(go())
