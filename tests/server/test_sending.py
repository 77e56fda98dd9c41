"""Answers on their way out, without a socket."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from serving import programs
from tornado.httputil import HTTPHeaders, RequestStartLine

from llmposter.core.clock import ManualClock
from llmposter.core.journal import Entry
from llmposter.core.mock import Mock
from llmposter.model import Plan, Send, Wait
from llmposter.server.sending import Sending
from llmposter.server.service import Service

POST = RequestStartLine("POST", "/", "HTTP/1.1")
SCENARIO = "[[states.a]]\nreply = 'x'\n"


class Http:
    """A transport that keeps what it is given, and says when it was given it."""

    def __init__(self) -> None:
        self.told: list[bytes] = []
        self.closed = self.finished = False
        self.status = 0

    def set_close_callback(self, callback: Callable[[], None]) -> None:
        self.left = callback

    def write_headers(self, line: object, headers: HTTPHeaders, chunk: bytes | None = None) -> asyncio.Future[None]:
        self.status = line.code
        return self.write(chunk or b"")

    def write(self, chunk: bytes) -> asyncio.Future[None]:
        self.told.append(chunk)
        done = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done

    def finish(self) -> None:
        self.finished = True

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
            of, http, written = service(), Http(), entry()
            Sending(of, http, POST, written).follow(Plan(200, (), streamed, [Wait(1.0), Send(b"late")]))
            http.left()
            await asyncio.sleep(0.01)
            assert ("client left", 0) == (written.how, written.sent)
            assert http.closed
            assert not of.tasks
            assert [] == http.told

    asyncio.run(go())


def test_the_head_goes_out_with_the_first_bytes() -> None:
    """Waits come before the head if they stand before the first bytes; what follows at once goes out together."""

    async def go() -> None:
        of, http, written = service(), Http(), entry()
        items = [Wait(1.0), Send(b"a"), Send(b"b"), Wait(2.0), Send(b"c")]
        Sending(of, http, POST, written).follow(Plan(200, (), True, items))
        for seconds, told in ((0.5, []), (0.5, [b"ab"]), (1.0, [b"ab"]), (1.0, [b"ab", b"c"])):
            await asyncio.sleep(0.01)
            of.clock.advance(seconds)
            await asyncio.sleep(0.01)
            assert told == http.told
        assert http.finished
        assert ("complete", 3, 200, 3.0) == (written.how, written.sent, http.status, written.ended)

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
        yield Wait(0.0)
        raise ValueError("inside")

    async def go() -> None:
        of, http, written = service(), Http(), entry()
        of.watch, of.clock = Watch(), ManualClock()
        Sending(of, http, POST, written).follow(Plan(200, (), True, items()))
        await asyncio.sleep(0.01)
        of.clock.advance(0)
        await asyncio.sleep(0.01)
        assert [ValueError, "answered"] == told
        assert ("failed", 1) == (written.how, written.sent)
        assert http.closed

    asyncio.run(go())
