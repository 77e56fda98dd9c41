"""The official SDK reads back, over a real socket, what was to be said: sync, async, streamed and with its helper."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from pydantic import BaseModel
from speaker import Speaker, speaking
from wire_cases import CHUNKS, REPLIES, deltas, text

from llmposter.model import Refusal, Reply, Thinking, ToolCall
from llmposter.wire import load

WIRE = load()["openai"]
MESSAGES = [{"role": "user", "content": "hi"}]
ASK = {"model": "gpt-4o", "messages": MESSAGES}
USAGE = {"stream_options": {"include_usage": True}}

# The helper of the SDK raises for answers that were cut short, and reads arguments as JSON.
HELPED = [name for name, reply in REPLIES.items() if reply.finish not in ("length", "content_filter")]


@pytest.fixture(scope="module")
def speaker() -> Iterator[Speaker]:
    with speaking(WIRE) as found:
        yield found


@pytest.fixture(scope="module")
def client(speaker: Speaker) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{speaker.url}/v1", api_key="any", max_retries=0) as found:
        yield found


def expected(reply: Reply) -> dict[str, Any]:
    return {
        "content": text(reply),
        "refusal": deltas(reply, Refusal) or None,
        "reasoning": deltas(reply, Thinking) or None,
        "calls": [(part.id, part.tool, part.arguments) for part in reply.parts if isinstance(part, ToolCall)],
        "finish": reply.finish,
        "tokens": (reply.tokens.input, reply.tokens.output, reply.tokens.cached, reply.tokens.reasoning),
    }


def read(message: Any, finish: str | None, usage: Any) -> dict[str, Any]:
    return {
        "content": message.content,
        "refusal": message.refusal,
        "reasoning": getattr(message, "reasoning_content", None),
        "calls": [(call.id, call.function.name, call.function.arguments) for call in message.tool_calls or ()],
        "finish": finish,
        "tokens": (
            usage.prompt_tokens,
            usage.completion_tokens,
            usage.prompt_tokens_details.cached_tokens,
            usage.completion_tokens_details.reasoning_tokens,
        ),
    }


class Joined:
    """A stream's chunks put together, as an agent does it by hand."""

    def __init__(self) -> None:
        self.texts: dict[str, str | None] = {"content": None, "refusal": None, "reasoning_content": None}
        self.calls: list[list[str]] = []
        self.finish: str | None = None
        self.usage: Any = None

    def take(self, chunk: Any) -> None:
        self.usage = chunk.usage or self.usage
        for choice in chunk.choices:
            self.finish = choice.finish_reason or self.finish
            for name in self.texts:
                value = getattr(choice.delta, name, None)
                if value is not None:
                    self.texts[name] = (self.texts[name] or "") + value
            for call in choice.delta.tool_calls or ():
                if call.id:
                    self.calls.append([call.id, call.function.name, ""])
                self.calls[call.index][2] += call.function.arguments

    def read(self) -> dict[str, Any]:
        content, refusal, reasoning = self.texts.values()
        usage = read(type("Nothing", (), {"content": 0, "refusal": 0, "tool_calls": ()}), None, self.usage)["tokens"]
        calls = [tuple(call) for call in self.calls]
        return {
            "content": content, "refusal": refusal, "reasoning": reasoning, "calls": calls,
            "finish": self.finish, "tokens": usage,
        }  # fmt: skip


@pytest.mark.parametrize("name", REPLIES)
def test_a_whole_answer_is_read_back(speaker: Speaker, client: openai.OpenAI, name: str) -> None:
    """Every reply, asked for whole, says in the SDK's objects what it was to say."""
    speaker.say(REPLIES[name])
    found = client.chat.completions.create(**ASK)
    (choice,) = found.choices
    assert expected(REPLIES[name]) == read(choice.message, choice.finish_reason, found.usage)


@pytest.mark.parametrize("name", REPLIES)
def test_a_streamed_answer_is_read_back(speaker: Speaker, client: openai.OpenAI, name: str) -> None:
    """Every reply, streamed in every kind of chunk, says the same."""
    for chunk in CHUNKS.values():
        speaker.say(REPLIES[name], chunk=chunk)
        joined = Joined()
        for each in client.chat.completions.create(**ASK, stream=True, **USAGE):
            joined.take(each)
        assert expected(REPLIES[name]) == joined.read()


@pytest.mark.parametrize("name", HELPED)
def test_the_streaming_helper_reads_it_back(speaker: Speaker, client: openai.OpenAI, name: str) -> None:
    """The SDK's own accumulation ends with the same message."""
    for chunk in ("1 token", "2 words", "whole"):
        speaker.say(REPLIES[name], chunk=CHUNKS[chunk])
        with client.chat.completions.stream(**ASK, **USAGE) as stream:
            done = [event.type for event in stream if event.type == "tool_calls.function.arguments.done"]
            found = stream.get_final_completion()
        (choice,) = found.choices
        assert expected(REPLIES[name]) == read(choice.message, choice.finish_reason, found.usage)
        assert len(done) == sum(isinstance(part, ToolCall) for part in REPLIES[name].parts)


def test_the_async_client_reads_all_of_them_back(speaker: Speaker) -> None:
    """Whole, streamed and with the helper."""

    async def go() -> None:
        async with openai.AsyncOpenAI(base_url=f"{speaker.url}/v1", api_key="any", max_retries=0) as client:
            for name, reply in REPLIES.items():
                speaker.say(reply)
                found = await client.chat.completions.create(**ASK)
                (choice,) = found.choices
                assert expected(reply) == read(choice.message, choice.finish_reason, found.usage), name
                joined = Joined()
                async for chunk in await client.chat.completions.create(**ASK, stream=True, **USAGE):
                    joined.take(chunk)
                assert expected(reply) == joined.read(), name
                if name in HELPED:
                    async with client.chat.completions.stream(**ASK, **USAGE) as stream:
                        final = await stream.get_final_completion()
                    (choice,) = final.choices
                    assert expected(reply) == read(choice.message, choice.finish_reason, final.usage), name

    asyncio.run(go())


@pytest.mark.parametrize("stream", [False, True])
def test_each_choice_is_read_back(speaker: Speaker, client: openai.OpenAI, *, stream: bool) -> None:
    """With n choices every one of them says it all."""
    speaker.say(REPLIES["two parallel calls"], chunk=CHUNKS["1 word"])
    if stream:
        with client.chat.completions.stream(**ASK, n=3) as events:
            found = events.get_final_completion()
    else:
        found = client.chat.completions.create(**ASK, n=3)
    assert [choice.index for choice in found.choices] == [0, 1, 2]
    for choice in found.choices:
        calls = [(call.id, call.function.name, call.function.arguments) for call in choice.message.tool_calls]
        assert expected(REPLIES["two parallel calls"])["calls"] == calls


def test_structured_output_is_parsed(speaker: Speaker, client: openai.OpenAI) -> None:
    """The SDK's parse gives the object that the scenario gave as data."""

    class Weather(BaseModel):
        city: str
        temps: list[float | None]

    speaker.say(REPLIES["structured"])
    found = client.chat.completions.parse(**ASK, response_format=Weather)
    assert found.choices[0].message.parsed == Weather(city="Paris", temps=[1.0, 2.5, None])


@pytest.mark.parametrize("name, raised", [("cut short", "Length"), ("filtered", "ContentFilter")])
def test_the_sdk_raises_where_an_answer_was_cut(
    speaker: Speaker, client: openai.OpenAI, name: str, raised: str
) -> None:
    """Its parse refuses an answer that ended for length or by a filter, as with the real API."""
    speaker.say(REPLIES[name])
    with pytest.raises(getattr(openai, f"{raised}FinishReasonError")):
        client.chat.completions.parse(**ASK)


def test_the_headers_arrive(speaker: Speaker, client: openai.OpenAI) -> None:
    """A raw response has the request id and the limits, those of the author in place of ours."""
    speaker.say(REPLIES["own headers"])
    raw = client.chat.completions.with_raw_response.create(**ASK)
    assert (raw.request_id, raw.headers["x-mine"]) == ("req_mine", "1")
    assert raw.headers["content-type"] == "application/json"
    assert int(raw.headers["x-ratelimit-remaining-requests"]) > 0
    streamed = client.chat.completions.with_raw_response.create(**ASK, stream=True)
    assert streamed.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert [chunk.choices[0].finish_reason for chunk in streamed.parse()][-1] == "stop"


def test_the_sdks_own_message_is_read_as_it_was_said(speaker: Speaker, client: openai.OpenAI) -> None:
    """A message that goes back into the history as the SDK holds it gives the calls and the reasoning again."""
    speaker.say(REPLIES["everything"])
    message = client.chat.completions.create(**ASK).choices[0].message
    results = [{"role": "tool", "tool_call_id": call.id, "content": "22"} for call in message.tool_calls]
    client.chat.completions.create(model="gpt-4o", messages=[*MESSAGES, message, *results])
    user, assistant, tool = speaker.turns[-1].messages
    said = expected(REPLIES["everything"])
    assert (user.text, assistant.text, assistant.thinking) == ("hi", said["content"], said["reasoning"])
    assert said["calls"] == [(call.id, call.tool, call.arguments) for call in assistant.calls]
    assert [call.id for call in assistant.calls] == [result.id for result in tool.results]


def test_every_parameter_of_the_sdk_is_read(speaker: Speaker, client: openai.OpenAI) -> None:
    """A request with all that the SDK can send is a request without a breach."""
    schema = {"type": "object", "properties": {}, "additionalProperties": False}
    speaker.say(REPLIES["text"])
    client.chat.completions.create(
        model="gpt-4o",
        messages=[
            {"role": "developer", "content": [{"type": "text", "text": "be brief"}], "name": "boss"},
            {"role": "user", "content": [{"type": "text", "text": "hi"}], "name": "ann"},
        ],
        audio={"format": "wav", "voice": "alloy"},
        frequency_penalty=0.1,
        logit_bias={"50256": -100},
        logprobs=True,
        max_completion_tokens=5,
        metadata={"run": "7"},
        modalities=["text"],
        n=1,
        parallel_tool_calls=True,
        prediction={"type": "content", "content": "hi"},
        presence_penalty=0.1,
        prompt_cache_key="k",
        reasoning_effort="low",
        response_format={"type": "json_schema", "json_schema": {"name": "x", "schema": schema, "strict": True}},
        safety_identifier="s",
        seed=1,
        service_tier="flex",
        stop=["x"],
        store=False,
        temperature=0.5,
        tools=[{"type": "function", "function": {"name": "f", "parameters": schema, "strict": True}}],
        tool_choice={"type": "function", "function": {"name": "f"}},
        top_logprobs=2,
        top_p=0.5,
        user="u",
        verbosity="low",
        web_search_options={"search_context_size": "low"},
        extra_body={"unheard_of": [1]},
    )
    (turn,) = speaker.turns
    assert ("be brief", "hi", {"run": "7"}, ()) == (turn.system, turn.messages[0].text, turn.metadata, turn.breaches)
    assert turn.params["tool_choice"] == {"type": "function", "function": {"name": "f"}}
    assert (turn.params["max_tokens"], turn.params["reasoning"], turn.retry) == (5, "low", 0)
    assert json.loads(turn.request.body)["unheard_of"] == [1]
