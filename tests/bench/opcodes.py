"""How many instructions of Python a request takes from bytes to bytes, counted one by one: the same on any machine.

It runs in a process of its own with a fixed hash seed, and prints the counts of its cases as JSON.
"""

from __future__ import annotations

import json
import sys
from types import FrameType
from typing import Any

from asking import ASKING
from cases import HISTORY, PLAIN, STREAMED, Case
from pure import path

OTHERS = tuple(Case(f"{wire}, history of 41 messages", messages=41, wire=wire) for wire in ASKING if wire != "openai")
CASES = (PLAIN, STREAMED, HISTORY, *OTHERS, Case("10 rules", rules=10), Case("1,000 rules", rules=1_000))


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
    answer = path(case)
    for number in range(19):
        assert answer(number)
    counter = Counter()
    sys.settrace(counter.trace)
    answer(19)
    sys.settrace(None)
    return counter.count


if __name__ == "__main__":
    print(json.dumps({case.name: counted(case) for case in CASES}))
