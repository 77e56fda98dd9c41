"""What the official SDK alone does with Responses: its helpers, sync and async, custom tools, and all it can send."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from judging import judges, strictly
from msgspec.structs import replace
from openai.types.responses import Response
from pydantic import BaseModel
from speaker import Speaker, request, speaking
from wire_cases import CHUNKS, PARIS, REPLIES, reply

from llmposter.model import Failure, Reply, Text, Thinking, ToolCall, Turn
from llmposter.wire import load
from llmposter_dsl.place import At
from llmposter_dsl.program import Rule
from llmposter_dsl.source import Source, Span

WIRE = load()["responses"]
HEARD = judges()["responses"]
ASK: dict[str, Any] = {"model": "gpt-5", "input": "hi"}
ID = "0123456789abcdef01234567"
SHELL = ToolCall("call_s", "shell", 'ls -l "a b"')
CUSTOM = {"type": "custom", "name": "shell", "description": "runs"}


@pytest.fixture(scope="module")
def speaker() -> Iterator[Speaker]:
    with speaking(WIRE) as found:
        yield found


@pytest.fixture(scope="module")
def client(speaker: Speaker) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{speaker.url}/v1", api_key="any", max_retries=0) as found:
        yield found


def own(given: Reply) -> Reply:
    """With an id as the server makes them."""
    return replace(given, id=ID)


def shown(response: Any) -> Any:
    """What a Response says, without what the SDK's own parsing adds."""
    return plain(response.to_dict())


def plain(value: Any) -> Any:
    match value:
        case dict():
            return {name: plain(inner) for name, inner in value.items() if name not in ("parsed", "parsed_arguments")}
        case list():
            return [plain(inner) for inner in value]
        case _:
            return value


# --- the helpers ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", REPLIES)
def test_the_streaming_helper_ends_with_what_a_plain_answer_has(
    speaker: Speaker, client: openai.OpenAI, name: str
) -> None:
    """The SDK's own accumulation, in every kind of chunk; of an answer that was cut it is the last event."""
    speaker.say(REPLIES[name])
    whole = shown(client.responses.create(**ASK))
    for chunk in CHUNKS.values():
        speaker.say(REPLIES[name], chunk=chunk)
        with client.responses.stream(**ASK) as stream:
            last = list(stream)[-1]
        assert f"response.{whole['status']}" == last.type
        assert whole == shown(last.response)
        if last.type == "response.completed":
            with client.responses.stream(**ASK) as stream:
                assert whole == shown(stream.get_final_response())


def test_the_async_client_hears_all_of_them(speaker: Speaker) -> None:
    """Whole, as events, and with the helper."""

    async def go() -> None:
        async with openai.AsyncOpenAI(base_url=f"{speaker.url}/v1", api_key="any", max_retries=0) as client:
            for name, each in REPLIES.items():
                speaker.say(each)
                whole = shown(await client.responses.create(**ASK))
                events = [event async for event in await client.responses.create(**ASK, stream=True)]
                assert whole == shown(events[-1].response), name
                async with client.responses.stream(**ASK) as stream:
                    last = [event async for event in stream][-1]
                assert whole == shown(last.response), name

    asyncio.run(go())


class Weather(BaseModel):
    city: str
    temps: list[float | None]


def test_structured_output_is_parsed(speaker: Speaker, client: openai.OpenAI) -> None:
    """The SDK's parse, plain and streamed, gives the object that the scenario gave as data."""
    speaker.say(REPLIES["structured"])
    expected = Weather(city="Paris", temps=[1.0, 2.5, None])
    assert expected == client.responses.parse(**ASK, text_format=Weather).output_parsed
    with client.responses.stream(**ASK, text_format=Weather) as stream:
        assert expected == stream.get_final_response().output_parsed
    assert "json_schema" == speaker.turns[-1].params["response_format"]["type"]


def test_arguments_of_a_call_are_parsed(speaker: Speaker, client: openai.OpenAI) -> None:
    """Of a tool that is declared from a model."""

    class GetWeather(BaseModel):
        city: str
        unit: str

    speaker.say(reply(ToolCall("call_1", "GetWeather", PARIS.arguments)))
    parsed = client.responses.parse(**ASK, tools=[openai.pydantic_function_tool(GetWeather)])  # type: ignore[list-item]
    (call,) = parsed.output
    assert GetWeather(city="Paris", unit="celsius") == call.parsed_arguments


def test_the_headers_arrive(speaker: Speaker, client: openai.OpenAI) -> None:
    """A raw response has the request id and the limits, those of the author in place of ours."""
    speaker.say(REPLIES["own headers"])
    raw = client.responses.with_raw_response.create(**ASK)
    assert (raw.request_id, raw.headers["x-mine"]) == ("req_mine", "1")
    assert int(raw.headers["x-ratelimit-remaining-requests"]) > 0
    streamed = client.responses.with_raw_response.create(**ASK, stream=True)
    assert "text/event-stream; charset=utf-8" == streamed.headers["content-type"]


# --- what is repeated -------------------------------------------------------------------------------------------------

SCHEMA = {"type": "object", "properties": {}, "additionalProperties": False}
EVERYTHING: dict[str, Any] = {
    "background": False,
    "conversation": None,
    "include": ["reasoning.encrypted_content", "message.output_text.logprobs"],
    "instructions": "be brief",
    "max_output_tokens": 100,
    "max_tool_calls": 3,
    "metadata": {"run": "7"},
    "parallel_tool_calls": False,
    "previous_response_id": "resp_1",
    "prompt_cache_key": "k",
    "prompt_cache_retention": "24h",
    "reasoning": {"effort": "low", "summary": "detailed"},
    "safety_identifier": "s",
    "service_tier": "flex",
    "store": False,
    "temperature": 0.5,
    "text": {"format": {"type": "json_schema", "name": "x", "schema": SCHEMA, "strict": True}, "verbosity": "low"},
    "tool_choice": {"type": "function", "name": "f"},
    "tools": [
        {"type": "function", "name": "f", "parameters": SCHEMA, "strict": True, "description": "d"},
        CUSTOM,
        {"type": "web_search", "search_context_size": "low"},
        {"type": "file_search", "vector_store_ids": ["vs_1"]},
        {"type": "mcp", "server_label": "l", "server_url": "https://x"},
    ],
    "top_logprobs": 2,
    "top_p": 0.5,
    "truncation": "auto",
    "user": "u",
}


def test_what_was_sent_is_repeated(speaker: Speaker, client: openai.OpenAI) -> None:
    """All that the SDK can send breaks nothing and comes back in the Response, strictly read."""
    speaker.say(REPLIES["text"])
    found = client.responses.create(**ASK, **EVERYTHING, extra_body={"unheard_of": [1]})
    strictly(Response, found.to_json(), ("store",))
    told = found.to_dict()
    assert {name: told[name] for name in EVERYTHING if name != "include"} == {
        name: value for name, value in EVERYTHING.items() if name != "include"
    }
    (turn,) = speaker.turns
    assert ((), ["f", "shell"], "be brief") == (turn.breaches, [tool.name for tool in turn.tools], turn.system)


def test_what_was_not_sent_has_openais_defaults(speaker: Speaker, client: openai.OpenAI) -> None:
    """A function is strict, what is said is stored, and nothing else is asked for."""
    speaker.say(REPLIES["text"])
    tool = {"type": "function", "name": "f"}
    told = client.responses.create(**ASK, tools=[tool]).to_dict()  # type: ignore[list-item]
    assert [{**tool, "strict": True, "parameters": None, "description": None}] == told["tools"]
    assert ("auto", True, True, 1.0, "disabled", "default", {}) == tuple(
        told[name]
        for name in (
            "tool_choice",
            "parallel_tool_calls",
            "store",
            "temperature",
            "truncation",
            "service_tier",
            "metadata",
        )
    )
    assert {"format": {"type": "text"}, "verbosity": "medium"} == told["text"]
    assert {"effort": None, "summary": None} == told["reasoning"]
    assert told["created_at"] == told["completed_at"]


def test_an_old_name_of_the_summary_is_repeated_by_its_new_one(speaker: Speaker, client: openai.OpenAI) -> None:
    """`generate_summary`."""
    speaker.say(REPLIES["text"])
    found = client.responses.create(**ASK, reasoning={"generate_summary": "auto"})
    assert "auto" == found.reasoning.summary


# --- items ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", [False, True])
def test_a_custom_call_has_its_input_as_it_is(speaker: Speaker, client: openai.OpenAI, *, stream: bool) -> None:
    """Plain and in events of its own, and it comes back in a history."""
    speaker.say(own(reply(PARIS, SHELL)), chunk=CHUNKS["1 word"])
    if stream:
        *events, last = client.responses.create(**ASK, tools=[CUSTOM], stream=True)  # type: ignore[list-item]
        found = last.response
        deltas = [event.delta for event in events if event.type == "response.custom_tool_call_input.delta"]
        assert (SHELL.arguments, True) == ("".join(deltas), len(deltas) > 1)
        assert [SHELL.arguments] == [e.input for e in events if e.type == "response.custom_tool_call_input.done"]
    else:
        found = client.responses.create(**ASK, tools=[CUSTOM])  # type: ignore[list-item]
    strictly(Response, found.to_json(), ("store", "status"))
    function, custom = found.output
    assert ("function_call", "custom_tool_call") == (function.type, custom.type)
    assert (SHELL.id, SHELL.tool, SHELL.arguments) == (custom.call_id, custom.name, custom.input)
    results = [
        {"type": "custom_tool_call_output", "call_id": custom.call_id, "output": "a b"},
        {"type": "function_call_output", "call_id": function.call_id, "output": "22"},
    ]
    client.responses.create(model="gpt-5", input=[{"role": "user", "content": "hi"}, *found.output, *results])
    _, assistant, tool = speaker.turns[-1].messages
    assert [(PARIS.id, PARIS.arguments), (SHELL.id, SHELL.arguments)] == [(c.id, c.arguments) for c in assistant.calls]
    assert (ID, ["a b", "22"]) == (assistant.answer, [result.text for result in tool.results])


@pytest.mark.parametrize("included", [False, True])
def test_reasoning_is_sealed_where_it_is_asked_for(speaker: Speaker, client: openai.OpenAI, *, included: bool) -> None:
    """In the item as it begins and as it ends; the summary stands open beside it."""
    speaker.say(own(reply(Thinking("Hm."), Thinking("So."), Text("yes"))))
    include: Any = {"include": ["reasoning.encrypted_content"]} if included else {}
    events = list(client.responses.create(**ASK, **include, stream=True))
    items = [
        event.item for event in events if event.type.startswith("response.output_item") and event.output_index == 0
    ]
    assert [[], ["Hm.", "So."]] == [[part.text for part in item.summary] for item in items]
    assert 1 == len({item.encrypted_content for item in items})
    assert included is (items[0].encrypted_content is not None)


CUT = {
    "message": reply(Text("It is"), Text("22"), finish="length"),
    "function_call": reply(Text("I look."), PARIS, finish="length"),
}


@pytest.mark.parametrize("kind", CUT)
@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_that_was_cut_is_incomplete(
    speaker: Speaker, client: openai.OpenAI, kind: str, *, stream: bool
) -> None:
    """It and its last item say so, and why."""
    speaker.say(CUT[kind])
    if stream:
        *_, last = client.responses.create(**ASK, stream=True)
        assert "response.incomplete" == last.type
        found = last.response
    else:
        found = client.responses.create(**ASK)
    assert ("incomplete", "max_output_tokens", None) == (
        found.status, found.incomplete_details.reason, found.completed_at,
    )  # fmt: skip
    assert (kind, "incomplete") == (found.output[-1].type, found.output[-1].status)
    assert {"completed"} >= {item.status for item in found.output[:-1]}


def test_an_answer_that_says_nothing_is_a_message() -> None:
    """So that a history shows that it was there."""
    turn = Turn("responses", request(b""), "gpt-5", stream=False, system="", messages=())
    (item,) = json.loads(WIRE.whole(turn, REPLIES["nothing"]).body)["output"]
    assert ("message", []) == (item["type"], item["content"])


# --- errors and findings ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("given, expected", [({}, "Your input exceeds"), ({"message": "No."}, "No.")])
def test_a_context_that_is_too_long_speaks_of_the_input(given: dict[str, str], expected: str) -> None:
    """In the words of this API, unless the author has his own."""
    answer = WIRE.failure(Failure("context_length_exceeded", **given), 0.0)
    error = json.loads(answer.body)["error"]
    assert (400, "context_length_exceeded", "input") == (answer.status, error["code"], error["param"])
    assert error["message"].startswith(expected)


@pytest.mark.parametrize("failed", [Failure("server_error"), Failure(status=500)], ids=["name", "status"])
def test_an_error_of_the_server_has_a_code(failed: Failure) -> None:
    """The one of Chat Completions has none."""
    error = json.loads(WIRE.failure(failed, 0.0).body)["error"]
    assert ("server_error", "server_error", None) == (error["type"], error["code"], error["param"])
    assert error["message"].startswith("An error occurred while processing your request.")


def rule(finish: str | None) -> Rule:
    return Rule("ask#1", "ask", At(Source("fake.toml", "fake"), Span(0, 4)), finish=finish)


@pytest.mark.parametrize(
    "finish", [None, "stop", "length", "tool_calls", "content_filter", "max_output_tokens", "end_turn"]
)
def test_responses_can_finish_by_what_a_word_means(finish: str | None) -> None:
    """Words of other providers too."""
    assert [] == list(WIRE.cannot(rule(finish)))


@pytest.mark.parametrize("finish", ["pause", "pause_turn", "banana"])
def test_responses_cannot_pause(finish: str) -> None:
    """The sentence names the word and those that Responses has."""
    (told,) = WIRE.cannot(rule(finish))
    assert f'OpenAI Responses has no finish reason "{finish}"' in told
    assert '"max_output_tokens"' in told


@pytest.mark.parametrize("word", ["MAX_TOKENS", "max_tokens", "max_output_tokens"])
def test_a_word_of_another_provider_is_said_by_its_meaning(word: str) -> None:
    """As the status and the reason."""
    turn = Turn("responses", request(b""), "gpt-5", stream=False, system="", messages=())
    assert "max_output_tokens" == HEARD.whole(WIRE.whole(turn, reply(Text("x"), finish=word)).body).raw
