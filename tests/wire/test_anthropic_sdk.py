"""The official SDK reads back, over a real socket, what was to be said: sync, async, streamed and with its helper."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import anthropic
import pytest
from pydantic import BaseModel
from serving import program
from speaker import Speaker, request, speaking
from wire_cases import CHUNKS, REPLIES, reply

from llmposter.core.delivery import pieces
from llmposter.model import Refusal, Reply, Text, Thinking, ToolCall
from llmposter.wire import load

WIRE = load()["anthropic"]
MESSAGES = [{"role": "user", "content": "hi"}]
ASK: dict[str, Any] = {"model": "claude-sonnet-5", "max_tokens": 99, "messages": MESSAGES}
STOPS = {
    "stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use", "content_filter": "refusal",
    "pause": "pause_turn",
}  # fmt: skip
# What is no JSON the SDK's own accumulation reads as far as it goes, or not at all.
HELPED = [name for name in REPLIES if name != "call with broken arguments"]


@pytest.fixture(scope="module")
def speaker() -> Iterator[Speaker]:
    with speaking(WIRE) as found:
        yield found


@pytest.fixture(scope="module")
def client(speaker: Speaker) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=speaker.url, api_key="any", max_retries=0) as found:
        yield found


def expected(said: Reply) -> dict[str, Any]:
    refused = any(isinstance(part, Refusal) for part in said.parts)
    used = said.tokens
    return {
        "content": [block(part) for part in said.parts if not isinstance(part, Text | Refusal) or part.text],
        "finish": "refusal" if refused else STOPS[said.finish],
        "tokens": (used.input - used.cached, used.cached, used.output, used.reasoning),
    }


def block(part: Any) -> tuple[Any, ...]:
    match part:
        case Thinking(text=text):
            return "thinking", text
        case ToolCall(id=id_, tool=tool, arguments=arguments):
            try:
                return "tool_use", id_, tool, json.loads(arguments or "{}")
            except ValueError:
                return "tool_use", id_, tool, {"INVALID_JSON": arguments}
        case _:
            return "text", part.text


def read(message: Any) -> dict[str, Any]:
    usage = message.usage
    return {
        "content": [
            ("thinking", each.thinking) if each.type == "thinking"
            else ("tool_use", each.id, each.name, each.input) if each.type == "tool_use"
            else (each.type, each.text)
            for each in message.content
        ],
        "finish": message.stop_reason,
        "tokens": (
            usage.input_tokens, usage.cache_read_input_tokens, usage.output_tokens,
            usage.output_tokens_details.thinking_tokens,
        ),
    }  # fmt: skip


@pytest.mark.parametrize("name", REPLIES)
def test_a_whole_answer_is_read_back(speaker: Speaker, client: anthropic.Anthropic, name: str) -> None:
    """Every reply, asked for whole, says in the SDK's objects what it was to say; through the beta client too."""
    speaker.say(REPLIES[name])
    assert expected(REPLIES[name]) == read(client.messages.create(**ASK))
    assert expected(REPLIES[name]) == read(client.beta.messages.create(**ASK))


@pytest.mark.parametrize("name", HELPED)
def test_the_streaming_helper_reads_it_back(speaker: Speaker, client: anthropic.Anthropic, name: str) -> None:
    """The SDK's own accumulation ends with the same message, in every kind of chunk; through the beta client too."""
    for chunk in CHUNKS.values():
        speaker.say(REPLIES[name], chunk=chunk)
        for messages in (client.messages, client.beta.messages):
            with messages.stream(**ASK) as stream:
                stopped = [event.type for event in stream if event.type == "content_block_stop"]
                found = stream.get_final_message()
            assert expected(REPLIES[name]) == read(found)
            assert len(stopped) == len(found.content)


def test_broken_arguments_are_streamed_as_they_are(speaker: Speaker, client: anthropic.Anthropic) -> None:
    """Who reads the stream by hand gets every character, and the SDK's helper what can be made of them."""
    speaker.say(REPLIES["call with broken arguments"], chunk=CHUNKS["1 character"])
    deltas = [
        event.delta.partial_json
        for event in client.messages.create(**ASK, stream=True)
        if event.type == "content_block_delta"
    ]
    assert ("", '{"city": "Par') == (deltas[0], "".join(deltas))
    speaker.say(reply(ToolCall("call_1", "f", "no JSON")))
    with (
        pytest.raises(ValueError, match="Unable to parse tool parameter JSON"),
        client.messages.stream(**ASK) as stream,
    ):
        stream.until_done()


def test_the_async_client_reads_all_of_them_back(speaker: Speaker) -> None:
    """Whole and with the helper."""

    async def go() -> None:
        async with anthropic.AsyncAnthropic(base_url=speaker.url, api_key="any", max_retries=0) as client:
            for name in HELPED:
                speaker.say(REPLIES[name])
                assert expected(REPLIES[name]) == read(await client.messages.create(**ASK)), name
                async with client.messages.stream(**ASK) as stream:
                    assert expected(REPLIES[name]) == read(await stream.get_final_message()), name

    asyncio.run(go())


def test_the_helper_sees_each_kind_of_event(speaker: Speaker, client: anthropic.Anthropic) -> None:
    """Thinking, signature, text and input as the SDK hands them on."""
    speaker.say(REPLIES["everything"], chunk=CHUNKS["whole"])
    with client.messages.stream(**ASK) as stream:
        seen = [event.type for event in stream]
    assert [
        "message_start",
        "content_block_start", "content_block_delta", "thinking", "content_block_delta", "signature",
        "content_block_stop",
        *("content_block_start", "content_block_delta", "text", "content_block_stop") * 2,
        *(
            "content_block_start", "content_block_delta", "input_json", "content_block_delta", "input_json",
            "content_block_stop",
        ) * 2,
        "message_delta", "message_stop",
    ] == seen  # fmt: skip


def test_the_order_of_events_is_that_of_the_api() -> None:
    """A ping after the first block began; after the start where there is none."""
    for name, begins in (("text", "message_start content_block_start ping"), ("nothing", "message_start ping")):
        turn = WIRE.read(request(json.dumps({**ASK, "stream": True}).encode()))
        frames = WIRE.stream(turn, REPLIES[name], pieces(REPLIES[name], CHUNKS["2 words"]))
        names = [frame.data.split(b"\n", 1)[0].removeprefix(b"event: ").decode() for frame in frames]
        assert begins.split() == names[: len(begins.split())]
        assert ["message_delta", "message_stop"] == names[-2:]


def test_structured_output_is_parsed(speaker: Speaker, client: anthropic.Anthropic) -> None:
    """The SDK's parse gives the object that the scenario gave as data, streamed too."""

    class Weather(BaseModel):
        city: str
        temps: list[float | None]

    speaker.say(REPLIES["structured"])
    wanted = Weather(city="Paris", temps=[1.0, 2.5, None])
    assert wanted == client.messages.parse(**ASK, output_format=Weather).parsed_output
    assert "json_schema" == speaker.turns[-1].params["response_format"]["type"]
    with client.messages.stream(**ASK, output_format=Weather) as stream:
        assert wanted == stream.get_final_message().parsed_output


@pytest.mark.parametrize("stream", [False, True])
def test_thinking_that_is_not_to_be_shown_is_signed(
    speaker: Speaker, client: anthropic.Anthropic, *, stream: bool
) -> None:
    """With `display` "omitted" the block has a signature and no text, and comes back as it was."""
    speaker.say(REPLIES["reasoning then call"])
    asked = {**ASK, "thinking": {"type": "adaptive", "display": "omitted"}}
    if stream:
        with client.messages.stream(**asked) as events:
            said = events.get_final_message()
    else:
        said = client.messages.create(**asked)
    thinking, call = said.content
    assert ("", True) == (thinking.thinking, len(thinking.signature) > 20)
    results = [{"type": "tool_result", "tool_use_id": call.id, "content": "22"}]
    client.messages.create(**{**asked, "messages": [*MESSAGES, said.to_param(), {"role": "user", "content": results}]})
    assert ((), "Abc123") == (speaker.turns[-1].breaches, speaker.turns[-1].messages[1].answer)


MADE = "0123456789abcdef01234567"


@pytest.mark.parametrize("thought, prefix", [(False, "toolu_"), (True, "toolu_01")])
def test_an_id_of_our_own_has_anthropics_prefix(
    speaker: Speaker, client: anthropic.Anthropic, prefix: str, *, thought: bool
) -> None:
    """A scenario sees the same one on every API; an id by the author goes out as it is."""
    calls = ToolCall(f"call_{MADE}", "f", "{}"), ToolCall("mine-1", "f", "{}")
    speaker.say(reply(*([Thinking("hm")] if thought else []), *calls))
    said = client.messages.create(**ASK)
    ids = [each.id for each in said.content if each.type == "tool_use"]
    assert [f"{prefix}{MADE}", "mine-1"] == ids
    results = [{"type": "tool_result", "tool_use_id": id_, "content": "22"} for id_ in ids]
    client.messages.create(**{**ASK, "messages": [*MESSAGES, said.to_param(), {"role": "user", "content": results}]})
    _, assistant, tool = speaker.turns[-1].messages
    assert [f"call_{MADE}", "mine-1"] == [call.id for call in assistant.calls] == [each.id for each in tool.results]


@pytest.mark.parametrize("id_, told", [("mine-1", 0), ("${user}", 0), ("mine 1", 1), ("é", 1)])
def test_an_id_that_anthropic_does_not_take_back_is_found_by_the_checker(id_: str, told: int) -> None:
    """As far as it is known before anything runs."""
    found = program(f"[[states.a]]\ncall = {{ tool = 'f', id = '{id_}' }}\n")
    (rule,) = found.states["a"]
    sentences = list(WIRE.cannot(rule))
    assert told == len(sentences)
    assert all(f'no id "{id_}" of a tool call' in sentence for sentence in sentences)


FINISHES = [
    # the rule's word, Anthropic's
    ("stop", "end_turn"), ("max_tokens", "max_tokens"), ("SAFETY", "refusal"), ("function_call", "tool_use"),
    ("pause", "pause_turn"), ("model_context_window_exceeded", "model_context_window_exceeded"), ("odd", "odd"),
]  # fmt: skip


@pytest.mark.parametrize("word, sent", FINISHES)
def test_a_finish_word_is_said_as_anthropic_says_it(
    speaker: Speaker, client: anthropic.Anthropic, word: str, sent: str
) -> None:
    """Its own words as they are, those of others by their meaning."""
    speaker.say(reply(Text("x"), finish=word))
    assert sent == client.messages.create(**ASK).stop_reason


def test_the_headers_arrive(speaker: Speaker, client: anthropic.Anthropic) -> None:
    """A raw response has the request id and the limits, those of the author in place of ours."""
    speaker.say(reply(Text("x"), headers=(("X-Mine", "1"), ("Request-Id", "req_mine"))))
    raw = client.messages.with_raw_response.create(**ASK)
    assert ("req_mine", "1", "application/json") == (
        raw.headers["request-id"], raw.headers["x-mine"], raw.headers["content-type"],
    )  # fmt: skip
    assert int(raw.headers["anthropic-ratelimit-requests-remaining"]) > 0
    with client.messages.with_streaming_response.create(**ASK, stream=True) as streamed:
        assert "text/event-stream; charset=utf-8" == streamed.headers["content-type"]


def test_every_parameter_of_the_sdk_is_read(speaker: Speaker, client: anthropic.Anthropic) -> None:
    """A request with all that the SDK can send is a request without a breach."""
    cached = {"type": "ephemeral", "ttl": "1h"}
    schema = {"type": "object", "properties": {}}
    speaker.say(REPLIES["text"])
    client.beta.messages.create(
        model="claude-sonnet-5",
        max_tokens=4096,
        messages=[
            {"role": "user", "content": [{"type": "text", "text": "hi", "cache_control": cached}]},
            {"role": "system", "content": "and kind"},
        ],
        cache_control=cached,
        container="c",
        context_management={"edits": [{"type": "clear_tool_uses_20250919"}]},
        diagnostics={"previous_message_id": "msg_x"},
        inference_geo="eu",
        mcp_servers=[{"type": "url", "url": "https://x", "name": "s"}],
        metadata={"user_id": "u"},
        output_config={"effort": "max", "format": {"type": "json_schema", "schema": schema}},
        service_tier="auto",
        speed="standard",
        stop_sequences=["x"],
        system=[{"type": "text", "text": "be brief", "cache_control": cached}],
        thinking={"type": "enabled", "budget_tokens": 1024, "display": "summarized"},
        tool_choice={"type": "auto", "disable_parallel_tool_use": True},
        tools=[
            {"name": "f", "description": "d", "input_schema": schema, "cache_control": cached, "strict": True},
            {"type": "web_search_20250305", "name": "web_search", "max_uses": 1},
            {"type": "mcp_toolset", "mcp_server_name": "s"},
        ],
        betas=["context-management-2025-06-27"],
        extra_body={"unheard_of": [1], "temperature": 1.0, "top_p": 0.99, "top_k": 5},
    )
    (turn,) = speaker.turns
    assert ("be brief\nand kind", "hi", {"user_id": "u"}, ()) == (
        turn.system, turn.messages[0].text, turn.metadata, turn.breaches,
    )  # fmt: skip
    assert (["f", "web_search"], "max", 0) == ([tool.name for tool in turn.tools], turn.params["reasoning"], turn.retry)
    assert [1] == json.loads(turn.request.body)["unheard_of"]
