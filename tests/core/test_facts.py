"""What rules see of a request and of the conversation it belongs to."""

from __future__ import annotations

from typing import Any

import pytest
from machines import got, result, said, turn, use
from msgspec.structs import replace

from llmposter.core.chance import Chance
from llmposter.core.conversation import Conversation, Moment
from llmposter.core.facts import Facts
from llmposter.model import Message, Turn
from llmposter_dsl import facts as vocabulary
from llmposter_dsl.program import Duration
from llmposter_dsl.types import kind_of

LOOP = (
    "Weather in Paris and Rome?",
    said("", use("1", "get_weather", {"city": "Paris"}), use("2", "get_weather", {"city": "Rome"}), use("3", "clock")),
    got(result("1", {"temp": 22}), result("2", {"error": "no such city"}), result("3", "12:30")),
)
FULL = turn(
    *LOOP,
    model="gpt-x",
    stream=True,
    system="Be brief.\nBe kind.",
    tools=("get_weather", "clock"),
    params={"temperature": 0.5, "stop": ["x"]},
    metadata={"run": 7},
    headers={"x-session-id": "s1"},
    query={"v": "2"},
    body=b'{"messages": [{"role": "user"}]}',
)
STANDS = Conversation(
    "ask", {"city": "Rome"}, {"ask": 2}, {"ask#1": 3}, answers=4, began=100.0, entered=150.0, last=160.0
)
NOW = Moment(200.0, attempt=2, conversation="c9", session="s", fingerprint="ab")
PICTURE = turn("one", said("two"), Message("user", "three", images=2, files=1), said("four"))
EMPTY = turn()


def facts(asked: Turn, stands: Conversation = STANDS, moment: Moment = NOW) -> Facts:
    return Facts(asked, stands, Chance(0, moment))


@pytest.mark.parametrize(
    "asked, fact, value",
    [
        (FULL, "user", "Weather in Paris and Rome?"),
        (PICTURE, "user", "three"),
        (EMPTY, "user", ""),
        (FULL, "system", "Be brief.\nBe kind."),
        (PICTURE, "assistant", "four"),
        (FULL, "assistant", ""),
        (FULL, "last", "tool"),
        (PICTURE, "last", "assistant"),
        (EMPTY, "last", "user"),
        (FULL, "turn", 5),
        (FULL, "tools", ["get_weather", "clock"]),
        (FULL, "model", "gpt-x"),
        (FULL, "path", "/v1/chat/completions"),
        (FULL, "stream", True),
        (FULL, "provider", "openai"),
        (FULL, "metadata", {"run": 7}),
        (FULL, "headers", {"x-session-id": "s1"}),
        (FULL, "query", {"v": "2"}),
        (PICTURE, "images", 2),
        (PICTURE, "files", 1),
        (FULL, "images", 0),
        (FULL, "body", {"messages": [{"role": "user"}]}),
        (turn("x", body=b"\xff"), "body", None),
        (turn("x", body=b"[" * 100_000), "body", None),
        (FULL, "state", "ask"),
        (FULL, "attempt", 2),
        (FULL, "visits", 3),
        (FULL, "conversation", "c9"),
        (FULL, "token", None),
        (PICTURE, "results", []),
        (PICTURE, "result", None),
    ],
)
def test_facts(asked: Turn, fact: str, value: Any) -> None:
    """Each fact has the value that the reference gives it."""
    assert value == getattr(facts(asked), fact)


def test_every_fact_of_the_language_is_answered_with_its_type() -> None:
    """There is no fact in the language's table that the engine lacks, and none of another type."""
    for asked in (FULL, PICTURE, EMPTY):
        env = facts(asked)
        for name, fact in vocabulary.RULE.facts.items():
            kind = kind_of(getattr(env, name))
            assert fact.type.kind in ("json", kind) or (fact.type.maybe and kind == "null"), name


def test_results_carry_their_calls() -> None:
    """A result has the tool and the arguments of the call it answers, its JSON, and whether it tells of an error."""
    paris, rome, clock = facts(FULL).results
    assert paris == {
        "tool": "get_weather",
        "id": "1",
        "arguments": {"city": "Paris"},
        "text": '{"temp": 22}',
        "json": {"temp": 22},
        "error": False,
    }
    assert (rome["arguments"], rome["error"]) == ({"city": "Rome"}, True)
    assert (clock["tool"], clock["json"], clock["error"]) == ("clock", None, False)
    assert facts(FULL).result == clock
    assert facts(FULL).result_of("get_weather") == rome
    assert facts(FULL).result_of("other") is None


@pytest.mark.parametrize(
    "text, flag, error",
    [
        ("fine", None, False),
        ("Error: no such city", None, True),
        ("An Error", None, False),
        ('{"error": "boom"}', None, True),
        ('{"error": {"code": 5}}', None, True),
        ('{"error": null}', None, False),
        ('{"error": false}', None, False),
        ('["error"]', None, False),
        ("Error: told otherwise", False, False),
        ("fine", True, True),
    ],
)
def test_a_result_tells_of_an_error(text, flag, error) -> None:
    """The client's flag decides; without one, JSON with an `error` that is something, or text that begins so."""
    asked = turn("x", said("", use("1", "t")), got(result("1", text, error=flag)))
    assert error is facts(asked).result["error"]


def test_the_latest_call_of_an_id_counts() -> None:
    """Clients that count their calls anew in each answer use ids again; a result belongs to the latest call."""
    asked = turn(
        "x", said("", use("1", "old")), got(result("1", "a")), said("", use("1", "new")), got(result("1", "b"))
    )
    assert [{**facts(asked).result, "text": "b"}] == facts(asked).results
    assert facts(asked).result["tool"] == "new"


def test_results_after_the_last_assistant_message_only() -> None:
    """Results stand until the assistant speaks again, also where the user has added something."""
    loop = ("x", said("", use("1", "t")), got(result("1", "a")))
    assert [each["text"] for each in facts(turn(*loop, "go on")).results] == ["a"]
    assert facts(turn(*loop, said("done"), "next")).results == []


def test_messages_are_plain_data() -> None:
    """The history without system messages, calls with parsed arguments; arguments that are no JSON stay text."""
    asked = turn(Message("system", "hidden"), "hi", said("yes", use("1", "t", "{broken")))
    assert facts(asked).messages == [
        {"role": "user", "text": "hi", "calls": [], "results": []},
        {
            "role": "assistant",
            "text": "yes",
            "calls": [{"tool": "t", "id": "1", "arguments": "{broken"}],
            "results": [],
        },
    ]


def test_params_are_all_there() -> None:
    """Every parameter of the language is there; one that was not sent is null."""
    params = facts(FULL).params
    assert (params["temperature"], params["stop"], params["max_tokens"]) == (0.5, ["x"], None)
    assert set(params) == set(vocabulary.PARAMS.fields or ())


def test_headers_ignore_case() -> None:
    """A header is found however its name is written."""
    assert facts(FULL).headers["X-Session-ID"] == "s1"
    assert "X-SESSION-id" in facts(FULL).headers


def test_durations_never_go_back() -> None:
    """`elapsed`, `idle` and `age` are durations, and zero if the clock was set back."""
    env = facts(FULL)
    assert (env.elapsed, env.idle, env.age) == (50.0, 40.0, 100.0)
    assert all(isinstance(value, Duration) for value in (env.elapsed, env.idle, env.age))
    assert facts(FULL, moment=replace(NOW, now=0.0)).elapsed == 0.0


def test_a_fact_is_worked_out_once_and_only_when_asked() -> None:
    """Nothing is worked out beforehand, and asking again gives the same object."""
    env = facts(FULL)
    assert "messages" not in env.__dict__
    assert env.messages is env.messages
    assert "results" not in env.__dict__


def test_a_name_that_is_no_fact_is_an_error() -> None:
    """The checker lets no such name pass; should one come, it is told."""
    with pytest.raises(AttributeError, match="usr"):
        _ = facts(FULL).usr


@pytest.mark.parametrize(
    "now, text",
    [
        (0.0, "1970-01-01T00:00:00Z"),
        (1_800_000_000.9, "2027-01-15T08:00:00Z"),
        (1e300, "9999-12-31T23:59:59Z"),
        (-5.0, "1970-01-01T00:00:00Z"),
    ],
)
def test_now_is_text(now: float, text: str) -> None:
    """`now()` is the server's time in ISO 8601, UTC, whatever the clock says."""
    assert text == facts(FULL, moment=replace(NOW, now=now)).now()
