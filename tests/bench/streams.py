"""Many paced streams at once: how far their chunks are from their times, and what holding them costs.

`python tests/bench/streams.py --streams 1000 --rate 50` starts a server and clients in processes of their own, and
prints the distribution. A chunk's error is how much later it came than the earliest schedule that its stream kept to,
so that it holds the lateness of server, system and client together.
"""

from __future__ import annotations

import argparse
import json
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil
from load import cpu
from measuring import Running
from peers import OURS

CHUNK = b'"delta":{"content":"'
"""What stands in the event of each chunk once, and in no other."""
BEGUN = 500
"""Streams that begin in a second."""
SHARES = (0.5, 0.9, 0.99, 0.999, 1.0)


@dataclass(frozen=True)
class Asked:
    """So many streams, begun within *spread* seconds, each with so many chunks at so many a second."""

    streams: int
    rate: float
    chunks: int
    spread: float
    clients: int

    @property
    def scenario(self) -> str:
        said = "w " * self.chunks
        timing = f'chunk = "1 word", ttft = "{1000 / self.rate:.6f}ms", pace = "{1000 / self.rate:.6f}ms"'
        return f"[[states.begin]]\nreply = '{said.rstrip()}'\nstream = {{ {timing} }}\n"


# --- a client -------------------------------------------------------------------------------------------------------


class Stream:
    """One connection and when its chunks came."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.came: list[float] = []
        self.rest = b""
        self.over = False

    def ask(self, number: int) -> None:
        said = [{"role": "user", "content": f"stream {number}"}]
        body = json.dumps({"model": "m", "stream": True, "messages": said}).encode()
        head = b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
        self.socket.sendall(b"%bcontent-length: %d\r\n\r\n%b" % (head, len(body), body))

    def read(self) -> None:
        data = self.socket.recv(65_536)
        now = time.monotonic()
        seen = self.rest + data
        self.came.extend([now] * seen.count(CHUNK))
        # A chunk's mark may be cut in two, and is counted once.
        self.rest = seen[-len(CHUNK) + 1 :]
        self.over = not data or seen.endswith(b"0\r\n\r\n")


def listen(plan: dict[str, Any]) -> list[list[float]]:
    """Asks for the streams of one client, spread evenly, and reads them all to their ends."""
    streams = [Stream(plan["port"]) for _ in range(plan["streams"])]
    poll = select.epoll()
    by_number = {}
    for each in streams:
        by_number[each.socket.fileno()] = each
        poll.register(each.socket, select.EPOLLIN)
    began, asked, left = time.monotonic(), 0, len(streams)
    while left:
        while asked < len(streams) and time.monotonic() >= began + plan["spread"] * asked / len(streams):
            streams[asked].ask(plan["first"] + asked)
            asked += 1
        for number, _ in poll.poll(0.001 if asked < len(streams) else 1.0):
            stream = by_number[number]
            stream.read()
            if stream.over:
                poll.unregister(number)
                left -= 1
    return [each.came for each in streams]


# --- what is made of it ---------------------------------------------------------------------------------------------


def errors(came: list[float], gap: float) -> list[float]:
    """How much later than its time each chunk of a stream came, by the earliest schedule that fits."""
    off = [time_ - number * gap for number, time_ in enumerate(came)]
    return [each - min(off) for each in off]


def off_pace(came: list[float], gap: float) -> float:
    """By what share a stream was slower than its pace, from its first chunk to its last."""
    return (came[-1] - came[0]) / (gap * (len(came) - 1)) - 1


def lines(asked: Asked, streams: list[list[float]], cost: Cost) -> Iterator[str]:
    gap, chunks = 1 / asked.rate, asked.streams * asked.chunks
    late = sorted(error for came in streams for error in errors(came, gap))
    yield f"{asked.streams:,} streams of {asked.chunks:,} chunks, {asked.rate:g} a second each"
    for share in SHARES:
        yield f"  error, {share:.1%} of the chunks at most  {1000 * late[max(0, int(share * len(late)) - 1)]:10,.2f} ms"
    yield f"  mean pace, off by  {sum(off_pace(came, gap) for came in streams) / len(streams):10.3%}"
    yield f"  server's CPU, of one core  {cost.server / cost.wall:10.1%}"
    yield f"  server's CPU, a chunk  {1e6 * cost.server / chunks:10,.1f} us"
    yield f"  clients' CPU, of one core  {cost.clients / cost.wall:10.1%}"
    yield f"  memory, a stream  {cost.memory / asked.streams / 1024:10,.1f} kB"


@dataclass
class Cost:
    """Seconds of CPU and of wall time; bytes that the server holds more while all streams are open."""

    server: float = 0.0
    clients: float = 0.0
    wall: float = 0.0
    memory: float = 0.0


# --- a run ----------------------------------------------------------------------------------------------------------


@contextmanager
def serving(asked: Asked) -> Iterator[Running]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "streams.toml"
        path.write_text(asked.scenario, encoding="utf-8")
        server = Running(OURS, str(path))
        try:
            yield server
        finally:
            server.close()


def measured(asked: Asked) -> tuple[list[list[float]], Cost]:
    """When each chunk of each stream came, and what that cost."""
    with serving(asked) as server:
        cost, idle = Cost(), server.memory()
        before, began = cpu(server.pids), time.monotonic()
        shares = [asked.streams * n // asked.clients for n in range(asked.clients + 1)]
        clients = []
        for first, last in pairwise(shares):
            plan = {"port": server.port, "first": first, "streams": last - first, "spread": asked.spread}
            command = [sys.executable, __file__, "--client", json.dumps(plan)]
            clients.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        while all(client.poll() is None for client in clients) and cost.wall < asked.spread + asked.chunks / asked.rate:
            time.sleep(0.1)
            cost.wall = time.monotonic() - began
            cost.memory = max(cost.memory, (server.memory() - idle) * 2**20)
            cost.clients = sum(cpu([client.pid]) for client in clients if psutil.pid_exists(client.pid))
            cost.server = cpu(server.pids) - before
        told = [json.loads(client.communicate()[0]) for client in clients]
    streams = [came for client in told for came in client]
    broken = sum(len(came) != asked.chunks for came in streams)
    if broken or len(streams) != asked.streams:
        raise RuntimeError(f"{broken} streams did not come whole")
    return streams, cost


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", type=int, help="streams at once; without it 1,000 and then 10,000")
    parser.add_argument("--rate", type=float, default=50.0, help="chunks a second of each")
    parser.add_argument("--seconds", type=float, default=10.0, help="how long all of them go on at once")
    parser.add_argument("--clients", type=int, default=2, help="processes that read")
    parser.add_argument("--client", help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    given = options()
    if given.client:
        print(json.dumps(listen(json.loads(given.client))))
        return
    cases = [(given.streams, given.rate)] if given.streams else [(1_000, 50.0), (10_000, 5.0)]
    for streams, rate in cases:
        # So many requests a second leave the server time to speak; all streams are there at once for *seconds*.
        spread = streams / BEGUN
        asked = Asked(streams, rate, max(2, int((spread + given.seconds) * rate)), spread, given.clients)
        print("\n".join(lines(asked, *measured(asked))), flush=True)


if __name__ == "__main__":
    main()
