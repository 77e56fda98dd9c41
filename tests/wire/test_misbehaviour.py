"""What models do on a bad day: each provider's SDK hears it as the gallery says it, and the conversation goes on.

What the SDK makes of it is its own affair; that it is there to be got over is ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest
from judging import Heard, judges
from serving import serving

from llmposter.server import Running
from llmposter.wire import load

FILE = Path(__file__).parents[2] / "scenarios/misbehaving-model.toml"
TWICE = "messages: `tool_use` ids must be unique"
EMPTY = "messages.1: all messages must have non-empty content except for the optional final assistant message"
"""Anthropic takes no answer back that had nothing in it; a client has to leave it out."""


class Bad(NamedTuple):
    """What is heard: texts, reasoning, (tool, arguments) of each call, refusal, finish.

    `breaches` are findings on a history that holds it.
    """

    texts: tuple[str, ...] = ()
    thinking: str = ""
    calls: tuple[tuple[str, str], ...] = ()
    refusal: str | None = None
    finish: str = "stop"
    breaches: tuple[str, ...] = ()


PARIS = '{"city":"Paris","unit":"celsius"}'
FENCED = 'Here is the JSON:\n```json\n{"city": "Paris"}\n```'
HEARD = {
    "broken arguments": Bad(calls=(("get_weather", '{"city": "Paris", "unit'),), finish="tool_calls"),
    "wrong arguments": Bad(calls=(("get_weather", '{"town":"Paris"}'),), finish="tool_calls"),
    "unknown tool": Bad(calls=(("get_wether", '{"city":"Paris"}'),), finish="tool_calls"),
    "one id twice": Bad(calls=(("now", "{}"), ("get_weather", PARIS)), finish="tool_calls"),
    "nothing": Bad(),
    "reasoning alone": Bad(thinking="I should say something now."),
    "out of tokens": Bad(texts=("The answer to this is surp",), finish="length"),
    "out of tokens in a call": Bad(calls=(("get_weather", '{"city":"Par'),), finish="length"),
    "filtered": Bad(texts=("To do so, first take the",), finish="content_filter"),
    "refused": Bad(refusal="I cannot help with that."),
    "call in the text": Bad(texts=('<tool_call>{"name": "now", "arguments": {}}</tool_call>',)),
    "JSON in a fence": Bad(texts=(FENCED,)),
    "the same call for ever": Bad(calls=(("now", "{}"),), finish="tool_calls"),
}
ELSEWHERE = {
    ("gemini", "broken arguments"): Bad(finish="MALFORMED_FUNCTION_CALL"),
    ("gemini", "out of tokens in a call"): Bad(finish="length"),
    ("gemini", "refused"): HEARD["refused"]._replace(finish="content_filter"),
    ("anthropic", "refused"): HEARD["refused"]._replace(finish="content_filter"),
    ("anthropic", "nothing"): Bad(breaches=(EMPTY,)),
    ("anthropic", "one id twice"): HEARD["one id twice"]._replace(
        breaches=("messages: `tool_use` ids must be unique",)
    ),
}
"""What a provider says in another way."""


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with serving(FILE) as running:
        yield running


def heard(said: Heard) -> Bad:
    calls = tuple((call.tool, call.arguments) for call in said.calls)
    return Bad(said.texts, said.thinking, calls, said.refusal, said.finish)


def trials() -> Iterator[object]:
    for wire in sorted(load()):
        for case in HEARD:
            for stream, way in ((False, "plain"), (True, "streamed")):
                yield pytest.param(wire, case, stream, id=f"{wire}-{case}-{way}".replace(" ", "-"))


@pytest.mark.parametrize("wire, case, stream", list(trials()))
def test_a_bad_answer_is_heard_and_the_conversation_goes_on(
    server: Running, wire: str, case: str, stream: bool
) -> None:
    """The SDK hears what the rule says, sends it back in its history, and has the next answer."""
    expected = ELSEWHERE.get((wire, case), HEARD[case])
    session = f"{wire}-{stream}-{case}".replace(" ", "-")
    with closing(judges()[wire].agent(f"{server.url}/@{session}", stream=stream, retries=0)) as agent:
        if (wire, case, stream) == ("responses", "one id twice", True):
            with pytest.raises(RuntimeError, match="conflicting output identities"):
                agent.say(case)
            return
        said = agent.say(case)
        assert expected._replace(breaches=()) == heard(said)
        after = agent.result(*((call, "it is no tool") for call in said.calls)) if said.calls else agent.say("Go on.")
        assert ("Thank you for bearing with me.",) == after.texts
    assert list(expected.breaches) == [found["message"] for found in server.mock.violations(session)]
