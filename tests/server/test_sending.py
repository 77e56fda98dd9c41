"""Answers on their way out, without a socket."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from serving import programs

from llmposter.core.clock import ManualClock
from llmposter.core.journal import Entry
from llmposter.core.mock import Mock
from llmposter.model import Plan, Send, Wait
from llmposter.server.sending import Sending
from llmposter.server.service import Service

SCENARIO = "[[states.a]]\nreply = 'x'\n"


class Kept:
    """A line that keeps what it is given."""

    method = "POST"

    def __init__(self) -> None:
        self.told: list[bytes] = []
        self.closed = self.finished = False
        self.status = 0

    def on_gone(self, call: Callable[[], None] | None) -> None:
        self.left = call

    def whole(self, status: int, headers: object, body: bytes) -> None:
        self.begin(status, headers, body, last=True)

    def begin(self, status: int, headers: object, data: bytes, *, last: bool) -> None:
        self.status = status
        self.write(data, last=last)

    def write(self, data: bytes, *, last: bool) -> None:
        self.told.append(data)
        self.finished = last

    def close(self) -> None:
        self.closed = True


def service() -> Service:
    clock = ManualClock()
    return Service(Mock(programs(SCENARIO), clock), clock)


def entry() -> Entry:
    return Entry(0.0, "", "reply")


def test_an_answer_whose_client_left_before_it_began_is_written_down() -> None:
    """A client that leaves before the first step of its answer leaves nothing behind, and the journal says so."""

    async def go() -> None:
        for streamed in (True, False):
            of, line, written = service(), Kept(), entry()
            Sending(of, line, written).follow(Plan(200, (), streamed, [Wait(1.0), Send(b"late")]))
            line.left()
            await asyncio.sleep(0.01)
            assert ("client left", 0) == (written.how, written.sent)
            assert line.closed
            assert not of.tasks
            assert [] == line.told

    asyncio.run(go())


def test_the_head_goes_out_with_the_first_bytes() -> None:
    """Waits come before the head if they stand before the first bytes; what follows at once goes out together."""

    async def go() -> None:
        of, line, written = service(), Kept(), entry()
        items = [Wait(1.0), Send(b"a"), Send(b"b"), Wait(2.0), Send(b"c")]
        Sending(of, line, written).follow(Plan(200, (), True, items))
        for seconds, told in ((0.5, []), (0.5, [b"ab"]), (1.0, [b"ab"]), (1.0, [b"ab", b"c"])):
            await asyncio.sleep(0.01)
            of.clock.advance(seconds)
            await asyncio.sleep(0.01)
            assert told == line.told
        assert line.finished
        assert ("complete", 3, 200, 3.0) == (written.how, written.sent, line.status, written.ended)

    asyncio.run(go())


def test_a_plan_that_breaks_ends_its_own_answer() -> None:
    """A bug in the middle of a stream is told, closes the connection, and stands in the journal."""
    told = []

    class Watch:
        def answered(self, entry: object) -> None:
            told.append("answered")

        def broke(self, error: BaseException, what: str) -> None:
            told.append(type(error))

    def items() -> object:
        yield Send(b"a")
        yield Wait(1.0)
        raise ValueError("inside")

    async def go() -> None:
        of, line, written = service(), Kept(), entry()
        of.watch, of.clock = Watch(), ManualClock()
        Sending(of, line, written).follow(Plan(200, (), True, items()))
        await asyncio.sleep(0.01)
        of.clock.advance(1)
        await asyncio.sleep(0.01)
        assert [ValueError, "answered"] == told
        assert ("failed", 1) == (written.how, written.sent)
        assert line.closed

    asyncio.run(go())
