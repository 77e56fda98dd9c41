"""How many instructions of Python a request takes from bytes to bytes, counted one by one: the same on any machine.

It runs in a process of its own with a fixed hash seed, and prints the counts of its cases as JSON.
"""

from __future__ import annotations

import json
import sys
from types import FrameType
from typing import Any

from cases import HISTORY, PLAIN, STREAMED, Case, toml

from llmposter.core.clock import ManualClock
from llmposter.core.delivery import plan
from llmposter.core.mock import Mock
from llmposter.model import Connection, Request
from llmposter.wire import load
from llmposter_dsl.compiler import compile_text

CASES = (PLAIN, STREAMED, HISTORY, Case("10 rules", rules=10), Case("1,000 rules", rules=1_000))


class Counter:
    """Counts every instruction of Python that runs between `begin` and `end`."""

    def __init__(self) -> None:
        self.count = 0

    def trace(self, frame: FrameType, event: str, _: Any) -> Any:
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        self.count += event == "opcode"
        return self.trace


def counted(case: Case) -> int:
    """Instructions of one request, after some that filled what is remembered."""
    compiled = compile_text(toml(case), "bench.toml")
    assert compiled.program is not None
    wire, clock = load()["openai"], ManualClock(1_000_000.0)
    mock = Mock([compiled.program], clock)
    body = case.request.split("\r\n\r\n", 1)[1]
    connection = Connection(1)
    for n in range(20):
        raw = body.replace("00000000", f"{n:08}").encode()
        request = Request("POST", "/v1/chat/completions", {}, {"host": "localhost"}, raw, connection, "")
        counter = Counter()
        sys.settrace(counter.trace if n == 19 else None)
        turn = wire.read(request)
        items = list(plan(mock.answer(turn).step, turn, wire, clock.now()).items)
        sys.settrace(None)
        assert items
    return counter.count


if __name__ == "__main__":
    print(json.dumps({case.name: counted(case) for case in CASES}))
