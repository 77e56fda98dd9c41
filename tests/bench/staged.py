"""Our server cut off behind one of its stages, to find by difference what each stage costs over a real socket.

`python tests/bench/staged.py FILE PORT STAGE`: from ``bare``, an HTTP server that is nothing but llhttp and the loop,
to ``whole``, the server as users have it. What is cut off is taken from the first request, so that all answer alike.
"""

from __future__ import annotations

import asyncio
import sys
from typing import cast

from httptools import HttpRequestParser

from llmposter.core.delivery import plan
from llmposter.model import Plan, Request, Turn, Wire
from llmposter.server import Settings, fast
from llmposter.server.answers import Answers
from llmposter.server.line import Line
from llmposter.server.running import _runner, serve
from llmposter.server.sending import Sending
from llmposter_dsl.compiler import compile_path

STAGES = {
    "bare": "llhttp and the loop alone",
    "transport": "our transport",
    "read": "reading the request",
    "core": "finding and playing the rule",
    "whole": "wording the answer",
}


class Cut(Answers):
    """Answers that stop behind a stage and send what the first answer was."""

    __slots__ = ()
    stage = "whole"
    first: Plan | None = None

    def _speak(self, request: Request, wire: Wire, line: Line) -> None:
        first = Cut.first
        if first is None or self.stage == "whole":
            turn = cast("Turn", wire.read(request))
            exchange = self._service.mock.answer(turn)
            first = plan(exchange.step, turn, wire, self._service.clock.now())
            first = Cut.first = Plan(first.status, first.headers, first.streamed, tuple(first.items))
        elif self.stage == "read":
            wire.read(request)
        elif self.stage == "core":
            self._service.mock.answer(cast("Turn", wire.read(request)))
        Sending(self._service, line, None).follow(first)


class Bare(asyncio.Protocol):
    """Answers everything alike."""

    answer = b"x" * 900

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.parser = HttpRequestParser(self)

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_message_complete(self) -> None:
        self.transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(self.answer), self.answer))


async def bare(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Bare, "127.0.0.1", port)
    await server.serve_forever()


def main() -> None:
    file, port, stage = sys.argv[1:]
    if stage == "bare":
        with _runner() as runner:
            runner.run(bare(int(port)))
        return
    Cut.stage = stage
    fast.Answers = Cut  # type: ignore[misc]
    program = compile_path(file).program
    assert program is not None
    serve([program], Settings(port=int(port)), lambda _: None)


if __name__ == "__main__":
    main()
