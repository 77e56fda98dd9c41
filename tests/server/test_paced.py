"""Paced streams over a socket, on the manual clock: what comes is what the clock has reached."""

from __future__ import annotations

import json
import select
from contextlib import closing
from typing import Any

import pytest
from judging import judges
from raw_http import CHAT, Raw, chat
from serving import serving

from llmposter.server import Running

pytestmark = pytest.mark.usefixtures("transport")

SCENARIO = """
[[states.a]]
reply = "one two three"
stream = { chunk = "1 word", ttft = "2s", pace = "1 word/s" }
"""
HI = [{"role": "user", "content": "hi"}]
ASKED: dict[str, tuple[str, dict[str, Any]]] = {
    "openai": (CHAT, chat("hi", stream=True)),
    "responses": ("/v1/responses", {"model": "m", "input": "hi", "stream": True}),
    "anthropic": ("/v1/messages", {"model": "m", "max_tokens": 9, "messages": HI, "stream": True}),
    "gemini": (
        "/v1beta/models/m:streamGenerateContent?alt=sse",
        {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]},
    ),
}


def ask(raw: Raw, wire: str) -> None:
    path, body = ASKED[wire]
    raw.send(raw.request("POST", path, body, content_type="application/json"))
    assert raw.head()[0] == 200


def words(data: bytes) -> list[str]:
    """The words of the answer that stand in some of its bytes."""
    return [word for word in ("one", "two", "three") if f'"{word}"'.encode() in data or f'" {word}"'.encode() in data]


def quiet(raw: Raw) -> bool:
    """Nothing has come, and nothing comes in a moment."""
    return not select.select([raw.socket], [], [], 0.05)[0]


@pytest.mark.parametrize("wire", ASKED)
def test_a_chunk_comes_when_the_clock_reaches_it(wire: str) -> None:
    """The head at once, then one word a second after the first, and the end with the last; nothing between."""
    with serving(SCENARIO, clock="manual") as server, Raw(server.url) as raw:
        ask(raw, wire)
        if wire != "gemini":
            assert [] == words(raw.chunk())
        for seconds, word in ((1.9, None), (0.1, "one"), (0.5, None), (0.5, "two"), (1.0, "three")):
            assert quiet(raw)
            server.clock.advance(seconds)
            if word is not None:
                # The end of the Responses API says all once more.
                assert word in words(raw.chunk())
        rest = b"".join(iter(raw.chunk, b""))
        assert [] == words(rest)


@pytest.mark.parametrize("wire", ASKED)
def test_all_that_is_due_comes_at_once(wire: str) -> None:
    """A clock that leaps does not have to be moved once more for each chunk on the way."""
    with serving(SCENARIO, clock="manual") as server, Raw(server.url) as raw:
        ask(raw, wire)
        server.clock.advance(60)
        assert ["one", "two", "three"] == words(b"".join(iter(raw.chunk, b"")))
        (entry,) = server.mock.journal()["entries"]
        assert "complete" == entry["how"]


def paced(server: Running, raw: Raw, steps: int, seconds: float) -> list[bytes]:
    raw.send(raw.request("POST", CHAT, chat("hi", stream=True), content_type="application/json"))
    raw.head()
    raw.chunk()
    got = []
    for _ in range(steps):
        server.clock.advance(seconds)
        got.append(raw.chunk())
    return got


def test_small_steps_of_the_clock_reach_what_their_sum_does() -> None:
    """Sums of Unix times are not exact, and yet a chunk that is due after 50 steps of 20 ms comes with the 50th."""
    scenario = (
        f"[[states.a]]\nreply = '{'word ' * 60}'\nstream = {{ chunk = '1 word', ttft = '20ms', pace = '20ms' }}\n"
    )
    with serving(scenario, clock="manual") as server, Raw(server.url) as raw:
        got = paced(server, raw, 50, 0.02)
        assert [b"word"] * 50 == [
            json.loads(data[6:])["choices"][0]["delta"]["content"].strip().encode() for data in got
        ]
        assert quiet(raw)


def test_a_slow_reader_delays_only_itself() -> None:
    """Who reads nothing holds its own stream up, and gets what is late at once; another one has its words in time."""
    long = "Q" * 8_000_000
    scenario = (
        f"[[states.a]]\nwhen = 'user == \"long\"'\nreply = '{long}'\n"
        "stream = { chunk = '100000 characters', ttft = '1s', pace = '1s' }\n"
        "[[states.a]]\nreply = 'one two three'\nstream = { chunk = '1 word', ttft = '1s', pace = '1s' }\n"
    )
    with serving(scenario, clock="manual") as server, Raw(server.url) as slow, Raw(server.url) as quick:
        for raw, said in ((slow, "long"), (quick, "hi")):
            raw.send(raw.request("POST", CHAT, chat(said, stream=True), content_type="application/json"))
            raw.head()
            raw.chunk()
        server.clock.advance(200)
        assert ["one", "two", "three"] == words(b"".join(iter(quick.chunk, b"")))
        (pending,) = [entry for entry in server.mock.journal()["entries"] if entry["how"] == "pending"]
        assert pending["sent"] < len(long)
        assert len(long) == b"".join(iter(slow.chunk, b"")).count(b"Q")


def test_the_real_clock_paces_too() -> None:
    """Chunks come one by one, in order, without anybody moving a clock."""
    scenario = SCENARIO.replace("2s", "20ms").replace("1 word/s", "200 words/s")
    with serving(scenario) as server, Raw(server.url) as raw:
        ask(raw, "openai")
        chunks = list(iter(raw.chunk, b""))
        assert ["one", "two", "three"] == words(b"".join(chunks))
        assert len(chunks) > 1


SPOKEN = """
[defaults.stream]
chunk = "1 word"
ttft = "5ms"
pace = "500 words/s"
jitter = "±50%"
burst = 0.3

[[states.a]]
think = "I had better look it up."
call = 'find(what: "the sea")'
goto = "b"

[[states.b]]
reply = "It is wide and deep."
"""


@pytest.mark.parametrize("wire", ASKED)
def test_the_official_sdk_hears_a_paced_stream_whole(wire: str) -> None:
    """Reasoning, a call and a text, spoken word by word on the real clock, are what the scenario says."""
    with serving(SPOKEN) as server, closing(judges()[wire].agent(server.url, stream=True)) as agent:
        (call,) = agent.say("what of the sea?").calls
        assert {"what": "the sea"} == json.loads(call.arguments)
        heard = agent.result((call, "wide"))
        assert (("It is wide and deep.",), "stop") == (heard.texts, heard.finish)
