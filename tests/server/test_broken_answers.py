"""What a conversation makes of an answer that a fault broke, and how the journal tells it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from raw_http import Raw
from serving import serving

from llmposter.server import Running

TWICE = """
[[states.begin]]
when  = "attempt == 1"
reply = "This answer never comes to its end, for it is broken."
fault = "close after 2 chunks"
goto  = "broke"

[[states.broke]]
when  = "attempt > 1"
reply = "The second attempt is whole."
goto  = "whole"

[[states.broke]]
reply = "The half was taken for the whole."

[[states.whole]]
reply = "The whole was heard."
"""
HEARD = "This answer never comes to its end, for "
"""What two chunks of 20 characters hold."""


def said(*texts: str) -> list[dict[str, str]]:
    return [{"role": ("user", "assistant")[n % 2], "content": text} for n, text in enumerate(texts)]


def ask(server: Running, *texts: str, stream: bool = False, path: str = "/v1/chat/completions") -> bytes:
    """The body as far as it comes, the connection read to its end."""
    with Raw(server.url) as raw:
        raw.send(
            raw.request("POST", path, {"model": "m", "stream": stream, "messages": said(*texts)}, connection="close")
        )
        raw.head()
        raw.socket.settimeout(5)
        return raw.file.read1() if not stream else raw.file.read()


def text(body: bytes) -> str:
    return json.loads(body)["choices"][0]["message"]["content"]


def entries(server: Running) -> list[dict[str, Any]]:
    return server.mock.journal()["entries"]


def test_the_next_request_is_the_next_attempt() -> None:
    """A broken answer counts as an error: its `goto` is taken, no answer is counted, and a retry is attempt 2."""
    with serving(TWICE) as server:
        assert HEARD == text_of_stream(ask(server, "hi", stream=True))
        assert "The second attempt is whole." == text(ask(server, "hi"))
        assert "The whole was heard." == text(ask(server, "hi", "The second attempt is whole.", "and?"))
        assert [(1, "closed"), (2, "complete"), (1, "complete")] == [(e["attempt"], e["how"]) for e in entries(server)]
        assert server.mock.verify().ok


def test_a_truncated_answer_that_is_taken_for_a_whole_one_is_a_violation() -> None:
    """The conversation goes on as the `goto` says, and one violation names the fault and where it stands."""
    with serving(TWICE) as server:
        assert HEARD == text_of_stream(ask(server, "hi", stream=True))
        assert "The half was taken for the whole." == text(ask(server, "hi", HEARD, "and?"))
        assert "The half was taken for the whole." == text(
            ask(server, "hi", HEARD, "and?", "The half was taken for the whole.", "so?")
        )
        told = 'a truncated answer was taken for a whole one: the fault "close after 2 chunks" had broken it'
        found = [violation for entry in entries(server) for violation in entry["violations"]]
        assert [("truncated", told, "scenario.toml:5:9")] == [(v["kind"], v["message"], v["place"]) for v in found]


ONCE = """
[[states.begin]]
reply = "One two three four five six seven eight nine ten eleven twelve."
fault = %s
goto = "on"

[[states.on]]
reply = "Went on."
"""
SHOWN = {
    "'duplicate after 1 chunk'": [],
    "'duplicate every event'": [],
    "'stall 1ms halfway'": [],
    r"""'send ": keep-alive\n\n" after 1 chunk'""": [],
    "'send \"oops\" after 1 chunk'": ["truncated"],
    "'corrupt before the end'": [],
    "'corrupt after 1 chunk'": ["truncated"],
    "'close after 70 bytes'": ["truncated"],
    "'close before the end'": ["truncated"],
    "'error overloaded halfway'": ["truncated"],
}
"""Faults, and the violations of a client that leaves out what it cannot read and goes on from the rest."""


@pytest.mark.parametrize("fault", SHOWN)
def test_a_conversation_goes_on_from_whatever_a_fault_left(fault: str) -> None:
    """It is no foreign history, here and on a new server; the first tells what was taken for whole."""
    with serving(ONCE % fault) as server:
        shown = text_of_stream(ask(server, "hi", stream=True))
        assert "Went on." == text(ask(server, "hi", shown, "and?"))
        last = entries(server)[-1]
        assert (None, SHOWN[fault]) == (last["foreign_from"], [each["kind"] for each in last["violations"]])
    with serving(ONCE % fault) as server:
        assert "Went on." == text(ask(server, "hi", shown, "and?"))
        assert [None] == [entry["foreign_from"] for entry in entries(server)]


def test_another_answer_is_foreign_whatever_fault_its_rule_has() -> None:
    """What was never a part of the answer is not taken for what a fault left of it."""
    with serving(ONCE % "'stall 1ms halfway'") as server:
        ask(server, "hi", "Thirteen.", "and?")
        assert [1] == [entry["foreign_from"] for entry in entries(server)]


def text_of_stream(body: bytes) -> str:
    """What the chunks of an OpenAI stream say."""
    events = [line[6:] for line in body.decode().splitlines() if line.startswith("data: {") and line.endswith("}")]
    read = [json.loads(event) for event in events if "<corrupt>" not in event]
    return "".join(each["choices"][0]["delta"].get("content") or "" for each in read if "choices" in each)


def test_a_fault_without_its_point_leaves_the_answer_whole() -> None:
    """Nothing happens, the conversation moves on, and the journal says that the fault did not strike."""
    scenario = (
        "[[states.begin]]\nreply = 'One.'\nfault = 'drop after 9 chunks'\ngoto = 'two'\n"
        "[[states.two]]\nreply = 'Two.'\n"
    )
    with serving(scenario) as server:
        assert "One." == text(ask(server, "hi"))
        assert "Two." == text(ask(server, "hi", "One.", "and?"))
        assert [[{"fault": "drop after 9 chunks", "after": None}], []] == [e["faults"] for e in entries(server)]


def test_the_journal_tells_where_a_fault_struck_and_how_the_answer_ended() -> None:
    """Bytes of the body before it, as many as were sent."""
    with serving(TWICE) as server:
        ask(server, "hi", stream=True)
        (entry,) = entries(server)
        assert [{"fault": "close after 2 chunks", "after": entry["sent"]}] == entry["faults"]
        assert entry["sent"] > 0


def test_a_restarted_server_steps_over_what_was_broken() -> None:
    """A history shows only the answer that came whole; a replay finds where it leads."""
    with serving(TWICE) as server:
        assert "The whole was heard." == text(ask(server, "hi", "The second attempt is whole.", "and?"))
        assert [None] == [entry["foreign_from"] for entry in entries(server)]


def test_a_rule_with_a_fault_alone_takes_the_request() -> None:
    """A page of a gateway in place of an answer; the next attempt gets through."""
    scenario = (
        "[[states.begin]]\ntimes = 1\nfault = '''send 502 \"<h1>Bad gateway</h1>\" as text/html'''\n"
        "[[states.begin]]\nreply = 'Up again.'\n"
    )
    with serving(scenario) as server, Raw(server.url) as raw:
        answer = raw.ask("POST", "/v1/chat/completions", {"model": "m", "messages": said("hi")})
        assert (502, b"<h1>Bad gateway</h1>") == (answer.status, answer.body)
        assert answer.headers["content-type"].startswith("text/html")
        again = raw.ask("POST", "/v1/chat/completions", {"model": "m", "messages": said("hi")})
        assert "Up again." == text(again.body)
        assert [1, 2] == [entry["attempt"] for entry in entries(server)]


def test_a_fault_of_chaos_leaves_the_conversation_where_it_was() -> None:
    """The answer is still there to be had by a retry."""
    scenario = (
        "chaos = { rate = 1.0, faults = ['close halfway'] }\n"
        "[[states.begin]]\nreply = 'One.'\ngoto = 'two'\n[[states.two]]\nreply = 'Two.'\n"
    )
    with serving(scenario) as server:
        ask(server, "hi", stream=True)
        (entry,) = entries(server)
        assert ("begin", "begin", "close halfway", "closed") == tuple(
            entry[key] for key in ("before", "after", "chaos", "how")
        )


@pytest.mark.parametrize("transport", ["fast", "tornado"])
def test_both_transports_break_alike(transport: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fall-back does with a fault what the fast one does."""
    monkeypatch.setenv("LLMPOSTER_TRANSPORT", transport)
    with serving(TWICE) as server:
        assert HEARD == text_of_stream(ask(server, "hi", stream=True))
        assert ["closed"] == [entry["how"] for entry in entries(server)]


def test_rules_for_inputs_have_faults_too() -> None:
    """The answer of embeddings is one body, of which half comes."""
    scenario = "[[states.begin]]\nreply = 'Hello.'\n[[embeddings]]\nfault = 'close halfway'\n"
    with serving(scenario) as server, Raw(server.url) as raw:
        raw.send(raw.request("POST", "/v1/embeddings", {"model": "m", "input": "hi"}))
        status, headers = raw.head()
        body = raw.file.read()
        assert 200 == status
        assert int(headers["content-length"]) // 2 == len(body)
