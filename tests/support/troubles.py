"""Trouble for an SDK as it comes: what the scenario does to it, which programs take it, and what each told."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from client_cases import ERRORS
from client_table import APIS, OPENAI
from clients import INTEROP, SECONDS, environment, node, python

from llmposter.server import Running

STATUSES = (401, 403, 408, 409, 429, 500, 502, 503, 504, 529)

FAILS: dict[str, dict[str, Any]] = {
    **{name: {"error": name} for name in ERRORS},
    **{str(status): {"error": status} for status in STATUSES},
}
"""A rule for each error; a client asks for it by saying its name."""


class Asked(NamedTuple):
    """A time to come back at, as an answer tells it: the rule's error, and the seconds it means.

    Attributes:
        off: by how many seconds what a client makes of it may be off; a date is no exact time.
    """

    error: dict[str, Any]
    seconds: float | None
    off: float = 0.001


LIMITED = {"name": "rate_limited"}
PAST = "Wed, 21 Oct 2015 07:28:00 GMT"


def by_hand(seconds: float | None, **headers: str) -> Asked:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return Asked({**LIMITED, "headers": given}, seconds)


WAITS: dict[str, Asked] = {
    "nothing": Asked(LIMITED, None),
    'retry_after = "20ms"': Asked({**LIMITED, "retry_after": "20ms"}, 0.02),
    'retry_after = "7s"': Asked({**LIMITED, "retry_after": "7s"}, 7),
    'retry_after = "30s as date"': Asked({**LIMITED, "retry_after": "30s as date"}, 30, 5),
    "retry-after: 0": by_hand(0, retry_after="0"),
    "retry-after: -7": by_hand(-7, retry_after="-7"),
    "retry-after: 1.7": by_hand(1.7, retry_after="1.7"),
    "retry-after: 61": by_hand(61, retry_after="61"),
    "retry-after: 121": by_hand(121, retry_after="121"),
    "retry-after: 276480 (3.2 days)": by_hand(276480, retry_after="276480"),
    "retry-after: 2592000 (30 days)": by_hand(2592000, retry_after="2592000"),
    f"retry-after: {PAST}": by_hand(None, retry_after=PAST),
    "retry-after: soon": by_hand(None, retry_after="soon"),
    "retry-after-ms: 70": by_hand(0.07, retry_after_ms="70"),
    "retry-after-ms: 70, retry-after: 7": by_hand(0.07, retry_after_ms="70", retry_after="7"),
    "retry-after-ms: 0, retry-after: 7": by_hand(0, retry_after_ms="0", retry_after="7"),
    "retry-after-ms: -70, retry-after: 7": by_hand(-0.07, retry_after_ms="-70", retry_after="7"),
    "x-should-retry: false": by_hand(None, x_should_retry="false"),
    "x-should-retry: true, with 400": Asked({"status": 400, "headers": {"x-should-retry": "true"}}, None),
}
"""Each form in which a time can be told; the seconds are those of the header that ought to count."""


class Access(NamedTuple):
    """A client's key, and what the user says with it; all but the last is answered."""

    key: str
    says: tuple[str, ...]


ACCESS = {
    "nobody knows it": Access("nobody", ("Hello?",)),
    "it has expired": Access("short", ("Hello?", "Hello?")),
    "it was revoked": Access("any", ("Log me out.", "Hello?")),
    "it is above a limit": Access("any", ("Hello?", "Hello?", "Hello?")),
}
"""What is wrong with a credential."""

PATIENCE = Asked({}, 7)
"""What the limit below asks for, on a clock that stands still."""

CREDENTIALS = """
[auth]
tokens = [{ name = "any" }, { name = "short", uses = 1 }]

[[limits]]
requests = 2
per = "14s"

[[states.ready]]
when = 'user == "Log me out."'
token = "revoke"
reply = "Bye."

[[states.ready]]
reply = "Hello."
"""


def scenario() -> dict[str, Any]:
    """The scenario of all other trouble, as data."""
    rules = {**FAILS, **{name: {"error": asked.error} for name, asked in WAITS.items()}}
    ready = [{"name": name, "when": f"user == {json.dumps(name)}", **rule} for name, rule in rules.items()]
    return {"scenario": {"name": "trouble"}, "states": {"ready": ready}}


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
        """Those that could differ in a case: what is waited between tries is decided before anything else."""
        if case in WAITS:
            return tuple(how for how in self.hows if how.startswith("whole"))
        return self.hows


STAINLESS = ((0.375, 0.5), (0.75, 1.0))
NODE = ("whole", "streamed", "helper")

COLUMNS = (
    Column("`openai`, Python", "newest/troubled_openai.py", OPENAI, ASYNC, STAINLESS),
    Column("`openai`, JavaScript", "node/troubled_openai.mjs", OPENAI, NODE, STAINLESS),
    Column("`anthropic`", "newest/troubled_anthropic.py", ("anthropic",), ASYNC, STAINLESS),
    Column("`@anthropic-ai/sdk`", "node/troubled_anthropic.mjs", ("anthropic",), NODE, STAINLESS),
    Column("`google-genai`", "newest/troubled_google.py", ("gemini",), ASYNC[:4]),
    Column(
        "`google-genai`, told to retry", "newest/troubled_google.py", ("gemini",), PATIENT, ((1.0, 2.0), (2.0, 3.0))
    ),
    Column("`@google/genai`", "node/troubled_google.mjs", ("gemini",), NODE[:2]),
    Column(
        "`@google/genai`, told to retry",
        "node/troubled_google.mjs",
        ("gemini",),
        PATIENT[::2],
        ((1.0, 2.0), (2.0, 4.0)),
    ),
    Column("`ai`", "node/troubled_vercel.mjs", APIS, NODE[:2], ((2.0, 2.0), (4.0, 4.0))),
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
    """All that a program plays."""
    asked = [(column, api) for column in EVERY if column.program == program for api in column.apis]
    return [Trial(api, how, case) for column, api in asked for case in cases for how in column.ways(case)]


def play(program: str, played: list[tuple[Trial, Running]], home: Path) -> dict[Trial, Told]:
    """Plays the trials, each against its server and in a session of its own.

    Raises:
        AssertionError: the program broke, or reached out.
    """
    asked = [
        _task(f"{program.replace('/', '.')}.{number}", trial, server) for number, (trial, server) in enumerate(played)
    ]
    ended = subprocess.run(
        _command(program), input=json.dumps(asked), env=environment(home), capture_output=True, text=True,
        encoding="utf-8", check=False, timeout=SECONDS, cwd=home,
    )  # fmt: skip
    assert 0 == ended.returncode, ended.stderr
    lines = [json.loads(line) for line in ended.stdout.split("\n") if line.startswith("{")]
    return {
        trial: _told(line, server.mock.journal(task["session"])["entries"], len(task["says"]))
        for (trial, server), task, line in zip(played, asked, lines, strict=True)
    }


def _command(program: str) -> list[str]:
    where, _, script = program.partition("/")
    return (
        [*node(), str(INTEROP / "js" / script)]
        if where == "node"
        else [*python(where), str(INTEROP / "clients" / script)]
    )


def _task(session: str, trial: Trial, server: Running) -> dict[str, Any]:
    access = ACCESS.get(trial.case, Access("any", (trial.case,)))
    return {**trial._asdict(), **access._asdict(), "session": session, "url": server.url, "timeout": None}


def _told(line: dict[str, Any], entries: list[dict[str, Any]], said: int) -> Told:
    """A line of a program; what its SDK slept for other reasons came before its first try."""
    asked = len(entries) - said + 1
    waits = line.pop("waits")
    keys = tuple(name for name in ("authorization", "x-api-key", "x-goog-api-key") if name in entries[-1]["headers"])
    return Told(
        **line, waits=waits[max(0, len(waits) + 1 - asked) :], asked=asked, status=entries[-1]["status"], keys=keys
    )
