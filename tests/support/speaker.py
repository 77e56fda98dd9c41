"""A server without scenarios: it says what a test gives it, through a wire and delivery, on a real socket."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port
from tornado.web import Application, RequestHandler

from llmposter.core.conversation import Conversation, Step
from llmposter.core.delivery import plan
from llmposter.model import BadRequest, Connection, Outcome, Request, Send, Turn, Wire
from llmposter.server.target import query
from llmposter_dsl.program import Chunk, Delivery

if TYPE_CHECKING:
    from collections.abc import Iterator

CONNECTION = Connection(1)


def step(outcome: Outcome, chunk: Chunk | None = None, latency: float = 0.0) -> Step:
    """A step with this outcome, of a conversation that does not matter."""
    somewhere = Conversation(state="start")
    delivery = Delivery() if chunk is None else Delivery(chunk=chunk)
    return Step(somewhere, somewhere, outcome, delivery=delivery, latency=latency)


def request(body: bytes, path: str = "/", **headers: str) -> Request:
    """A POST with this body; `_` in a header's name stands for `-`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request("POST", path, {}, named, body, CONNECTION)


class Speaker:
    """What the server says next, and what it was last asked.

    Attributes:
        answers: steps still to be given, the last of them for ever.
        turns: the requests that came.
    """

    def __init__(self, url: str, wire: Wire) -> None:
        self.url, self.wire = url, wire
        self.answers: list[Step] = []
        self.turns: list[Turn] = []

    def say(self, *outcomes: Outcome, chunk: Chunk | None = None) -> Speaker:
        self.answers = [step(outcome, chunk) for outcome in outcomes]
        self.turns = []
        return self

    def next(self) -> Step:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


class _Handler(RequestHandler):
    def initialize(self, speaker: Speaker) -> None:
        self.speaker = speaker

    def set_default_headers(self) -> None:
        self.clear_header("Content-Type")

    async def post(self) -> None:
        wire, came = self.speaker.wire, self.request
        headers = {name.lower(): value for name, value in came.headers.items()}
        turn = wire.read(Request("POST", came.path, query(came.query), headers, came.body, CONNECTION))
        if isinstance(turn, BadRequest):
            refused = wire.bad_request(turn, 0.0)
            self._head(refused.status, refused.headers)
            self.write(refused.body)
            return
        self.speaker.turns.append(turn)
        planned = plan(self.speaker.next(), turn, wire, 0.0)
        self._head(planned.status, planned.headers)
        for item in planned.items:
            assert isinstance(item, Send)
            self.write(item.data)
            if planned.streamed:
                await self.flush()

    def _head(self, status: int, headers: tuple[tuple[str, str], ...]) -> None:
        self.set_status(status, "as planned")
        for name, value in headers:
            self.set_header(name, value)

    def log_exception(self, *_: object) -> None:
        raise AssertionError("the handler failed")


@contextmanager
def speaking(wire: Wire) -> Iterator[Speaker]:
    """A server of one wire on a port of its own, in a thread of its own."""
    listening, port = bind_unused_port()
    speaker = Speaker(f"http://127.0.0.1:{port}", wire)
    loop = asyncio.new_event_loop()
    stopping = asyncio.Event()
    ready = threading.Event()

    async def serve() -> None:
        server = HTTPServer(Application([(r"/.*", _Handler, {"speaker": speaker})]))
        server.add_sockets([listening])
        ready.set()
        await stopping.wait()
        server.stop()
        await server.close_all_connections()

    def run() -> None:
        try:
            loop.run_until_complete(serve())
        finally:
            loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    ready.wait(10)
    try:
        yield speaker
    finally:
        loop.call_soon_threadsafe(stopping.set)
        thread.join(10)
