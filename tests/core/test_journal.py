"""The journal: all that was asked, bounded, without secrets, honest about what is gone; and the verdict on it."""

from __future__ import annotations

import json

import pytest
from msgspec.structs import replace
from talking import PLACE, Agent, FakeMachine, StoppedClock, connection, fake_mock, program, script, turn, user

from llmposter.core import journal
from llmposter.core.mock import Mock
from llmposter.model import BadRequest, Request, Violation

TALK = script(s0={"says": "hello", "goto": "end"}, end={"says": "bye", "goto": "over"}, over={})


def test_an_entry_tells_what_was_asked_and_answered() -> None:
    """State before and after, attempt, conversation, answer, status and times are there, as JSON."""
    clock = StoppedClock(100.0)
    mock = fake_mock(TALK, clock=clock)
    got = mock.answer(turn(user("hi"), session="s", retry=0, body=b'{"model": "m"}'))
    clock.advance(2.5)
    got.entry.finished(clock.now(), 200, 17, "complete")
    (entry,) = json.loads(json.dumps(mock.journal("s")))["entries"]
    expected = {
        "number": 1, "time": 100.0, "session": "s", "outcome": "reply", "method": "POST",
        "path": "/v1/chat/completions", "provider": "openai", "model": "m", "stream": False, "retry": 0,
        "scenario": "fake", "conversation": "c1",
        "before": "s0", "after": "end", "attempt": 1, "violations": [], "foreign_from": None, "forked_from": None,
        "status": 200, "seconds": 2.5, "sent": 17, "how": "complete", "body": '{"model": "m"}', "body_cut": 0,
    }  # fmt: skip
    assert expected == {key: entry[key] for key in expected}
    assert entry["answer"]["text"] == "hello"


REQUEST = Request(
    "GET", "/wrong", {"key": "sk-very-secret"}, {"authorization": "Bearer sk-very-secret"}, b"x", connection()
)


def test_unreadable_and_unknown_requests_are_journalled() -> None:
    """A body that is no request and a path that nobody answers leave a trace, and fail `verify`."""
    mock = fake_mock(TALK)
    mock.refused(REQUEST, "openai", BadRequest("no JSON"), 400)
    mock.unrouted(REQUEST, 404, "no such path").finished(1.0, 404, 5, "complete")
    told = [(e["outcome"], e["detail"], e["status"]) for e in mock.journal()["entries"]]
    assert told == [("refused", "no JSON", 400), ("unrouted", "no such path", 404)]
    assert [problem.kind for problem in mock.verify().problems] == ["refused", "unrouted"]


def test_no_secret_is_shown() -> None:
    """Credentials in headers and query are never whole."""
    mock = fake_mock(TALK)
    secrets = dict.fromkeys(("authorization", "x-api-key", "cookie", "x-goog-api-key"), "Bearer sk-very-secret")
    mock.unrouted(replace(REQUEST, headers={**secrets, "api-key": "short", "accept": "*/*"}), 404, "")
    shown = json.dumps(mock.journal())
    assert "sk-very" not in shown
    assert "short" not in shown
    assert "Bearer sk-" in shown
    assert "*/*" in shown


def test_the_journal_is_bounded_and_says_what_it_dropped() -> None:
    """The oldest entries go; each read tells how many, and `verify` fails; other sessions lose nothing by it."""
    mock = fake_mock(TALK, journal_size=3)
    Agent(mock, session="old").ask("hi")
    for n in range(4):
        Agent(mock, session="new").ask(f"hi {n}")
    assert [mock.journal(name)["dropped"] for name in ("old", "new", None)] == [1, 1, 2]
    assert [len(mock.journal(name)["entries"]) for name in ("old", "new")] == [0, 3]
    assert [[p.kind for p in mock.verify(name).problems] for name in ("old", "new", None)] == [["dropped"]] * 3
    mock.reset("new")
    assert mock.dropped() == 1
    assert [mock.journal("new")["dropped"], mock.journal("old")["dropped"]] == [0, 1]


def test_the_journal_is_read_by_pages() -> None:
    """`after` and `limit` choose entries by number, oldest first."""
    mock = fake_mock(TALK)
    for n in range(5):
        Agent(mock).ask(f"hi {n}")
    assert [entry["number"] for entry in mock.journal(after=2, limit=2)["entries"]] == [3, 4]


def test_long_bodies_are_cut_and_the_oldest_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """No body is kept beyond a bound, nor all of them beyond another; the entries stay."""
    monkeypatch.setattr(journal, "MOST_OF_ALL_BODIES", 40)
    mock = fake_mock(TALK, body_size=10)
    for n in range(4):
        mock.answer(turn(user(f"hi {n}"), body=b"0123456789abc"))
    told = [
        (entry["body"], entry["body_cut"], entry["answer"] and entry["answer"]["text"])
        for entry in mock.journal()["entries"]
    ]
    assert told == [(None, 3, None)] * 2 + [("0123456789", 3, "hello")] * 2
    assert [entry["outcome"] for entry in mock.journal()["entries"]] == ["reply"] * 4


def test_what_is_let_go_can_still_be_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry whose body was let go keeps what tells it from others, and the error that was its answer."""
    mock = fake_mock(script(s0={"says": "x", "errors": 9}))
    for body in (b"one", b"one", b"two"):
        mock.answer(turn(user("hi"), body=body))
    before = [entry.print for entry in mock.entries()]
    monkeypatch.setattr(journal, "MOST_OF_ALL_BODIES", 0)
    mock.answer(turn(user("hi"), body=b"one"))
    after = mock.entries()
    assert [*before, before[0]] == [entry.print for entry in after]
    assert before[0] == before[1] != before[2]
    assert all(entry.light for entry in after)
    assert ["overloaded"] * 4 == [entry["answer"]["error"] for entry in mock.journal()["entries"]]


def test_what_was_dropped_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bodies of entries that are gone do not count: the last ones are always kept."""
    monkeypatch.setattr(journal, "MOST_OF_ALL_BODIES", 100)
    mock = fake_mock(TALK, journal_size=3)
    for n in range(100):
        mock.answer(turn(user(f"hi {n}"), body=b"0123456789"))
    assert [entry["body"] for entry in mock.journal()["entries"]] == ["0123456789"] * 3
    mock.answer(turn(user("hi"), body=b"x" * 90))
    assert mock.journal()["entries"][-1]["body"] == "x" * 90


def test_a_clean_run_verifies() -> None:
    """A conversation that ends where it may, without violations, is clean."""
    mock = fake_mock(TALK, program={"final": frozenset({"over"})})
    agent = Agent(mock)
    agent.ask("hi"), agent.ask("on")
    assert mock.verify().ok
    assert mock.verify().data() == {"ok": True, "problems": [], "lines": [], "chaos": []}


def test_an_unfinished_conversation_fails_verify() -> None:
    """A conversation that ended outside `scenario.final` is a problem, also when it was dropped."""
    mock = fake_mock(TALK, program={"final": frozenset({"over"})}, most_conversations=1)
    Agent(mock, session="a").ask("hi")
    (problem,) = mock.verify("a").problems
    line = '@a fake c1: the conversation ended in state "end" and should end in "over"'
    assert ("unfinished", line) == (problem.kind, problem.line())
    Agent(mock, session="b").ask("hi")
    assert [p.kind for p in mock.verify("a").problems] == ["dropped"]
    assert json.loads(json.dumps(mock.verify().data()))["ok"] is False


def violating(*messages: str) -> Mock:
    """A mock whose machine finds these violations in every request."""
    found = tuple(Violation("expect", message, "fake.toml:1:1") for message in messages)
    own = program()

    class Strict(FakeMachine):
        def advance(self, conversation, turn, moment):
            return replace(super().advance(conversation, turn, moment), violations=found)

    return fake_mock([(own, Strict(own, script(s0={"says": "x"})))])


def test_violations_fail_verify_and_are_listed() -> None:
    """Each violation is there with its conversation, kind, message and place; equal lines are told once."""
    mock = violating("it is wrong")
    agent = Agent(mock)
    agent.ask("hi"), agent.ask("on")
    expected = {
        "number": 1, "session": "", "scenario": "fake", "conversation": "c1", "state": "s0", "kind": "expect",
        "message": "it is wrong", "place": "fake.toml:1:1",
    }  # fmt: skip
    assert expected == mock.violations()[0]
    assert mock.verify().lines() == ["fake.toml:1:1: fake c1: it is wrong (2 times)"]
    assert mock.violations("other") == []


def test_a_repeated_answer_repeats_no_violation() -> None:
    """A lost answer that is sent again does not count its violations twice."""
    mock, on = violating("it is wrong"), connection()
    for count in (1, 2):
        mock.answer(turn(user("hi"), on=on, retry=count))
    assert len(mock.violations()) == 1


def test_a_miss_fails_verify_with_its_explanation() -> None:
    """A request that no rule matched is a problem, whatever the scenario answers it with."""
    mock = fake_mock(script(s0={}))
    Agent(mock).ask("hi")
    assert [(p.kind, p.message) for p in mock.verify().problems] == [("miss", "nothing in s0")]


def test_scenarios_are_told() -> None:
    """Each scenario with its file, states and rules."""
    mock = fake_mock(TALK, program={"states": {"s0": (), "end": ()}, "final": frozenset({"end"})})
    (told,) = json.loads(json.dumps(mock.scenarios()))
    assert ("fake", PLACE.source.name, "s0", ["end"], {"s0": [], "end": []}) == tuple(
        told[key] for key in ("name", "file", "start", "final", "states")
    )
