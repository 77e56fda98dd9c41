"""The path from the bytes of a body to those of its answer, without a socket: read, answer, plan."""

from __future__ import annotations

from collections.abc import Callable

from cases import Case, toml

from llmposter.core.clock import ManualClock
from llmposter.core.delivery import plan
from llmposter.core.mock import Mock
from llmposter.model import BadRequest, Connection, Request, Send
from llmposter.wire import load
from llmposter_dsl.compiler import compile_text


def path(case: Case) -> Callable[[int], bytes]:
    """What answers the request of *case* with this number in it; each number is to be asked for once."""
    compiled = compile_text(toml(case), "bench.toml")
    assert compiled.program is not None
    wire, clock = load()[case.wire], ManualClock(1_000_000.0)
    mock, connection = Mock([compiled.program], clock), Connection(1)
    body, headers = case.body, {"host": "localhost", **case.headers}
    target = case.path.partition("?")[0]
    query = {"alt": "sse"} if "?" in case.path else {}

    def answer(number: int) -> bytes:
        raw = body.replace("00000000", f"{number:08}").encode()
        turn = wire.read(Request("POST", target, query, headers, raw, connection, ""))
        assert not isinstance(turn, BadRequest), turn
        planned = plan(mock.answer(turn).step, turn, wire, clock.now())
        return b"".join([item.data for item in planned.items if isinstance(item, Send)])

    return answer
