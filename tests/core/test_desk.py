"""What endpoints may ask of the mock, in the session of a request."""

from __future__ import annotations

from typing import Any

import pytest
from serving import programs

from llmposter.beside import Desk
from llmposter.core.clock import ManualClock
from llmposter.core.embedding import embedding
from llmposter.core.mock import Mock
from llmposter.core.tokens import estimate, of_turn
from llmposter.model import Connection, Failure, Message, Request, Turn

CONNECTION = Connection(1)
RULES = """
[[states.talk]]
when = 'model == "gpt-a" or model in ["gpt-b", "gpt-a"]'
reply = "hello"

[[embeddings]]
when = 'text == "first"'
times = 2
error = { name = "rate_limited", retry_after = "1s", message = "not ${text}" }

[[embeddings]]
when = 'text matches /^(?P<word>fi)/ and model == "m"'
vector = [1, 0.5]

[[embeddings]]
when = 'headers["X-Agent"] == "rag"'
vector = [2]

[[moderations]]
when = 'text mentions "kill"'
flags = ["violence", "hate/threatening"]

[[moderations]]
when = 'text contains "kill"'
flags = []

[[moderations]]
when = 'text matches /http:..(?P<host>[a-z.]+)/'
error = { status = 503, message = "no way to ${host}" }
"""
MORE = """
[scenario]
name = "more"
serves = 'user == "nobody"'

[[states.talk]]
when = 'model == "gpt-c" and "gpt-d" == model'
reply = "hello"

[[embeddings]]
when = 'text == "second"'
vector = [3]

[[embeddings]]
when = 'text == "first"'
vector = [4]
"""


def request(session: str = "", **headers: str) -> Request:
    return Request("POST", "/v1/embeddings", {}, headers, b"{}", CONNECTION, session)


def desk(*scenarios: str, mock: Mock | None = None, session: str = "", **headers: str) -> Desk:
    found = mock or Mock(programs(*scenarios), ManualClock())
    return found.desk(request(session, **headers))


def test_a_desk_knows_time_and_counts() -> None:
    """The clock is the server's, and tokens are those that usage counts."""
    clock = ManualClock(1000.0)
    asked = Mock([], clock).desk(request())
    clock.advance(5)
    turn = Turn("openai", request(), "m", False, "be brief", (Message("user", "hello there"),))
    assert (1005.0, of_turn(turn), estimate("hello")) == (asked.now(), asked.tokens(turn), asked.estimate("hello"))


def test_without_rules_a_desk_makes_vectors_and_flags_nothing() -> None:
    """A text has the vector of its words."""
    asked = desk()
    assert embedding("hello", 8) == asked.vector("hello", "m", 8)
    assert frozenset() == asked.flags("hello", "m")
    assert () == asked.models()


def test_models_are_those_that_conditions_name() -> None:
    """Of all scenarios, in their order, each once."""
    assert ("gpt-a", "gpt-b", "m", "gpt-c", "gpt-d") == desk(RULES, MORE).models()


@pytest.mark.parametrize(
    "text, model, headers, vector",
    [
        ("fine", "m", {}, (1.0, 0.5)),
        ("fine", "n", {"x-agent": "rag"}, (2.0,)),
        ("second", "m", {}, (3.0,)),
        ("third", "m", {}, embedding("third", 2)),
    ],
)
def test_the_first_rule_that_holds_gives_the_vector(text: str, model: str, headers: Any, vector: Any) -> None:
    """In the order of the scenarios, whatever they serve; its length is the author's. Without a rule the words do."""
    assert vector == desk(RULES, MORE, **headers).vector(text, model, 2)


def test_a_rule_fires_no_more_often_than_it_may() -> None:
    """In one session; another has its own count, and so has one that was reset."""
    mock = Mock(programs(RULES, MORE), ManualClock())
    failure = Failure("rate_limited", message="not first", retry_after=1.0)
    for session in ("", "other"):
        told = [desk(mock=mock, session=session).vector("first", "n", 2) for _ in range(4)]
        assert [failure, failure, (4.0,), (4.0,)] == told
    mock.reset("other")
    assert failure == desk(mock=mock, session="other").vector("first", "n", 2)
    assert (4.0,) == desk(mock=mock).vector("first", "n", 2)


@pytest.mark.parametrize(
    "text, flags",
    [
        ("I kill time", frozenset(("violence", "hate/threatening"))),
        ("a skill", frozenset()),
        ("nothing", frozenset()),
        ("http://example.com/cat.png", Failure(status=503, message="no way to example.com")),
    ],
)
def test_the_first_rule_that_holds_flags(text: str, flags: Any) -> None:
    """An empty list flags nothing, and is an answer."""
    assert flags == desk(RULES).flags(text, "m")
