"""The client of the measurements: keep-alive connections that ask again as soon as they are answered.

It runs in a process of its own, reads one plan a line and answers with what it measured, so that its own work is never
counted as a server's; CPU time is read from the operating system's clock of the server's processes.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import dataclass, field
from typing import Any

import psutil

NUMBER = b"00000000"
"""What each request has in place of its own number, so that no two of a server are the same."""


def cpu(pids: list[int]) -> float:
    """Seconds of CPU time of all threads of *pids* so far; in nanoseconds where the system can tell."""
    if sys.platform == "linux":
        # clock_getcpuclockid(3) of Linux: the clock of another process is a number made of its pid.
        return sum(time.clock_gettime((~pid << 3) | 2) for pid in pids)
    times = [psutil.Process(pid).cpu_times() for pid in pids]
    return sum(each.user + each.system for each in times)


@dataclass(slots=True)
class Batch:
    """What all connections of one batch share."""

    request: bytes
    number: int
    left: int
    done: asyncio.Future[None]
    open: int = 0
    took: list[float] = field(default_factory=list)
    last: bytes = b""

    def next(self) -> bytes | None:
        if self.left == 0:
            return None
        self.left -= 1
        self.number += 1
        return self.request.replace(NUMBER, b"%08d" % self.number)

    def fail(self, why: str) -> None:
        if not self.done.done():
            self.done.set_exception(RuntimeError(why))


class Connection(asyncio.Protocol):
    """Asks, waits for the end of the answer, asks again."""

    batch: Batch
    left = False

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.buffer = b""

    def begin(self, batch: Batch) -> None:
        self.batch = batch
        batch.open += 1
        self.ask()

    def ask(self) -> None:
        request = self.batch.next()
        if request is not None:
            self.began = time.perf_counter()
            self.transport.write(request)
            return
        self.batch.open -= 1
        if self.batch.open == 0 and not self.batch.done.done():
            self.batch.done.set_result(None)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if not ended(self.buffer):
            return
        if b" 200 " not in self.buffer[:16]:
            self.batch.fail(f"not answered with 200: {self.buffer[:500]!r}")
            return
        self.batch.took.append(time.perf_counter() - self.began)
        self.batch.last, self.buffer = self.buffer, b""
        self.ask()

    def connection_lost(self, _: Exception | None) -> None:
        if not self.left and hasattr(self, "batch"):
            self.batch.fail(f"the server ended a connection after {self.buffer[:200]!r}")

    def leave(self) -> None:
        self.left = True
        self.transport.abort()


def ended(answer: bytes) -> bool:
    """Whether *answer* is there to its end."""
    head = answer.find(b"\r\n\r\n")
    if head < 0:
        return False
    lines = answer[:head].lower()
    at = lines.find(b"\r\ncontent-length:")
    if at < 0:
        return answer.endswith(b"0\r\n\r\n")
    length = int(lines[at + 17 :].split(b"\r\n", 1)[0])
    return len(answer) >= head + 4 + length


async def measured(plan: dict[str, Any]) -> dict[str, Any]:
    """Ask as *plan* says, each connection once before the clock starts."""
    loop = asyncio.get_running_loop()
    made = [
        (await loop.create_connection(Connection, plan["host"], plan["port"]))[1] for _ in range(plan["connections"])
    ]
    request, number = plan["request"].encode(), plan["number"]
    try:
        await everything(made, Batch(request, number, len(made), loop.create_future()))
        batch = Batch(request, number + len(made), plan["count"], loop.create_future())
        before, began = cpu(plan["pids"]), time.perf_counter()
        await everything(made, batch)
        spent, wall = cpu(plan["pids"]) - before, time.perf_counter() - began
    finally:
        for each in made:
            each.leave()
    took = sorted(batch.took)
    return {
        "cpu": spent / plan["count"] * 1e6,
        "rate": plan["count"] / wall,
        "p50": took[len(took) // 2] * 1e6,
        "p99": took[len(took) * 99 // 100] * 1e6,
        "answer": batch.last.decode(),
    }


async def everything(connections: list[Connection], batch: Batch) -> None:
    for each in connections:
        each.begin(batch)
    await batch.done


def main() -> None:
    for line in sys.stdin:
        try:
            result = asyncio.run(measured(json.loads(line)))
        except (OSError, RuntimeError) as error:
            result = {"error": str(error)}
        print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
