"""The SDKs that take trouble: which there are, in which ways each is asked, and what its program told."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from client_table import APIS, OPENAI
from clients import INTEROP, SECONDS, environment, node, python
from trouble_cases import ACCESS, FAULTS, NO_FAULT, TIMEOUTS, WAITS, Access

from llmposter.server import Running

ASYNC = ("whole", "whole async", "streamed", "streamed async", "helper", "helper async")
PATIENT = tuple(f"{how}, told to retry" for how in ASYNC[:4])


class Column(NamedTuple):
    """An SDK as a user knows it: the APIs that it asks, and the ways in which it asks them.

    Attributes:
        program: an environment, and the script that is run in it.
        backs_off: between which seconds it waits before each retry where nothing tells it better.
    """

    title: str
    program: str
    apis: tuple[str, ...]
    hows: tuple[str, ...]
    backs_off: tuple[tuple[float, float], ...] = ()

    def ways(self, case: str) -> tuple[str, ...]:
        """Those that are tried in a case: what is waited between tries, no way has its own; and faults take time."""
        if case in WAITS:
            return tuple(how for how in self.hows if how.startswith("whole"))
        if case in TIMEOUTS:
            return tuple(how for how in self.hows if "async" not in how)
        if case in FAULTS:
            return tuple(how for how in self.hows if not how.startswith(("whole async", "helper async")))
        return self.hows


STAINLESS = ((0.375, 0.5), (0.75, 1.0))
GOOGLE, GOOGLE_NODE = ((1.0, 2.0), (2.0, 3.0)), ((1.0, 2.0), (2.0, 4.0))
VERCEL = ((2.0, 2.0), (4.0, 4.0))
NODE = ("whole", "streamed", "helper")

COLUMNS = (
    Column("`openai`, Python", "newest/troubled_openai.py", OPENAI, ASYNC, STAINLESS),
    Column("`openai`, JavaScript", "node/troubled_openai.mjs", OPENAI, NODE, STAINLESS),
    Column("`anthropic`", "newest/troubled_anthropic.py", ("anthropic",), ASYNC, STAINLESS),
    Column("`@anthropic-ai/sdk`", "node/troubled_anthropic.mjs", ("anthropic",), NODE, STAINLESS),
    Column("`google-genai`", "newest/troubled_google.py", ("gemini",), ASYNC[:4]),
    Column("`google-genai`, told to retry", "newest/troubled_google.py", ("gemini",), PATIENT, GOOGLE),
    Column("`@google/genai`", "node/troubled_google.mjs", ("gemini",), NODE[:2]),
    Column("`@google/genai`, told to retry", "node/troubled_google.mjs", ("gemini",), PATIENT[::2], GOOGLE_NODE),
    Column("`ai`", "node/troubled_vercel.mjs", APIS, NODE[:2], VERCEL),
)


def _as_of(column: Column, environment: str) -> Column:
    """The same SDK in an environment of older ones."""
    name = column.title.split("`")[1]
    pins = (INTEROP / "environments" / f"{environment}.txt").read_text(encoding="utf-8")
    version = pins.partition(f"\n{name}==")[2].partition("\n")[0]
    title = column.title.replace(f"{name}`", f"{name}` {version.rpartition('.')[0]}").replace(", Python", "")
    return column._replace(title=title, program=column.program.replace("newest", environment))


OLDER = {
    column: [_as_of(column, environment) for environment in ("previous", "older")]
    for column in COLUMNS
    if column.program.startswith("newest")
}
"""The SDKs of majors before, by what they have become."""

EVERY = (*COLUMNS, *(column for majors in OLDER.values() for column in majors))
PROGRAMS = list(dict.fromkeys(column.program for column in EVERY))


class Trial(NamedTuple):
    """One case that a program plays in one way, in a session of its own."""

    api: str
    how: str
    case: str


class Told(NamedTuple):
    """What a program told of a trial, and how many requests the journal has of it.

    Attributes:
        raised: class of the exception, None where there was none. holds: what it holds, by attribute. trace: all of it.
        waits: seconds that the SDK wanted to wait before each retry.
        heard: the text that the application had got.
        asked: requests for what was said last. status: of the last answer. keys: headers that could hold the key.
    """

    raised: str | None
    holds: dict[str, Any]
    waits: list[float]
    heard: str
    trace: str
    asked: int
    status: int
    keys: tuple[str, ...]


def trials(program: str, cases: Iterable[str]) -> list[Trial]:
    """All that a program plays; SDKs of majors before play no faults."""
    asked = [(column, api) for column in EVERY if column.program == program for api in column.apis]
    played = [case for case in cases if program.startswith(("newest", "node")) or case not in {**NO_FAULT, **FAULTS}]
    return [Trial(api, how, case) for column, api in asked for case in played for how in column.ways(case)]


def play(program: str, played: list[tuple[Trial, Running]], home: Path) -> dict[Trial, Told]:
    """Plays the trials, each against its server and in a session of its own.

    Raises:
        AssertionError: the program broke, or reached out.
    """
    name = program.replace("/", ".")
    asked = [
        {"trial": n, "session": f"{name}.{n}", "url": server.url, **_task(trial)}
        for n, (trial, server) in enumerate(played)
    ]
    ended = subprocess.run(
        _command(program), input=json.dumps(asked), env=environment(home), capture_output=True, text=True,
        encoding="utf-8", check=False, timeout=SECONDS, cwd=home,
    )  # fmt: skip
    assert 0 == ended.returncode, ended.stderr
    lines = (json.loads(line) for line in ended.stdout.split("\n") if line.startswith("{"))
    told = {line.pop("trial"): line for line in lines}
    return {
        trial: _told(told[n], server.mock.journal(asked[n]["session"])["entries"], len(asked[n]["says"]))
        for n, (trial, server) in enumerate(played)
    }


def _command(program: str) -> list[str]:
    where, _, script = program.partition("/")
    if where == "node":
        return [*node(), str(INTEROP / "js" / script)]
    return [*python(where), str(INTEROP / "clients" / script)]


def _task(trial: Trial) -> dict[str, Any]:
    access = ACCESS.get(trial.case, Access("any", (trial.case,)))
    broken, vain = trial.case in FAULTS, trial.case in TIMEOUTS
    return {
        **trial._asdict(), **access._asdict(), "pause": broken, "vain": vain, "timeout": TIMEOUTS.get(trial.case)
    }  # fmt: skip


def _told(line: dict[str, Any], entries: list[dict[str, Any]], said: int) -> Told:
    """A line of a program; what its SDK slept for other reasons came before its first try."""
    asked = len(entries) - said + 1
    retries = line["waits"][-(asked - 1) :] if asked > 1 else []
    keys = tuple(name for name in ("authorization", "x-api-key", "x-goog-api-key") if name in entries[-1]["headers"])
    return Told(**{**line, "waits": retries}, asked=asked, status=entries[-1]["status"], keys=keys)
