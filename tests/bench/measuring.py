"""Servers in processes of their own and what they cost: CPU time, memory, the time to listen; in alternated rounds."""

from __future__ import annotations

import json
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil
from cases import Case
from load import cpu
from peers import OURS, Peer

CONNECTIONS = 16
PATIENCE = 300.0
"""Seconds that a server has to listen; with 100,000 rules it takes its time."""


@dataclass(frozen=True)
class Cost:
    """Of one request: microseconds of CPU; answers a second; microseconds until an answer."""

    cpu: float
    rate: float
    p50: float
    p99: float


class Load:
    """The client's process."""

    def __init__(self) -> None:
        script = str(Path(__file__).with_name("load.py"))
        self.process = subprocess.Popen(
            [sys.executable, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, plan: dict[str, Any]) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(plan) + "\n")
        self.process.stdin.flush()
        result: dict[str, Any] = json.loads(self.process.stdout.readline())
        if "error" in result:
            raise RuntimeError(result["error"])
        return result

    def close(self) -> None:
        self.process.communicate()


class Running:
    """A peer that listens."""

    def __init__(self, peer: Peer, file: str) -> None:
        self.peer, self.port, self.number = peer, free_port(), 0
        began = time.perf_counter()
        self.process = subprocess.Popen(
            peer.command(file, self.port),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment(),
        )
        self.listen()
        self.started = time.perf_counter() - began
        self.start_cpu = cpu(self.pids)

    def listen(self) -> None:
        end = time.perf_counter() + PATIENCE
        while time.perf_counter() < end:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                assert self.process.poll() is None, f"{self.peer.name} ended instead of listening"
                time.sleep(0.001)
            else:
                return
        raise RuntimeError(f"{self.peer.name} does not listen")

    @property
    def pids(self) -> list[int]:
        own = psutil.Process(self.process.pid)
        return [own.pid, *(child.pid for child in own.children(recursive=True))]

    def memory(self) -> float:
        """Megabytes that are held."""
        return sum(psutil.Process(pid).memory_info().rss for pid in self.pids) / 2**20

    def ask(self, load: Load, case: Case, count: int) -> Cost:
        """*count* requests, each with a number that this server has not seen."""
        plan = {
            "host": "127.0.0.1",
            "port": self.port,
            "connections": min(CONNECTIONS, count),
            "request": case.request,
            "number": self.number,
            "count": count,
            "pids": self.pids,
        }
        self.number += CONNECTIONS + count
        result = load.ask(plan)
        return Cost(result["cpu"], result["rate"], result["p50"], result["p99"])

    def close(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def environment() -> dict[str, str]:
    """As users have it: Python keeps what it compiled, so that the second start compiles nothing."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def running(peer: Peer, case: Case) -> Iterator[Running]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"bench{peer.suffix}"
        path.write_text(peer.write(case), encoding="utf-8")
        server = Running(peer, str(path))
        try:
            yield server
        finally:
            server.close()


@contextmanager
def client() -> Iterator[Load]:
    load = Load()
    try:
        yield load
    finally:
        load.close()


def alternated(peers: Sequence[Peer], case: Case, requests: int, rounds: int) -> dict[str, list[Cost]]:
    """What a request costs each peer, one batch a round, all peers in turn so that a slow minute is everybody's."""
    with ExitStack() as stack:
        load = stack.enter_context(client())
        servers = [stack.enter_context(running(peer, case)) for peer in peers]
        counts = [afforded(server, load, case, requests) for server in servers]
        costs: dict[str, list[Cost]] = {peer.name: [] for peer in peers}
        for _ in range(rounds):
            for server, count in zip(servers, counts, strict=True):
                costs[server.peer.name].append(server.ask(load, case, count))
    return costs


def by_case(cases: dict[str, Case], requests: int, rounds: int) -> dict[str, list[float]]:
    """Microseconds of our CPU a request for each case, on servers that all run at once and are asked in turn."""
    with ExitStack() as stack:
        load = stack.enter_context(client())
        servers = {name: stack.enter_context(running(OURS, case)) for name, case in cases.items()}
        counts = {name: afforded(server, load, cases[name], requests) for name, server in servers.items()}
        costs: dict[str, list[float]] = {name: [] for name in cases}
        for _ in range(rounds):
            for name, server in servers.items():
                costs[name].append(server.ask(load, cases[name], counts[name]).cpu)
    return costs


def afforded(server: Running, load: Load, case: Case, requests: int) -> int:
    """As many of *requests* as take about a second, once the server is warm."""
    server.ask(load, case, min(requests, 32))
    cost = server.ask(load, case, max(1, min(requests // 2, 64))).cpu
    return max(min(requests, int(1e6 / max(cost, 1.0))), min(requests, CONNECTIONS))


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The median of the ratios of each round."""
    return statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
