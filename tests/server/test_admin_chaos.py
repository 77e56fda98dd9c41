"""The admin API for chaos: set for one session or for all, in the words of a file, and taken away again."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from raw_http import CHAT, Raw, chat
from serving import serving

from llmposter.server import Running

pytestmark = pytest.mark.usefixtures("transport")

SCENARIO = """
[chaos]
rate   = 1
errors = ["timeout"]

[[states.s]]
reply = "ok"
"""
PATH = "/_llmposter/chaos"
BROKEN = {"rate": 1, "errors": ["overloaded"]}
NONE = {"rate": 0}
NUMBERS = count()


@pytest.fixture
def server() -> Iterator[Running]:
    with serving(SCENARIO, clock="manual") as running:
        yield running


@pytest.fixture
def raw(server: Running) -> Iterator[Raw]:
    with Raw(server.url) as connection:
        yield connection


def put(raw: Raw, body: object, session: str = "") -> tuple[int, Any]:
    answer = raw.ask("PUT", f"{session and f'/@{session}'}{PATH}", body)
    return answer.status, answer.json


def status(raw: Raw, session: str = "") -> int:
    """Of a request that nobody sent before."""
    return raw.ask("POST", f"{session and f'/@{session}'}{CHAT}", chat(f"request {next(NUMBERS)}")).status


def test_chaos_is_set_told_and_taken_away(raw: Raw) -> None:
    """PUT sets it for a session or for all, GET tells it, DELETE leaves it to the scenario again."""
    assert 504 == status(raw)
    assert (200, {"ok": True, "session": None, "chaos": {"rate": 0.0, "faults": [], "errors": []}}) == put(raw, NONE)
    assert 200 == status(raw)
    assert 200 == put(raw, BROKEN, "a")[0]
    assert [503, 200] == [status(raw, session) for session in ("a", "b")]
    shown = [raw.ask("GET", f"{at}{PATH}").json["chaos"] for at in ("/@a", "/@b", "")]
    assert [["overloaded"], [], []] == [each["errors"] for each in shown]
    assert {"rate": 0.0, "faults": [], "errors": []} == raw.ask("DELETE", f"/@a{PATH}").json["chaos"]
    assert 200 == status(raw, "a")
    assert raw.ask("DELETE", PATH).json["chaos"] is None
    assert 504 == status(raw, "a")


def test_reset_clears_it(raw: Raw) -> None:
    """A session that is reset has the chaos of all; a server that is reset that of its scenarios."""
    put(raw, NONE)
    put(raw, BROKEN, "a")
    raw.ask("POST", "/@a/_llmposter/reset")
    assert 200 == status(raw, "a")
    raw.ask("POST", "/_llmposter/reset")
    assert 504 == status(raw, "a")


def test_the_journal_and_verify_tell_which_requests_it_took(raw: Raw) -> None:
    """An entry says what took its request; `verify` lists the numbers."""
    status(raw)
    put(raw, NONE)
    status(raw)
    entries = raw.ask("GET", "/_llmposter/journal").json["entries"]
    assert ["error timeout", None] == [entry["chaos"] for entry in entries]
    verdict = raw.ask("GET", "/_llmposter/verify").json
    assert (True, [entries[0]["number"]]) == (verdict["ok"], verdict["chaos"])


@pytest.mark.parametrize(
    "body, told",
    [
        (b"{", 'the body is not JSON: send {"rate": 0.2, '),
        ([], 'the body is no object: send {"rate": 0.2, '),
        ({}, "`rate` is missing here"),
        ({"rate": 20, "faults": "drop"}, "rate: `rate` is `20`, expected a number from 0 to 1; write `0.2` for 20%"),
        ({"rate": 1}, 'this chaos has neither `faults` nor `errors`; write `faults: ["drop"]`'),
        ({"rate": 1, "faults": ["drop", "reset"]}, "faults[1]: unknown fault `reset`; did you mean `drop`?"),
        ({"rate": 1, "errors": [{"name": "overload"}]}, "errors[0].name: unknown error `overload`; did you mean"),
        ({"rate": 1, "error": [500]}, "error: unknown key `error`; did you mean `errors`?"),
        ({"rate": "1", "faults": "drop"}, "rate: `rate` is a text, expected a number from 0 to 1"),
        ({"rate": 1, "errors": [{"name": "timeout", "message": "${usr}"}]}, "errors[0].message: unknown name `usr`"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_as_in_a_file(raw: Raw, body: object, told: str) -> None:
    """What is wrong, where in the body, and what would be right; nothing is set."""
    status, answer = put(raw, body)
    assert 400 == status
    assert told in answer["error"]["message"]
    assert raw.ask("GET", PATH).json["chaos"] is None


def test_other_methods_are_told_what_there_is(raw: Raw) -> None:
    """PATCH is none of its methods."""
    answer = raw.ask("PATCH", PATH, BROKEN)
    assert (405, "GET, PUT, DELETE, OPTIONS") == (answer.status, answer.headers["allow"])
    assert "takes GET, PUT, DELETE, not PATCH" in answer.json["error"]["message"]
