"""How long `llmposter lint` takes for many rules: conditions of every kind by turns, a tenth of them going on."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from measuring import environment

_WHEN = (
    'user contains "subject {n:05d}"',
    'user == "question {n:05d}"',
    "user matches /order\\s+{n:05d}\\b/",
    'user starts with "task {n:05d} " and attempt == 1',
    'model == "gpt-4o" and user mentions "word{n:05d}"',
    '"tool_{n:05d}" in tools or user ends with "end {n}"',
    'headers["x-team"] == "team {n:05d}" and not stream',
)
_IN_A_STATE = 100


def written(rules: int, path: Path) -> None:
    """A scenario of so many rules, in states of a hundred, each of which leads to the next."""
    states = max(1, rules // _IN_A_STATE)
    with path.open("w", encoding="utf-8") as file:
        for n in range(rules):
            file.write(f"[[states.s{n % states}]]\nname = \"rule {n}\"\nwhen = '{_WHEN[n % len(_WHEN)].format(n=n)}'\n")
            file.write(f'reply = "Answer {n} to ${{user}}."\n')
            file.write(f'goto = "s{(n + 1) % states}"\n' if n // states % 10 == 0 else "")


def linting(counts: tuple[int, ...], times: int) -> dict[str, float]:
    """Seconds of CPU by rules, each time of a process of its own from its start to its end."""
    with TemporaryDirectory() as folder:
        took: dict[str, float] = {}
        for count in counts:
            path = Path(folder) / f"{count}.toml"
            written(count, path)
            took[str(count)] = statistics.median([_once(path) for _ in range(times)])
    return took


def _once(path: Path) -> float:
    began = os.times()
    ended = subprocess.run(
        [sys.executable, "-m", "llmposter", "lint", "--strict", path],
        capture_output=True, text=True, check=False, env=environment(),
    )  # fmt: skip
    assert (0, "1 file: no findings\n") == (ended.returncode, ended.stderr), ended.stdout[-999:] + ended.stderr
    now = os.times()
    return now.children_user - began.children_user + now.children_system - began.children_system
