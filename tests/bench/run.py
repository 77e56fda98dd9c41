"""What a request costs: CPU time of the server's own process, by rules, history and conversations held; memory; starts.

`python tests/bench/run.py` prints a table; `--quick` does the same with tiny counts, to see that it works.
"""

from __future__ import annotations

import argparse
import json
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil

HELLO = """
[[states.talk]]
when = 'user starts with "hello"'
reply = "You said: ${user}"
"""
STARTS = Path(__file__).parents[2] / "scenarios" / "weather.toml"


@dataclass(frozen=True)
class Counts:
    """How much of everything.

    Attributes:
        requests: of one batch; a batch has to last long beside the 10 ms in which a system counts CPU time.
    """

    rules: tuple[int, ...] = (1, 1_000, 10_000)
    histories: tuple[int, ...] = (1, 20, 200)
    held: tuple[int, ...] = (10, 10_000)
    requests: int = 1_000
    batches: int = 5
    starts: int = 5


QUICK = Counts((1, 10), (1, 4), (2, 20), 20, 1, 1)


class Server:
    """`llmposter run` in a process of its own, and one connection to it."""

    def __init__(self, scenario: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "llmposter", "run", str(scenario), "--port", "0", "--journal-size", "1"],
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stderr is not None
        line = next(line for line in self.process.stderr if line.startswith("llmposter listening on "))
        self.cost = psutil.Process(self.process.pid)
        parts = urlsplit(line.split()[-1])
        assert parts.hostname is not None
        self.socket = socket.create_connection((parts.hostname, parts.port or 0))
        self.file = self.socket.makefile("rb")

    def close(self) -> None:
        self.file.close()
        self.socket.close()
        self.process.terminate()
        self.process.wait(10)
        assert self.process.stderr is not None
        self.process.stderr.close()

    def post(self, data: bytes) -> bytes:
        self.socket.sendall(data)
        status, length = self.file.readline(), 0
        while (line := self.file.readline()) != b"\r\n":
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        body = self.file.read(length)
        assert b" 200 " in status, body
        return body

    def cpu(self) -> float:
        """Seconds of CPU time so far."""
        times = self.cost.cpu_times()
        return times.user + times.system

    def memory(self) -> int:
        """Bytes that it holds."""
        return int(self.cost.memory_info().rss)


@contextmanager
def server(scenario: str) -> Iterator[Server]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bench.toml"
        path.write_text(scenario, encoding="utf-8")
        running = Server(path)
        try:
            yield running
        finally:
            running.close()


def request(messages: list[dict[str, Any]]) -> bytes:
    body = json.dumps({"model": "gpt-4o", "messages": messages}).encode()
    return b"POST /v1/chat/completions HTTP/1.1\r\nhost: bench\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)


def asked(text: str) -> list[dict[str, Any]]:
    return [{"role": "user", "content": text}]


def per_request(of: Server, counts: Counts, make: Callable[[int], bytes]) -> float:
    """Microseconds of the server's CPU for each request, the median of some batches."""
    batches = []
    for batch in range(counts.batches):
        requests = [make(batch * counts.requests + n) for n in range(counts.requests)]
        before = of.cpu()
        for each in requests:
            of.post(each)
        batches.append((of.cpu() - before) / counts.requests * 1e6)
    return statistics.median(batches)


def by_rules(counts: Counts) -> Iterator[tuple[str, str]]:
    """The last rule of many matches."""
    for rules in counts.rules:
        others = "".join(
            f'[[states.talk]]\nwhen = \'user contains "nothing {n} of this"\'\nreply = "no {n}"\n'
            for n in range(rules - 1)
        )
        with server(others + HELLO) as running:
            cost = per_request(running, counts, lambda n: request(asked(f"hello {n}")))
        yield f"CPU a request, {rules:,} rules", f"{cost:,.0f} us"


def by_history(counts: Counts) -> Iterator[tuple[str, str]]:
    """The last message of a conversation, asked again and again."""
    for messages in counts.histories:
        with server(HELLO) as running:
            said = asked("hello 0")
            while len(said) < messages:
                answer = json.loads(running.post(request(said)))["choices"][0]["message"]["content"]
                said += [{"role": "assistant", "content": answer}, *asked(f"hello {len(said)}")]
            last = request(said)
            cost = per_request(running, counts, lambda _, last=last: last)
        yield f"CPU a request, history of {messages} messages", f"{cost:,.0f} us"


def by_held(counts: Counts) -> Iterator[tuple[str, str]]:
    """New conversations in one server while others are held, and what each of those takes."""
    costs, held = [], 1
    once = Counts(requests=counts.requests, batches=1)
    with server(HELLO) as running:
        running.post(request(asked("hello first")))
        before = running.memory()
        for most in counts.held:
            for n in range(held + 1, most + 1):
                running.post(request(asked(f"hello held {n}")))
            costs.append(per_request(running, once, lambda n, most=most: request(asked(f"hello {most} {n}"))))
            held = max(held, most) + once.requests
            yield f"CPU a request, {most:,} conversations held", f"{costs[-1]:,.0f} us"
        grown = running.memory() - before
    yield "  the most to the least", f"{costs[-1] / max(costs[0], 1e-9):.2f}"
    yield f"memory a conversation, of {held:,}", f"{grown / held:,.0f} bytes"


def by_start(counts: Counts) -> Iterator[tuple[str, str]]:
    """From nothing to the line that says it listens, and to the end of a check."""

    def run() -> None:
        Server(STARTS).close()

    def lint() -> None:
        subprocess.run([sys.executable, "-m", "llmposter", "lint", str(STARTS)], check=True, capture_output=True)

    def listen() -> float:
        began = time.perf_counter()
        running = Server(STARTS)
        took = time.perf_counter() - began
        running.close()
        return took

    def check() -> float:
        began = time.perf_counter()
        lint()
        return time.perf_counter() - began

    run()
    for name, measure in (("run, to its listening line", listen), ("lint, to its end", check)):
        took = statistics.median(measure() for _ in range(counts.starts))
        yield f"cold start of {name}", f"{took * 1000:,.0f} ms"


def table(counts: Counts) -> Iterator[str]:
    """A line for each number, as soon as it is there."""
    for part in (by_rules, by_history, by_held, by_start):
        for name, value in part(counts):
            yield f"{name:<48}{value:>14}"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true", help="tiny counts, to see that it works")
    counts = QUICK if options.parse_args().quick else Counts()
    for line in table(counts):
        print(line, flush=True)


if __name__ == "__main__":
    main()
