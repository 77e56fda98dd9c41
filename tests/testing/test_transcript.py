"""What a transcript shows of every kind of request and answer; `LLMPOSTER_GOLDEN=write` writes the files again."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from agents import Agent, posted

from llmposter import Server
from llmposter.testing import failures, transcript

GOLDEN = Path(__file__).parent / "transcripts"
BOTH = """
[[states.a]]
when = "turn == 1"
call = ["f(x: 1)", "g(y: 'a', z: [1, {b: null}])"]
reply = "Both"
[[states.a]]
reply = "Done"
"""
HELLO = '[[states.talk]]\nreply = "Hello!"\n'


def told(server: Server) -> str:
    """All that the server knows, as a failed assertion shows it."""
    return "\n\n".join("\n".join(each) for each in failures._everything(server._observed()) if each)


def again(server: Server) -> None:
    body = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
    for count in ("0", "1"):
        headers = {"x-stainless-retry-count": count}
        httpx.post(f"{server.openai_url}/chat/completions", json=body, headers=headers)


def calls(server: Server) -> None:
    agent = Agent(server.openai_url, [{"type": "function", "function": {"name": name}} for name in "fg"])
    first = agent.say("both")
    one, other = first["tool_calls"]
    agent.messages.append({"role": "tool", "tool_call_id": other["id"], "content": "2\n3"})
    agent.send({"role": "tool", "tool_call_id": one["id"], "content": "x" * 300})


def parts(server: Server) -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    content = [{"type": "text", "text": "What is\nthis?"}, image, image]
    body = {"model": "m", "messages": [{"role": "user", "content": content}]}
    httpx.post(f"{server.openai_url}/chat/completions", json=body)


def streamed(server: Server) -> None:
    body = {"model": "m", "stream": True, "messages": [{"role": "user", "content": "hi"}]}
    with suppress(httpx.RemoteProtocolError):
        httpx.post(f"{server.openai_url}/chat/completions", json=body)


def beside(server: Server) -> None:
    httpx.get(f"{server.openai_url}/models")
    httpx.post(f"{server.openai_url}/embeddings", json={"model": "m", "input": "hi"})


def many(server: Server) -> None:
    agent = Agent(server.openai_url)
    for n in range(23):
        agent.say(f"message {n}")


def apart(server: Server) -> None:
    for n in range(5):
        posted(server.session(f"s{n}").openai_url, f"hi {n}")


def limited(server: Server) -> None:
    posted(server.openai_url, "one")
    posted(server.openai_url, "two")


CASES: dict[str, tuple[str, Callable[[Server], None]]] = {
    "asked_again": (HELLO, again),
    "two_calls": (BOTH, calls),
    "images": (HELLO, parts),
    "a_broken_stream": ('[[states.a]]\nreply = "Hello there"\nfault = "close after 1 chunk"\n', streamed),
    "beside": (HELLO, beside),
    "a_long_talk": (HELLO, many),
    "many_conversations": (HELLO, apart),
    "a_limit": ('[[limits]]\nrequests = 1\nper = "1h"\n' + HELLO, limited),
    "thoughts": ('[[states.a]]\nthink = "Hm"\nreply = "Yes"\n', lambda server: posted(server.openai_url, "hi")),
    "a_refusal": ('[[states.a]]\nrefuse = "I will not"\n', lambda server: posted(server.openai_url, "hi")),
    "an_error_by_status": ("[[states.a]]\nerror = 418\n", lambda server: posted(server.openai_url, "hi")),
    "passed_through": (
        '[[states.a]]\ngoto = "b"\n[[states.b]]\nreply = "B"\ngoto = "c"\n[[states.c]]\nreply = "C"\n',
        lambda server: posted(server.openai_url, "hi"),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_transcript_reads_by_itself(name: str) -> None:
    """Requests, answers and what became of them, each in a line or two, and no more than can be read."""
    scenario, drive = CASES[name]
    with Server(scenario, clock="manual") as server:
        drive(server)
        shown = told(server)
    file = GOLDEN / f"{name}.txt"
    if os.environ.get("LLMPOSTER_GOLDEN") == "write":
        file.write_text(f"{shown}\n", encoding="utf-8")
    assert file.read_text(encoding="utf-8") == f"{shown}\n"


def test_every_file_is_of_a_case() -> None:
    """None is left over."""
    assert sorted(CASES) == sorted(file.stem for file in GOLDEN.iterdir())


def test_long_texts_are_cut_into_one_line() -> None:
    """A transcript has a bound however long a text is."""
    assert f"a\\nb{'x' * (transcript.LONGEST - 5)}…" == transcript.short("a\nb" + 1000 * "x")
    assert json.dumps("a") == transcript.short('"a"')
