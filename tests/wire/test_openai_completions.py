"""OpenAI's old completions: what the SDK reads back over a real socket, and what is refused, in its words."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.types import Completion
from raw_http import Raw
from serving import serving
from speaker import Speaker, request, speaking
from wire_cases import CHUNKS, REPLIES

from llmposter.model import BadRequest, Refusal, Reply, Text, Turn
from llmposter.server import Running
from llmposter.wire import dialects, load

(WIRE,) = (wire for wire in dialects() if wire.routes[0].path == "/v1/completions")
INSTRUCT = "gpt-3.5-turbo-instruct"
FINISHES = {"stop": "stop", "length": "length", "content_filter": "content_filter", "tool_calls": "stop"}
ECHO = """
[[states.talk]]
when = 'user == "busy" and attempt == 1'
error = { name = "rate_limited", retry_after = "10ms" }

[[states.talk]]
when = 'path == "/v1/completions" and user != "nothing"'
reply = "you said ${user}"
"""


@pytest.fixture(scope="module")
def speaker() -> Iterator[Speaker]:
    with speaking(WIRE) as found:
        yield found


@pytest.fixture(scope="module")
def client(speaker: Speaker) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{speaker.url}/v1", api_key="any", max_retries=0) as found:
        yield found


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with serving(ECHO) as running:
        yield running


@pytest.fixture(scope="module")
def talker(server: Running) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=server.openai_url, api_key="any", max_retries=1) as found:
        yield found


def said(reply: Reply) -> str:
    return "\n".join(part.text for part in reply.parts if isinstance(part, Text | Refusal))


@pytest.mark.parametrize("name", REPLIES)
def test_the_sdk_reads_a_reply(speaker: Speaker, client: openai.OpenAI, name: str) -> None:
    """Its texts and its refusal; every object is what the SDK's type wants, in strict mode."""
    reply = REPLIES[name]
    speaker.say(reply)
    made = client.completions.create(model=INSTRUCT, prompt="hi")
    Completion.model_validate(made.to_dict(), strict=True)
    (choice,) = made.choices
    assert (said(reply), FINISHES[reply.finish]) == (choice.text, choice.finish_reason)
    assert (f"cmpl-{reply.id}", reply.created, reply.model) == (made.id, made.created, made.model)
    assert (reply.tokens.input, reply.tokens.output) == (made.usage.prompt_tokens, made.usage.completion_tokens)


@pytest.mark.parametrize("chunk", CHUNKS)
@pytest.mark.parametrize("name", REPLIES)
def test_the_sdk_reads_a_stream(speaker: Speaker, client: openai.OpenAI, name: str, chunk: str) -> None:
    """Together it is the whole answer; the last chunk of a choice has the finish reason; usage comes if asked."""
    reply = REPLIES[name]
    speaker.say(reply, chunk=CHUNKS[chunk])
    usage = {"include_usage": True}
    *chunks, last = client.completions.create(model=INSTRUCT, prompt="hi", stream=True, stream_options=usage)
    assert said(reply) == "".join(each.choices[0].text for each in chunks)
    assert [None] * (len(chunks) - 1) + [FINISHES[reply.finish]] == [each.choices[0].finish_reason for each in chunks]
    assert [None] * len(chunks) == [each.usage for each in chunks]
    assert ([], reply.tokens.output) == (last.choices, last.usage.completion_tokens)
    assert all(set(each.to_dict()) <= set(Completion.model_fields) for each in (*chunks, last))


def test_the_async_sdk_reads_a_stream(speaker: Speaker) -> None:
    """As the other one does."""

    async def read() -> str:
        async with openai.AsyncOpenAI(base_url=f"{speaker.url}/v1", api_key="any") as client:
            stream = await client.completions.create(model=INSTRUCT, prompt="hi", stream=True)
            return "".join([each.choices[0].text async for each in stream])

    speaker.say(REPLIES["text"])
    assert said(REPLIES["text"]) == asyncio.run(read())


@pytest.mark.parametrize(
    "asked, texts",
    [
        ({"prompt": "a"}, ["you said a"]),
        ({"prompt": ["a"]}, ["you said a"]),
        ({"prompt": ["a", "b"]}, ["you said a\nb"] * 2),
        ({"prompt": "a", "n": 2}, ["you said a"] * 2),
        ({"prompt": ["a", "b"], "n": 2, "best_of": 3}, ["you said a\nb"] * 4),
        ({"prompt": "a ", "echo": True}, ["a you said a "]),
        ({"prompt": ["a", "b"], "echo": True}, ["ayou said a\nb", "byou said a\nb"]),
        ({"prompt": [1, 2, 3]}, ["you said 1 2 3"]),
        ({"prompt": [[1, 2], [3]]}, ["you said 1 2\n3"] * 2),
        ({"prompt": "", "suffix": "end", "logprobs": 5, "max_tokens": 0}, ["you said "]),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_a_prompt_is_what_the_user_says(talker: openai.OpenAI, asked: Any, texts: list[str], *, stream: bool) -> None:
    """Of several prompts each has its choices; tokens stand as their ids; what was asked to be echoed comes first."""
    if not stream:
        made = talker.completions.create(model=INSTRUCT, **asked)
        assert texts == [choice.text for choice in made.choices]
        assert list(range(len(texts))) == [choice.index for choice in made.choices]
        assert {None} == {choice.logprobs for choice in made.choices}
    elif "best_of" not in asked:
        heard = [""] * len(texts)
        for chunk in talker.completions.create(model=INSTRUCT, stream=True, **asked):
            heard[chunk.choices[0].index] += chunk.choices[0].text
        assert texts == heard


def test_a_scenario_answers_it(server: Running, talker: openai.OpenAI) -> None:
    """Errors and attempts are those of conversations, and the provider is OpenAI."""
    assert "you said busy" == talker.completions.create(model=INSTRUCT, prompt="busy").choices[0].text
    failed, answered = server.mock.journal()["entries"][-2:]
    assert [("error", 429, 1), ("reply", 200, 2)] == [
        (entry["outcome"], entry["status"], entry["attempt"]) for entry in (failed, answered)
    ]
    assert {"openai"} == {failed["provider"], answered["provider"]}


def test_a_miss_is_a_404(talker: openai.OpenAI) -> None:
    """With the explanation."""
    with pytest.raises(openai.NotFoundError, match="no rule"):
        talker.completions.create(model=INSTRUCT, prompt="nothing")


@pytest.mark.parametrize(
    "body, message",
    [
        (b"{", "We could not parse the JSON body of your request."),
        ({"prompt": "x"}, "you must provide a model parameter"),
        ({"model": "", "prompt": "x"}, "you must provide a model parameter"),
        ({"model": "m"}, "Missing required parameter: 'prompt'."),
        ({"model": "m", "prompt": 1}, "Invalid type for 'prompt':"),
        ({"model": "m", "prompt": ["a", 1]}, "Invalid 'prompt': expected a string, or an array of token ids."),
        ({"model": "m", "prompt": "x", "n": 0}, "Invalid 'n': integer below minimum value."),
        ({"model": "m", "prompt": "x", "stream": "true"}, "Invalid type for 'stream': expected a boolean"),
        ({"model": "m", "prompt": "x", "logprobs": 6}, "Invalid 'logprobs': integer above maximum value."),
    ],
)
def test_what_openai_refuses_is_refused(server: Running, body: Any, message: str) -> None:
    """In its words."""
    with Raw(server.url) as raw:
        answer = raw.ask("POST", "/v1/completions", body)
    assert 400 == answer.status
    assert answer.message.startswith(message)


@pytest.mark.parametrize(
    "more, told",
    [
        ({}, []),
        ({"stream_options": {"include_usage": True}}, ["'stream_options'"]),
        ({"n": 2, "best_of": 1}, ["more choices than it will generate"]),
        ({"best_of": 2, "stream": True}, ["cannot be streamed"]),
        ({"stop": ["a"] * 5}, ["Invalid 'stop'"]),
    ],
)
def test_breaches_are_told(more: dict, told: list[str]) -> None:
    """What can be read although OpenAI refuses it."""
    turn = WIRE.read(request(json.dumps({"model": "m", "prompt": "x", **more}).encode()))
    assert isinstance(turn, Turn)
    assert len(told) == len(turn.breaches)
    assert all(part in breach for part, breach in zip(told, turn.breaches, strict=True))


@settings(deadline=None)
@given(st.binary() | st.builds(lambda v: json.dumps({"model": "m", "prompt": v}).encode(), st.lists(st.integers())))
def test_any_body_is_read(body: bytes) -> None:
    """Into a turn or a refusal, never an exception."""
    assert isinstance(WIRE.read(request(body)), Turn | BadRequest)


def test_it_is_no_wire_of_its_own() -> None:
    """No scenario is checked against it, and it has the name of the wire of its provider."""
    assert WIRE not in load().values()
    assert load()["openai"].name == WIRE.name
    assert [] == list(WIRE.cannot(None))
