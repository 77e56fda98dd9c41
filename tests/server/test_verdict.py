"""The verdict on real clients over real sockets: official SDKs, and clients by hand that do what they should not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress

import anthropic
import httpx2
import openai
import pytest
from google import genai
from google.genai import errors, types
from raw_http import CHAT, Raw, chat
from serving import serving

from llmposter.core.clock import ManualClock
from llmposter.server import Running

SCENARIO = """
[tools.book]
type = "object"

[[states.s]]
when  = 'user == "soon" and attempt < 3'
error = { name = "rate_limited", retry_after = "60ms" }

[[states.s]]
when  = 'user == "late" and attempt < 2'
error = { name = "rate_limited", retry_after = "4s" }

[[states.s]]
when  = 'user == "date" and attempt < 2'
error = { name = "overloaded", retry_after = "1s as date" }

[[states.s]]
when  = 'user == "long"'
error = { name = "rate_limited", retry_after = "3d" }

[[states.s]]
when  = 'user == "down"'
error = "overloaded"

[[states.s]]
when  = 'user == "too long"'
error = "context_length_exceeded"

[[states.s]]
when  = 'user == "again, please"'
error = { status = 400, headers = { x-should-retry = "true" } }
times = 1

[[states.s]]
when  = 'user == "spent"'
error = "quota_exceeded"

[[states.s]]
when  = 'user == "key"'
error = "invalid_api_key"

[[states.s]]
when  = 'user == "drop" and attempt == 1'
reply = "An answer that is broken off in its middle."
fault = "drop halfway"

[[states.s]]
when  = 'user == "cut" and attempt == 1'
reply = "An answer that is broken off in its middle."
fault = "close after 2 chunks"

[[states.s]]
when = 'user == "call"'
call = "book()"

[[states.s]]
reply = "ok"
"""
LIMITED = SCENARIO + '\n[[limits]]\nrequests = 1\nper = "80ms"\n'
LOCKED = """
[auth]
tokens = [{ name = "first", value = "tk-first-token", uses = 1 }, { name = "second", value = "tk-second-token" }]

[[states.s]]
reply = "ok"
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with serving(SCENARIO) as running:
        yield running


def verdicts(server: Running, session: str) -> dict[str, str]:
    """By check; several findings of one check say the same here."""
    told = server.mock.resilience(session)
    found = {each.check: each.verdict for each in told.findings}
    assert len({(each.check, each.verdict) for each in told.findings}) == len(found), told.lines()
    return found


# --- official SDKs --------------------------------------------------------------------------------------------------


def openai_asks(url: str, text: str) -> None:
    with openai.OpenAI(base_url=f"{url}/v1", api_key="sk-of-a-test") as client, suppress(openai.OpenAIError):
        client.chat.completions.create(model="m", messages=[{"role": "user", "content": text}])


def anthropic_asks(url: str, text: str) -> None:
    with anthropic.Anthropic(base_url=url, api_key="sk-of-a-test") as client, suppress(anthropic.AnthropicError):
        client.messages.create(model="m", max_tokens=9, messages=[{"role": "user", "content": text}])


def google_asks(url: str, text: str) -> None:
    retries = types.HttpRetryOptions(attempts=3, initial_delay=0.07, jitter=0.0)
    options = types.HttpOptions(base_url=url, retry_options=retries)
    # What breaks below HTTP comes as its HTTP library has it.
    with genai.Client(api_key="of-a-test", http_options=options) as client, suppress(errors.APIError, httpx2.ReadError):
        client.models.generate_content(model="m", contents=text)


RECOVERED = {"retry-after": "good", "recovery": "good"}
GIVEN_UP = {"backoff": "good", "recovery": "unknown"}


@pytest.mark.parametrize(
    "asks, text, expected",
    [
        (openai_asks, "soon", RECOVERED),
        (anthropic_asks, "soon", RECOVERED),
        (openai_asks, "date", RECOVERED),
        (openai_asks, "long", {"recovery": "unknown"}),
        (openai_asks, "down", GIVEN_UP),
        (google_asks, "down", GIVEN_UP),
        (openai_asks, "too long", {"no-retry": "good"}),
        (openai_asks, "again, please", {"backoff": "good", "recovery": "good"}),
        (openai_asks, "spent", {"no-retry": "bad"}),
        (anthropic_asks, "spent", {"no-retry": "good"}),
        (openai_asks, "key", {"credential": "unknown"}),
        (anthropic_asks, "drop", {"recovery": "good"}),
        (google_asks, "drop", {"recovery": "unknown"}),
    ],
)
def test_what_an_sdk_does(server: Running, asks: Callable[[str, str], None], text: str, expected: object) -> None:
    """It is told as docs/sdk-behaviour.md has it: what it waits for, what it tries again and what it lets be."""
    session = f"{asks.__name__}.{text.replace(' ', '-').replace(',', '')}"
    asks(server.session_url(session), text)
    assert expected == verdicts(server, session)


def test_an_sdk_that_reads_no_header_comes_back_too_early(server: Running) -> None:
    """Google's SDK waits for as long as it pleases; the finding shows how long, in what ratio to what it was told."""
    google_asks(server.session_url("hasty"), "late")
    (early,) = server.mock.resilience("hasty").bad
    assert ("retry-after", "hasty", 2) == (early.check, early.session, early.tries)
    first, second = early.evidence
    assert (429, 4.0, None) == (first.status, first.retry_after, first.wait)
    assert 0 < second.wait < 4
    assert second.ratio == pytest.approx(second.wait / 4, abs=0.001)


# --- clients by hand ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def by_hand() -> Iterator[Running]:
    """Its clock moves by what a client waits, so that a busy machine changes no verdict."""
    with serving(SCENARIO, clock="manual") as running:
        yield running


def wait(server: Running, seconds: float) -> None:
    assert isinstance(server.clock, ManualClock)
    server.clock.advance(seconds)


def again(times: int, text: str, pause: float = 0.001) -> Callable[[Running, str], None]:
    """The same request so many times in all, on one connection, each after a pause."""

    def asks(server: Running, session: str) -> None:
        with Raw(server.url) as raw:
            for n in range(times):
                wait(server, pause if n else 0)
                raw.ask("POST", f"/@{session}{CHAT}", chat(text))

    return asks


def takes_half_for_the_whole(server: Running, session: str) -> None:
    """It reads a stream to the end of the connection and never looks for the end of the answer."""
    path, history = f"/@{session}{CHAT}", [{"role": "user", "content": "cut"}]
    with Raw(server.url) as raw:
        raw.send(raw.request("POST", path, {"model": "m", "stream": True, "messages": history}, connection="close"))
        raw.head()
        body = raw.file.read()
    events = [json.loads(line[6:]) for line in body.split(b"\n") if line.startswith(b"data: {")]
    said = "".join(event["choices"][0]["delta"].get("content") or "" for event in events)
    history += [{"role": "assistant", "content": said}, {"role": "user", "content": "and?"}]
    with Raw(server.url) as raw:
        raw.ask("POST", path, {"model": "m", "messages": history})


def runs_a_tool_twice(server: Running, session: str) -> None:
    """It sends two results for one call."""
    path, history = f"/@{session}{CHAT}", [{"role": "user", "content": "call"}]
    tools = [{"type": "function", "function": {"name": "book"}}]
    with Raw(server.url) as raw:
        answer = raw.ask("POST", path, {"model": "m", "tools": tools, "messages": history}).json
        message = answer["choices"][0]["message"]
        result = {"role": "tool", "tool_call_id": message["tool_calls"][0]["id"], "content": "booked"}
        raw.ask("POST", path, {"model": "m", "tools": tools, "messages": [*history, message, result, result]})


@pytest.mark.parametrize(
    "name, asks, expected",
    [
        ("patient", again(3, "soon", 0.07), RECOVERED),
        ("deaf", again(3, "soon", 0.01), {"retry-after": "bad", "recovery": "good"}),
        ("storm", again(15, "down"), {"storm": "bad", "backoff": "bad", "recovery": "unknown"}),
        ("hammer", again(5, "down"), {"backoff": "bad", "recovery": "unknown"}),
        ("even", again(4, "down", 0.08), {"backoff": "good", "recovery": "unknown"}),
        ("once", again(2, "down"), {"backoff": "unknown", "recovery": "unknown"}),
        ("stubborn", again(3, "too long", 0.1), {"no-retry": "bad"}),
        ("same-key", again(2, "key"), {"credential": "bad"}),
        ("never", again(1, "down"), {"recovery": "unknown"}),
        ("twice", again(2, "hi"), {"twice": "unknown"}),
        ("half", takes_half_for_the_whole, {"recovery": "unknown", "truncated": "bad"}),
        ("two-results", runs_a_tool_twice, {"twice": "bad"}),
        ("well", again(1, "hi"), {}),
    ],
)
def test_what_a_client_by_hand_does(
    by_hand: Running, name: str, asks: Callable[[Running, str], None], expected: dict[str, str]
) -> None:
    """Each does one thing, and that is what is found."""
    asks(by_hand, name)
    assert expected == verdicts(by_hand, name)


def test_a_client_that_leaves_and_comes_back() -> None:
    """A time-out of its own is a try like any other, and the answer that it then has is its recovery."""
    with serving('[[states.s]]\nlatency = "2s"\nreply = "ok"\n') as server:
        with openai.OpenAI(base_url=f"{server.session_url('s')}/v1", api_key="x", timeout=0.5) as client:
            client.chat.completions.create(model="m", messages=[{"role": "user", "content": "hi"}])
        assert {"recovery": "good"} == verdicts(server, "s")
        (found,) = server.mock.resilience("s").findings
    assert "after an answer that it did not wait for" in found.message


@pytest.mark.parametrize("pause, expected", [(0.1, RECOVERED), (0.01, {"retry-after": "bad"})])
def test_a_limit_tells_when_to_come_back(pause: float, expected: dict[str, str]) -> None:
    """Who was kept out by a limit is held to what that told it, though no conversation has heard of it."""
    with serving(LIMITED, clock="manual") as server:
        again(1, "first")(server, "s")
        again(2, "second", pause)(server, "s")
        found = verdicts(server, "s")
    assert expected == {check: found[check] for check in expected}


def locked(raw: Raw, token: str, text: str) -> int:
    return raw.ask("POST", f"/@s{CHAT}", chat(text), authorization=f"Bearer {token}").status


@pytest.mark.parametrize(
    "tokens, expected",
    [
        (("tk-first-token", "tk-first-token", "tk-second-token"), {"credential": "good"}),
        (("tk-first-token", "tk-first-token", "tk-first-token", "tk-second-token"), {"credential": "bad"}),
        (("tk-first-token", "tk-first-token"), {"credential": "unknown"}),
    ],
)
def test_a_dead_token(tokens: tuple[str, ...], expected: dict[str, str]) -> None:
    """A 401 is answered with another token, with the same once more, or not at all; no token is shown whole."""
    with serving(LOCKED) as server:
        with Raw(server.url) as raw:
            for n, token in enumerate(tokens):
                locked(raw, token, "first" if n == 0 else "second")
        assert expected == verdicts(server, "s")
        assert "tk-first-token" not in json.dumps(server.mock.resilience("s").data())


def test_on_a_manual_clock() -> None:
    """Waits are what the clock was moved by; where it stood still, nobody knows how long a client waited."""
    with serving(SCENARIO, clock="manual") as server:
        for session, moves in (("still", 0.0), ("short", 0.01), ("told", 0.06)):
            again(2, "soon", moves)(server, session)
        found = {name: verdicts(server, name)["retry-after"] for name in ("still", "short", "told")}
    assert {"still": "unknown", "short": "bad", "told": "good"} == found


# --- where it is read -----------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("transport")
def test_it_is_read_over_http() -> None:
    """`GET /_llmposter/verdict` tells of one session or of all; status 200 also where something is bad."""
    with serving(SCENARIO, clock="manual") as server:
        for name, text in (("a", "too long"), ("b", "hi")):
            again(2, text)(server, name)
        with Raw(server.url) as raw:
            told = {at: raw.ask("GET", f"{at}/_llmposter/verdict") for at in ("/@a", "/@b", "")}
    assert [200] * 3 == [each.status for each in told.values()]
    assert {"/@a": (False, 1), "/@b": (True, 0), "": (False, 1)} == {
        at: (each.json["ok"], each.json["bad"]) for at, each in told.items()
    }
    (finding,) = told["/@a"].json["findings"]
    assert ("no-retry", "bad", "a", [1, 2]) == (
        finding["check"], finding["verdict"], finding["session"], [each["number"] for each in finding["evidence"]],
    )  # fmt: skip
    expected = 'bad: @a scenario c1: asked the same once more after a 400 ("context_length_exceeded"), which no retry '
    assert [f"{expected}changes (journal 1, 2)"] == told["/@a"].json["lines"]


def command(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "llmposter", "verdict", *arguments], capture_output=True, text=True, check=False,
        timeout=60, env=os.environ | env,
    )  # fmt: skip


def test_the_command_tells_it() -> None:
    """Its lines on stdout, its count on stderr, exit code 1 where something is bad; by a client's own base URL too."""
    with serving(SCENARIO, clock="manual") as server:
        again(2, "too long")(server, "a")
        again(1, "hi")(server, "b")
        bad, good = command(f"{server.session_url('a')}/v1"), command(server.url, "--session", "b")
        proxied = command(server.url, "--format", "json", http_proxy="http://127.0.0.1:9")
        lines = server.mock.resilience("a").lines()
    assert (1, lines, "1 bad, 0 good, 0 unknown\n") == (bad.returncode, bad.stdout.splitlines(), bad.stderr)
    assert (0, "", "no client met with trouble\n") == (good.returncode, good.stdout, good.stderr)
    assert (1, lines) == (proxied.returncode, json.loads(proxied.stdout)["lines"])


@pytest.mark.parametrize(
    "given, told",
    [
        (["http://127.0.0.1:9"], "nothing answers at http://127.0.0.1:9 (connection refused): is `llmposter run`"),
        (["ftp://here"], '"ftp://here" is no address of a server: write it like http://127.0.0.1:2112'),
        (["http://[::1"], '"http://[::1" is no address of a server: write it like http://127.0.0.1:2112'),
    ],
)
def test_the_command_says_why_it_cannot(given: list[str], told: str) -> None:
    """One line that says what is wrong, and exit code 2."""
    ran = command(*given)
    assert (2, "") == (ran.returncode, ran.stdout)
    assert ran.stderr.startswith(f"llmposter: {told}")
    assert 1 == ran.stderr.count("\n")


def test_the_command_knows_a_server_that_is_none() -> None:
    """A session that cannot be, and a page that is no llmposter's, are told as such."""
    with serving(SCENARIO) as server:
        ran = command(server.url, "--session", "a b")
    assert (2, True) == (ran.returncode, 'answers 400: "a b" is no session id' in ran.stderr)
