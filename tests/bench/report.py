"""Results as a table, as JSON and as the page of the documentation: nothing of it is typed in by hand."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import plot
from cases import HISTORY, MANY, PLAIN, STREAMED
from peers import AIMOCK, OURS, RUST

if TYPE_CHECKING:
    from run import Results

TOP = Path(__file__).parents[2]
KEPT = Path(__file__).with_name("results.json")
PAGE = TOP / "docs" / "performance.md"
Kept = dict[str, Any]
NODE_PEER, RUST_PEER = f"aimock {AIMOCK}", f"llmposter {RUST} (Rust)"


def record(results: Results) -> Kept:
    """Everything, rounded to what the measurement can tell, with where and when it was made."""
    where = {
        "on": datetime.now(UTC).date().isoformat(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
    }
    kept: Kept = {"measured": where, **asdict(results)}
    rounded: Kept = json.loads(json.dumps(kept), parse_float=lambda text: float(f"{float(text):.4g}"))
    return rounded


def write(kept: Kept) -> None:
    KEPT.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")
    PAGE.write_text(page(kept), encoding="utf-8")
    folder = PAGE.with_suffix("")
    folder.mkdir(exist_ok=True)
    for what, curve in kept["growth"].items():
        picture = plot.curve(curve, across=what, up="CPU of a request, us")
        (folder / f"{named(what)}.svg").write_text(picture, encoding="utf-8")


def named(what: str) -> str:
    return what.replace(" ", "-")


# --- what has to be shown --------------------------------------------------------------------------------


def shown(kept: Kept) -> Iterator[tuple[str, float, float | None]]:
    """Each line of what has to be shown: what, at most, and what was measured (nothing if it could not be)."""
    ratios = kept["ratios"]

    def against(case: str, peer: str) -> float | None:
        found: float | None = ratios.get(case, {}).get(peer)
        return found

    yield "plain request, of aimock's CPU", 0.30, against(PLAIN.name, NODE_PEER)
    yield "10,000 rules, the last matches, of aimock's CPU", 0.08, against(MANY.name, NODE_PEER)
    yield "streamed, of aimock's CPU", 0.35, against(STREAMED.name, NODE_PEER)
    yield "history of 41 messages, of aimock's CPU", 0.35, against(HISTORY.name, NODE_PEER)
    yield "plain request, of the Rust llmposter's CPU", 1.0, against(PLAIN.name, RUST_PEER)
    yield "10,000 rules, the last matches, of the Rust llmposter's CPU", 0.2, against(MANY.name, RUST_PEER)
    for what, most in (("rules", 1.3), ("conversations held", 1.2)):
        points = kept["growth"].get(what, {})
        first, last = (list(points) or ["10"])[0], (list(points) or ["100000"])[-1]
        measured = points[last] / points[first] if points else None
        yield f"{int(last):,} {what}, to {int(first):,}", most, measured
    starts, memory = kept["starts"], kept["memory"].get(OURS.name, {})
    own = starts.get(OURS.name)
    yield "cold start to listening, seconds", 0.25, own
    yield "cold start, of aimock's", 2.0, own / starts[NODE_PEER] if own and NODE_PEER in starts else None
    inside = kept.get("inside", {})
    first = "`with` to the first answer"
    yield f"in a test's process, {first}, ms", 10, inside.get(first)
    yield f"in a test's process, {first}, ms of CPU", 10, inside.get(f"{first}, CPU")
    yield "5,000 fixtures loaded, seconds of CPU", 1.0, kept.get("fixtures", {}).get("5000")
    yield "cold start of `lint` to its end, one scenario, seconds", 0.35, starts.get(f"{OURS.name} lint")
    for rules, most in ((1_000, 1.0), (10_000, 10.0)):
        yield f"`lint` of {rules:,} rules, seconds of CPU", most, kept.get("linted", {}).get(str(rules))
    yield "memory when idle, MB", 60, memory.get("0")
    after = list(memory)[1:]
    grown = memory[after[-1]] / memory[after[0]] if len(after) > 1 else None
    yield "memory after 1,000,000 requests, of that after 10,000 (`--soak`)", 1.2, grown


def lines(kept: Kept) -> Iterator[str]:
    """The table for a terminal."""
    for title, head, rows in tables(kept):
        yield ""
        yield title
        cells = [head, *rows]
        widths = [max(len(row[n]) for row in cells) for n in range(len(head))]
        for row in cells:
            yield "  " + "  ".join(
                cell.ljust(width) if n == 0 else cell.rjust(width)
                for n, (cell, width) in enumerate(zip(row, widths, strict=True))
            )


Table = tuple[str, list[str], list[list[str]]]


def tables(kept: Kept) -> Iterator[Table]:
    """Every table: its title, its head, its rows."""
    rows = []
    for what, most, measured in shown(kept):
        verdict = "not measured" if measured is None else "yes" if measured <= most else "no"
        rows.append([what, f"{most:g}", "-" if measured is None else f"{measured:.3g}", verdict])
    yield "What has to be shown", ["", "at most", "measured", "held"], rows
    yield from _requests(kept)
    yield from _starts(kept)
    yield from _held(kept)
    told = {**kept["missing"], **{f"the part {name}": why for name, why in kept["failed"].items()}}
    if told:
        yield "Not measured", ["", "why"], [[name, why] for name, why in told.items()]


def _requests(kept: Kept) -> Iterator[Table]:
    for case, costs in kept["cases"].items():
        yield (
            f"A request: {case}",
            ["", "CPU us", "ours/theirs", "a second", "p50 us", "p99 us"],
            [
                [
                    name,
                    f"{cost['cpu']:,.1f}",
                    f"{kept['ratios'][case][name]:.3f}" if name in kept["ratios"][case] else "",
                    *(f"{cost[each]:,.0f}" for each in ("rate", "p50", "p99")),
                ]
                for name, cost in costs.items()
            ],
        )
    for case, stages in kept.get("stages", {}).items():
        whole = sum(stages.values())
        yield (
            f"Where our CPU goes: {case}",
            ["", "CPU us", "of all"],
            [*([what, f"{cost:,.1f}", f"{cost / whole:.0%}"] for what, cost in stages.items())],
        )
    if kept.get("instructions"):
        yield (
            "Instructions of the processor from bytes to bytes",
            ["", "a request"],
            [[case, f"{count:,.0f}"] for case, count in kept["instructions"].items()],
        )
    for what, ratios in kept.get("wires", {}).items():
        rows = [[name, f"{to_chat:.2f}"] for name, to_chat in ratios.items()]
        yield f"Our CPU by wire, {what}", ["", "of OpenAI Chat's"], rows
    for what, curve in kept["growth"].items():
        yield f"Our CPU by {what}", ["", "CPU us"], [[f"{int(n):,}", f"{cost:,.1f}"] for n, cost in curve.items()]


def _starts(kept: Kept) -> Iterator[Table]:
    yield (
        "Cold start",
        ["", "ms", "CPU ms"],
        [
            [name, f"{took * 1e3:,.0f}", f"{kept['start_cpu'][name] * 1e3:,.0f}" if name in kept["start_cpu"] else ""]
            for name, took in kept["starts"].items()
        ],
    )
    if kept.get("inside"):
        rows = [[what, f"{took:,.1f}"] for what, took in kept["inside"].items()]
        yield "A server in the process of a test", ["", "ms"], rows
    if kept.get("fixtures"):
        rows = [[f"{int(count):,}", f"{took * 1e3:,.0f}"] for count, took in kept["fixtures"].items()]
        yield "Fixtures loaded from a file", ["", "CPU ms"], rows
    if kept.get("linted"):
        rows = [[f"{int(count):,} rules", f"{took * 1e3:,.0f}"] for count, took in kept["linted"].items()]
        yield "`llmposter lint` of a file, its start included", ["", "CPU ms"], rows


def _held(kept: Kept) -> Iterator[Table]:
    yield (
        "Memory after requests",
        ["", "requests", "MB"],
        [
            [name, f"{int(asked):,}", f"{held:,.1f}"]
            for name, each in kept["memory"].items()
            for asked, held in each.items()
        ],
    )
    yield (
        "What a conversation holds",
        ["", "each"],
        [[what, f"{held:,.0f}"] for what, held in kept["conversation"].items()],
    )


# --- the page --------------------------------------------------------------------------------


def page(kept: Kept) -> str:
    """The page of the documentation."""
    where = kept["measured"]
    text = [
        "# Performance",
        "",
        "This page is written by `make bench`; nothing of it is typed in by hand.",
        f"Measured on {where['on']} with Python {where['python']} on {where['system']}, {where['cores']} cores.",
        "",
        "CPU is that of the server's processes alone, from the operating system's clock, in microseconds a request.",
        "A client in a process of its own asks over 16 connections; no two requests are the same.",
        "All servers of a table run at once and are asked in turn; a ratio is the median of the ratios of each round.",
        "A stage's CPU is the difference between servers that are cut off behind it and before it.",
        "Instructions are counted by Callgrind.",
        "llmock has no rules that stay, so that it answers everything alike and only where there is one rule.",
    ]
    for title, head, rows in tables(kept):
        text += ["", f"## {title}", "", *markdown(head, rows)]
        for what in kept["growth"]:
            if title == f"Our CPU by {what}":
                text += ["", f"![CPU of a request by {what}](performance/{named(what)}.svg)"]
    return "\n".join([*text, ""])


def markdown(head: list[str], rows: list[list[str]]) -> Iterator[str]:
    yield "| " + " | ".join(head) + " |"
    yield "| --- |" + " ---: |" * (len(head) - 1)
    for row in rows:
        yield "| " + " | ".join(row) + " |"


def main() -> None:
    """Write the page again from the results that are kept."""
    write(json.loads(KEPT.read_text(encoding="utf-8")))


if __name__ == "__main__":
    sys.exit(main())
