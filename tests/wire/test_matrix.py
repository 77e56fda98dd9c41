"""Every wire, held alike: what its SDK hears, strictly read, is what was said.

Nothing here knows a provider. What a provider cannot say, its judge takes off in `within`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest
from captured import asked
from judging import TOOLS, Heard, judges, said
from speaker import Speaker, speaking
from wire_cases import CHUNKS, FAILURES, NAMES, REPLIES, reply

from llmposter.core.delivery import pieces
from llmposter.model import BadRequest, Failure, Miss, Reply, Response, Text
from llmposter.wire import load

WIRES = sorted(load().keys() & judges().keys())
WAYS = [pytest.param(False, id="plain"), pytest.param(True, id="streamed")]
FINISHES = ("stop", "length", "tool_calls", "content_filter", "pause")
SAID = {**REPLIES, **{f"ends with {word}": reply(Text("It is so."), finish=word) for word in FINISHES}}


def expected(wire: str, reply: Reply) -> Heard:
    return judges()[wire].within(said(reply))


def without_raw(heard: Heard) -> Heard:
    assert heard.raw
    return heard._replace(raw="")


def named(answer: Response) -> dict[str, str]:
    return {name.lower(): value for name, value in answer.headers}


def test_every_wire_has_a_judge() -> None:
    """No wire goes unjudged, and no judge is without a wire."""
    assert load().keys() == judges().keys()


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("stream", WAYS)
def test_the_small_request_is_understood(wire: str, *, stream: bool) -> None:
    """Its own request says "hi", declares both tools and breaks nothing."""
    turn = asked(wire, stream=stream)
    assert (wire, stream, "", ()) == (turn.provider, turn.stream, turn.system, turn.breaches)
    assert [("user", "hi")] == [(message.role, message.text) for message in turn.messages]
    assert TOOLS == {tool.name: tool.parameters for tool in turn.tools}
    assert turn.model


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("name", SAID)
def test_a_whole_answer_passes_the_models_and_says_it(wire: str, name: str) -> None:
    """Every reply: strictly valid, and heard as it was said."""
    answer = load()[wire].whole(asked(wire, stream=False), SAID[name])
    assert 200 == answer.status
    assert expected(wire, SAID[name]) == without_raw(judges()[wire].whole(answer.body))


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("name", SAID)
def test_every_event_of_a_stream_passes_the_models_and_all_of_them_say_it(wire: str, name: str) -> None:
    """Every reply in every kind of chunk: each event strictly valid, and all put together heard as it was said."""
    turn = asked(wire, stream=True)
    for chunk in CHUNKS.values():
        frames = load()[wire].stream(turn, SAID[name], pieces(SAID[name], chunk))
        heard = judges()[wire].streamed(b"".join(frame.data for frame in frames))
        assert expected(wire, SAID[name]) == without_raw(heard), chunk


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("name", FAILURES)
def test_an_error_passes_the_models(wire: str, name: str) -> None:
    """Every error name and status, and the author's own words, is an error that the SDK understands."""
    answer = load()[wire].failure(FAILURES[name], 0.0)
    assert 400 <= answer.status
    assert judges()[wire].failed(answer.status, named(answer), answer.body)


def headed(wire: str) -> Iterator[tuple[str, tuple[tuple[str, str], ...]]]:
    """The headers of every kind of answer, with the type of body that they should tell."""
    plain, streamed, spoken = asked(wire, stream=False), asked(wire, stream=True), load()[wire]
    for each in SAID.values():
        yield "application/json", spoken.whole(plain, each).headers
        yield "text/event-stream", spoken.head(streamed, each)
    for name, failure in FAILURES.items():
        wanted = "application/problem+json" if name == "in the author's words" else "application/json"
        yield wanted, spoken.failure(failure, 12.5).headers
    yield "application/json", spoken.miss("no rule matches", 12.5).headers
    yield "application/json", spoken.bad_request(BadRequest("no body"), 12.5).headers


@pytest.mark.parametrize("wire", WIRES)
def test_headers_are_fit_for_http(wire: str) -> None:
    """No name twice, nothing that HTTP cannot carry, and the type of the body."""
    for wanted, headers in headed(wire):
        names = [name.lower() for name, _ in headers]
        assert len(names) == len(set(names))
        assert not {"content-length", "transfer-encoding", "connection"} & set(names)
        assert all(value.isascii() and value.isprintable() for _, value in headers)
        assert dict(zip(names, (value for _, value in headers), strict=True))["content-type"].split(";")[0] == wanted


@pytest.mark.parametrize("wire", WIRES)
def test_headers_of_the_author_replace_the_providers(wire: str) -> None:
    """In a whole answer, a stream and an error."""
    turn, spoken = asked(wire, stream=False), load()[wire]
    for headers in (spoken.whole(turn, SAID["own headers"]).headers, spoken.head(turn, SAID["own headers"])):
        assert {"X-Mine": "1", "X-Request-ID": "req_mine"}.items() <= dict(headers).items()
    failed = dict(spoken.failure(FAILURES["in the author's words"], 0.0).headers)
    assert "1" == failed["X-Mine"]


@pytest.mark.parametrize("wire", WIRES)
def test_the_same_is_said_in_the_same_bytes(wire: str) -> None:
    """A retry gets byte for byte what was lost, whatever else was said in between."""
    turns = [(asked(wire, stream=stream), load()[wire]) for stream in (False, True)]
    said_twice = []
    for _ in range(2):
        (plain, spoken), (streamed, _) = turns
        whole = [spoken.whole(plain, each) for each in SAID.values()]
        frames = [
            [frame.data for frame in spoken.stream(streamed, each, pieces(each, CHUNKS["1 word"]))]
            for each in SAID.values()
        ]
        said_twice.append((whole, frames))
    assert said_twice[0] == said_twice[1]


# --- the SDK itself, over a socket ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def speakers() -> Iterator[dict[str, Speaker]]:
    with ExitStack() as stack:
        yield {wire: stack.enter_context(speaking(load()[wire])) for wire in WIRES}


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("stream", WAYS)
def test_the_sdk_hears_every_reply(speakers: dict[str, Speaker], wire: str, *, stream: bool) -> None:
    """Over a socket, what the SDK shows its users is what was said."""
    for name, each in SAID.items():
        speakers[wire].say(each, chunk=CHUNKS["2 words"])
        with closing(judges()[wire].agent(speakers[wire].url, stream=stream, retries=0)) as agent:
            assert expected(wire, each) == without_raw(agent.say("hi")), name


def tries(speaker: Speaker, wire: str, outcome: Failure | Miss, *, stream: bool) -> tuple[str, int]:
    """The name of the exception that the SDK raises in the end, and how often it asked."""
    speaker.say(outcome)
    with (
        closing(judges()[wire].agent(speaker.url, stream=stream, retries=1)) as agent,
        pytest.raises(Exception) as raised,  # noqa: PT011 - which one, the judge says
    ):
        agent.say("hi")
    return type(raised.value).__name__, len(speaker.turns)


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("stream", WAYS)
def test_the_sdk_raises_what_the_judge_says(
    speakers: dict[str, Speaker], wire: str, name: str, *, stream: bool
) -> None:
    """Every error name, plain and where a stream was asked for, and asked again where another try could help."""
    failure = Failure(name=name, retry_after=0.001)
    answer = load()[wire].failure(failure, 0.0)
    exception = judges()[wire].failed(answer.status, named(answer), answer.body)
    times = 2 if name in judges()[wire].retried else 1
    assert (exception, times) == tries(speakers[wire], wire, failure, stream=stream)


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("stream", WAYS)
def test_a_miss_is_never_asked_again(speakers: dict[str, Speaker], wire: str, *, stream: bool) -> None:
    """What no rule matches is an error with the explanation in it, and one request."""
    answer = load()[wire].miss("no rule matches", 0.0)
    exception = judges()[wire].failed(answer.status, named(answer), answer.body)
    assert (404, True) == (answer.status, b"no rule matches" in answer.body)
    assert (exception, 1) == tries(speakers[wire], wire, Miss("no rule matches"), stream=stream)
