"""What a request costs us and the peers, side by side in one run; growth, starts, memory; and what has to be shown.

`python tests/bench/run.py` gets the peers that are not there, prints a table and writes the results and the page made
from them. `--quick` measures ourselves alone, with small counts, and writes nothing; `--soak` asks 1,000,000 times.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import report
from asking import ASKING
from cases import HISTORY, MANY, PLAIN, STREAMED, THOUSAND, Case
from fixture_files import loading
from in_process import in_process
from instructions import counted
from linting import linting
from measuring import alternated, by_case, client, environment, ratio, running
from peers import HOLDING, OURS, Peer, cut, found
from staged import STAGES

from llmposter.wire import load


@dataclass(frozen=True)
class Counts:
    """How much of everything; a batch is long beside what a wake-up of the client costs."""

    requests: int = 4_000
    rounds: int = 7
    rules: tuple[int, ...] = (10, 1_000, 100_000)
    held: tuple[int, ...] = (10, 1_000, 100_000)
    histories: tuple[int, ...] = (1, 41, 401)
    starts: int = 7
    asked: tuple[int, ...] = (10_000,)
    cases: tuple[Case, ...] = (PLAIN, THOUSAND, MANY, STREAMED, HISTORY)
    fixtures: int = 5_000
    linted: tuple[int, ...] = (1_000, 10_000)


QUICK = Counts(200, 3, (10, 100), (10, 500), (1, 41), 1, (500,), (PLAIN, STREAMED, HISTORY), 100, (100,))


@dataclass
class Results:
    """Every number of one run, as it is kept."""

    cases: dict[str, dict[str, dict[str, float]]] = field(default_factory=dict)
    stages: dict[str, dict[str, float]] = field(default_factory=dict)
    instructions: dict[str, float] = field(default_factory=dict)
    wires: dict[str, dict[str, float]] = field(default_factory=dict)
    ratios: dict[str, dict[str, float]] = field(default_factory=dict)
    growth: dict[str, dict[str, float]] = field(default_factory=dict)
    starts: dict[str, float] = field(default_factory=dict)
    start_cpu: dict[str, float] = field(default_factory=dict)
    inside: dict[str, float] = field(default_factory=dict)
    fixtures: dict[str, float] = field(default_factory=dict)
    linted: dict[str, float] = field(default_factory=dict)
    memory: dict[str, dict[str, float]] = field(default_factory=dict)
    conversation: dict[str, float] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)


def told(what: str) -> None:
    print(f"bench: {what}", file=sys.stderr, flush=True)


def side_by_side(peers: Sequence[Peer], counts: Counts, into: Results) -> None:
    """Every case on everybody who can play it."""
    for case in counts.cases:
        told(case.name)
        playing = [OURS, *(peer for peer in peers if peer.rules or case.rules == 1)]
        costs = alternated(playing, case, counts.requests, counts.rounds)
        own = [cost.cpu for cost in costs[OURS.name]]
        into.cases[case.name] = {
            name: {
                what: statistics.median(getattr(cost, what) for cost in each) for what in ("cpu", "rate", "p50", "p99")
            }
            for name, each in costs.items()
        }
        into.ratios[case.name] = {
            name: ratio(own, [cost.cpu for cost in each]) for name, each in costs.items() if name != OURS.name
        }


def staging(counts: Counts, into: Results) -> None:
    """Where the time goes: what each stage of a server that is cut off behind it adds, round by round."""
    told("stages")
    for case in (PLAIN, STREAMED):
        costs = alternated([cut(stage) for stage in STAGES], case, counts.requests, counts.rounds)
        by_round = [[cost.cpu for cost in each] for each in costs.values()]
        before = [[0.0] * counts.rounds, *by_round]
        into.stages[case.name] = {
            what: statistics.median(now - then for now, then in zip(upto, without, strict=True))
            for what, upto, without in zip(STAGES.values(), by_round, before, strict=False)
        }


def counting(into: Results) -> None:
    """Instructions of the path from bytes to bytes, which no other load disturbs."""
    told("instructions")
    counts = counted()
    if isinstance(counts, str):
        into.missing["instructions of the processor"] = counts
    else:
        into.instructions = counts


def comparing(counts: Counts, into: Results) -> None:
    """Each wire, plain and streamed, to OpenAI Chat."""
    told("wires")
    for name in load():
        if name not in ASKING:
            into.missing[f"the wire {name}"] = "tests/bench/asking.py has no question for it"
    for what, stream in (("plain", False), ("streamed", True)):
        cases = {name: Case(name, wire=name, stream=stream) for name in load() if name in ASKING}
        costs = by_case(cases, counts.requests, counts.rounds)
        into.wires[what] = {name: ratio(each, costs["openai"]) for name, each in costs.items()}


@dataclass(frozen=True)
class Point:
    """Of a curve: microseconds of our CPU a request, and megabytes held before them."""

    cpu: float
    memory: float


def curve(cases: dict[str, Case], held: dict[str, int], counts: Counts, who: Peer = OURS) -> dict[str, Point]:
    """Each point of a curve, measured in turn on servers that all run at once."""
    with ExitStack() as stack:
        load = stack.enter_context(client())
        servers = {point: stack.enter_context(running(who, case)) for point, case in cases.items()}
        for point, server in servers.items():
            server.ask(load, cases[point], max(1, held.get(point, 300)))
        memory = {point: server.memory() for point, server in servers.items()}
        costs: dict[str, list[float]] = {point: [] for point in cases}
        for _ in range(counts.rounds):
            for point, server in servers.items():
                costs[point].append(server.ask(load, cases[point], counts.requests).cpu)
    return {point: Point(statistics.median(each), memory[point]) for point, each in costs.items()}


def growing(counts: Counts, into: Results) -> None:
    """By rules, by conversations held, by messages of a history."""
    told("growth")
    by_rules = curve({str(n): Case("", rules=n) for n in counts.rules}, {}, counts)
    # Few requests a round: those of the emptiest server are held by it as well.
    few = Counts(requests=max(counts.requests // 20, 100), rounds=counts.rounds)
    held = {str(n): n for n in counts.held}
    by_held = curve(dict.fromkeys(held, PLAIN), held, few, HOLDING)
    by_history = curve({str(n): Case("", messages=n) for n in counts.histories}, {}, counts)
    named = {"rules": by_rules, "conversations held": by_held, "messages of history": by_history}
    for name, points in named.items():
        into.growth[name] = {point: each.cpu for point, each in points.items()}
    least, most = by_held[str(counts.held[0])], by_held[str(counts.held[-1])]
    into.conversation["bytes"] = (most.memory - least.memory) * 2**20 / (counts.held[-1] - counts.held[0])


def starting(peers: Sequence[Peer], counts: Counts, into: Results) -> None:
    """From nothing to a port that answers; and our checks and version, to their end."""
    told("starts")
    walls: dict[str, list[float]] = {}
    spent: dict[str, list[float]] = {}
    for _ in range(counts.starts + 1):
        for peer in (OURS, *peers):
            with running(peer, PLAIN) as server:
                walls.setdefault(peer.name, []).append(server.started)
                spent.setdefault(peer.name, []).append(server.start_cpu)
    for arguments in (["--version"], ["lint", "scenarios/weather.toml"]):
        for _ in range(counts.starts + 1):
            began = time.perf_counter()
            subprocess.run(
                [sys.executable, "-m", "llmposter", *arguments],
                check=True,
                capture_output=True,
                cwd=report.TOP,
                env=environment(),
            )
            walls.setdefault(f"{OURS.name} {arguments[0]}", []).append(time.perf_counter() - began)
    # The first start fills the system's caches.
    into.starts = {name: statistics.median(each[1:]) for name, each in walls.items()}
    into.start_cpu = {name: statistics.median(each[1:]) for name, each in spent.items()}


def inside(counts: Counts, into: Results) -> None:
    """A server in the process of a test."""
    told("in the process of a test")
    into.inside = in_process(10 * counts.starts)


def reading(counts: Counts, into: Results) -> None:
    """A large fixture file."""
    told("fixture files")
    into.fixtures = loading(counts.fixtures, counts.starts)


def checking(counts: Counts, into: Results) -> None:
    """Large scenarios, by `lint`."""
    told("lint")
    into.linted = linting(counts.linted, counts.starts)


def remembering(peers: Sequence[Peer], counts: Counts, into: Results) -> None:
    """Megabytes when idle and after many requests."""
    told("memory")
    for peer in (OURS, *peers):
        with client() as load, running(peer, PLAIN) as server:
            held = {"0": server.memory()}
            asked = 0
            for most in counts.asked if peer is OURS else counts.asked[:1]:
                while asked < most:
                    count = min(10_000, most - asked)
                    server.ask(load, PLAIN, count)
                    asked += count
                held[str(most)] = server.memory()
        into.memory[peer.name] = held


def part(measure: Callable[..., None], *arguments: Any, into: Results) -> None:
    """A part that fails is told with its reason, and the others go on."""
    try:
        measure(*arguments, into)
    except (RuntimeError, AssertionError, OSError) as error:
        into.failed[measure.__name__] = str(error)
        told(f"{measure.__name__} failed: {error}")


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="ourselves alone, small counts, nothing written")
    parser.add_argument("--soak", action="store_true", help="memory after 1,000,000 requests too")
    parser.add_argument("--no-install", action="store_true", help="only the peers that are there already")
    parser.add_argument("--rounds", type=int, help="batches of each server in each case")
    return parser.parse_args()


def main() -> int:
    given = options()
    counts = QUICK if given.quick else Counts()
    if given.rounds:
        counts = Counts(rounds=given.rounds)
    if given.soak:
        counts = Counts(rounds=counts.rounds, asked=(10_000, 100_000, 1_000_000))
    results = Results()
    known = [] if given.quick else found(install=not given.no_install)
    results.missing = {peer.name: peer.missing for peer in known if peer.missing}
    peers = [peer for peer in known if not peer.missing]
    part(side_by_side, peers, counts, into=results)
    part(staging, counts, into=results)
    if not given.quick:
        part(counting, into=results)
    part(comparing, counts, into=results)
    part(growing, counts, into=results)
    part(starting, peers, counts, into=results)
    part(inside, counts, into=results)
    part(reading, counts, into=results)
    part(checking, counts, into=results)
    part(remembering, peers, counts, into=results)
    kept = report.record(results)
    print("\n".join(report.lines(kept)))
    if not given.quick:
        report.write(kept)
    return int(bool(results.failed))


if __name__ == "__main__":
    sys.exit(main())
