"""What OpenAI Chat Completions answers, judged by the models of the official SDK: strictly, and with nothing extra."""

from __future__ import annotations

import json
from functools import reduce
from typing import Any

import pytest
from msgspec.structs import replace
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from pydantic import BaseModel
from speaker import request
from wire_cases import CHUNKS, MATRIX, PARIS, REPLIES, ROME, deltas, reply, text

from llmposter.core.delivery import pieces
from llmposter.model import Refusal, Reply, Text, Thinking, ToolCall, Turn
from llmposter.wire import load

WIRE = load()["openai"]
DONE = b"data: [DONE]\n\n"
REASONING = "reasoning_content"
"""Not in OpenAI's own API; the one field beyond it, and only where there is reasoning."""


def turn(**body: Any) -> Turn:
    sent = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}], **body}
    found = WIRE.read(request(json.dumps(sent).encode()))
    assert isinstance(found, Turn)
    return found


def extras(value: Any) -> set[str]:
    """Names of all fields that the SDK's models do not know."""
    match value:
        case BaseModel():
            known = {name for field in type(value).model_fields for name in extras(getattr(value, field))}
            return known | set(value.model_extra or ())
        case list():
            return {name for item in value for name in extras(item)}
        case _:
            return set()


def whole(given: Reply, **body: Any) -> ChatCompletion:
    answer = WIRE.whole(turn(**body), given)
    assert answer.status == 200
    found = ChatCompletion.model_validate_json(answer.body, strict=True)
    assert extras(found) == ({REASONING} if deltas(given, Thinking) else set())
    return found


def chunks(given: Reply, chunk: str, **body: Any) -> list[ChatCompletionChunk]:
    frames = [f.data for f in WIRE.stream(turn(stream=True, **body), given, pieces(given, CHUNKS[chunk]))]
    assert frames[-1] == DONE
    found = []
    for data in frames[:-1]:
        assert data.startswith(b"data: {")
        assert data.endswith(b"}\n\n")
        assert data.count(b"\n") == 2
        found.append(ChatCompletionChunk.model_validate_json(data[6:], strict=True))
        assert extras(found[-1]) <= {REASONING}
    return found


def joined(found: list[ChatCompletionChunk], index: int = 0) -> dict[str, Any]:
    """The message that the chunks of one choice spell, as any client would put it together."""
    said = [choice for chunk in found for choice in chunk.choices if choice.index == index]
    assert [choice.finish_reason for choice in said[:-1]] == [None] * (len(said) - 1)
    message = reduce(_with, (choice.delta.model_dump(exclude_unset=True) for choice in said), {})
    return {**message, "finish_reason": said[-1].finish_reason}


def _with(message: dict[str, Any], delta: dict[str, Any]) -> dict[str, Any]:
    for name, value in delta.items():
        match value:
            case list():
                calls = message.setdefault(name, [])
                for call in value:
                    _call(calls, call)
            case str() if isinstance(message.get(name), str):
                message[name] += value
            case _:
                message[name] = value if value is not None else message.get(name)
    return message


def _call(calls: list[dict[str, Any]], fragment: dict[str, Any]) -> None:
    if fragment["index"] == len(calls):
        assert fragment["id"]
        assert fragment["type"] == "function"
        assert fragment["function"]["arguments"] == ""
        calls.append({key: fragment[key] for key in ("id", "type", "function")})
    else:
        # Fragments of the call begun last, and never its id or name again.
        assert fragment["index"] == len(calls) - 1
        assert set(fragment) == {"index", "function"}
        assert set(fragment["function"]) == {"arguments"}
        calls[-1]["function"]["arguments"] += fragment["function"]["arguments"]


def expected(given: Reply) -> dict[str, Any]:
    """The message that the answer's parts make."""
    calls = [
        {"id": part.id, "type": "function", "function": {"name": part.tool, "arguments": part.arguments}}
        for part in given.parts
        if isinstance(part, ToolCall)
    ]
    thought = deltas(given, Thinking)
    return {
        "role": "assistant",
        "content": text(given),
        "refusal": deltas(given, Refusal) or None,
        **({REASONING: thought} if thought else {}),
        **({"tool_calls": calls} if calls else {}),
        "finish_reason": given.finish,
    }


@pytest.mark.parametrize("name", REPLIES)
@pytest.mark.parametrize("n", [1, 2])
def test_a_whole_answer_passes_the_sdks_model(name: str, n: int) -> None:
    """Every reply, in one or two choices, is a ChatCompletion with all that OpenAI sends and nothing else."""
    given = REPLIES[name]
    found = whole(given, n=n)
    assert ("chatcmpl-Abc123", 1_700_000_000, "gpt-4o") == (found.id, found.created, found.model)
    assert [*range(n)] == [choice.index for choice in found.choices]
    for choice in found.choices:
        message = choice.message.model_dump(exclude_unset=True)
        assert message.pop("annotations") == []
        assert expected(given) == {**message, "finish_reason": choice.finish_reason}


@pytest.mark.parametrize("name, chunk", MATRIX)
def test_a_streamed_answer_passes_the_sdks_model(name: str, chunk: str) -> None:
    """Every chunk of every reply passes, and they spell the message of the whole answer, for each choice."""
    given = REPLIES[name]
    for n in (1, 2):
        for usage in (False, True):
            options = {"stream_options": {"include_usage": usage}}
            found = chunks(given, chunk, n=n, **options)
            for index in range(n):
                assert expected(given) == joined(found, index)
            assert {("chatcmpl-Abc123", 1_700_000_000, "gpt-4o")} == {(c.id, c.created, c.model) for c in found}


def test_a_stream_begins_with_the_role_and_ends_with_the_finish_reason() -> None:
    """The first chunk has the role and no text, the last one nothing but the finish reason."""
    first, *_, last = chunks(REPLIES["text"], "1 word")
    assert first.choices[0].delta.to_dict() == {"role": "assistant", "content": "", "refusal": None}
    assert (last.choices[0].delta.to_dict(), last.choices[0].finish_reason) == ({}, "stop")


def test_a_stream_of_calls_has_no_content() -> None:
    """Where no text comes, the first chunk says null, as the whole answer does."""
    assert chunks(REPLIES["one call"], "whole")[0].choices[0].delta.content is None
    assert whole(REPLIES["one call"]).choices[0].message.content is None


def test_arguments_are_streamed_in_fragments_under_their_calls_index() -> None:
    """The second call begins when the first is complete."""
    found = chunks(reply(PARIS, ROME), "20 characters")
    calls = [c.choices[0].delta.tool_calls[0] for c in found if c.choices[0].delta.tool_calls]
    assert [0, 0, 0, 1, 1, 1] == [call.index for call in calls]
    assert ["call_a1", None, None, "call_b2", None, None] == [call.id for call in calls]


def test_what_has_no_utf8_is_still_json_that_any_client_reads() -> None:
    """Half a pair becomes the replacement character, two halves that belong together the character they are."""
    given = reply(Text("a\ud83cb \ud83c\udf26"))
    assert whole(given).choices[0].message.content == "a\ufffdb \U0001f326"
    assert joined(chunks(given, "whole"))["content"] == "a\ufffdb \U0001f326"


def test_structured_output_is_content() -> None:
    """JSON that a scenario gives as data is the text of the message."""
    content = whole(REPLIES["structured"]).choices[0].message.content
    assert json.loads(content) == {"city": "Paris", "temps": [1, 2.5, None]}


# --- usage ----------------------------------------------------------------------------------------------------------

USAGE = {
    "prompt_tokens": 11,
    "completion_tokens": 7,
    "total_tokens": 18,
    "prompt_tokens_details": {"cached_tokens": 3, "audio_tokens": 0},
    "completion_tokens_details": {
        "reasoning_tokens": 2,
        "audio_tokens": 0,
        "accepted_prediction_tokens": 0,
        "rejected_prediction_tokens": 0,
    },
}


def test_usage_is_told_with_its_details() -> None:
    """A whole answer has the counts of the reply."""
    assert USAGE == whole(REPLIES["text"]).usage.to_dict()


def test_a_stream_tells_usage_only_where_it_was_asked_to() -> None:
    """With include_usage the last chunk has the counts and no choice, the others null; without, none has the field."""
    *others, last = chunks(REPLIES["text"], "1 word", stream_options={"include_usage": True})
    assert (USAGE, []) == (last.usage.to_dict(), last.choices)
    assert all(chunk.usage is None and "usage" in chunk.model_fields_set for chunk in others)
    for options in ({}, {"stream_options": {}}, {"stream_options": {"include_usage": False}}):
        found = chunks(REPLIES["text"], "1 word", **options)
        assert not any("usage" in chunk.model_fields_set for chunk in found)


# --- what the request asks for ----------------------------------------------------------------------------------------

TIERS = [(None, "default"), ("auto", "default"), ("default", "default"), ("flex", "flex"), ("fast", "priority"),
         ("priority", "priority"), ("unheard of", "default")]  # fmt: skip


@pytest.mark.parametrize("asked, told", TIERS)
def test_the_service_tier_is_told(asked: str | None, told: str) -> None:
    """A tier that OpenAI sells is echoed, whole and streamed."""
    assert told == whole(REPLIES["text"], service_tier=asked).service_tier
    assert {told} == {chunk.service_tier for chunk in chunks(REPLIES["text"], "whole", service_tier=asked)}


FINISHES = [("stop", "stop"), ("length", "length"), ("tool_calls", "tool_calls"), ("content_filter", "content_filter"),
            ("pause", "stop"), ("insufficient_system_resource", "insufficient_system_resource")]  # fmt: skip


@pytest.mark.parametrize("ours, told", FINISHES)
def test_the_finish_reason_is_told(ours: str, told: str) -> None:
    """Our words are OpenAI's, but for pause, which it has no equal of; another word goes out as it is."""
    given = reply(Text("x"), finish=ours)
    body = json.loads(WIRE.whole(turn(), given).body)
    frames = list(WIRE.stream(turn(stream=True), given, pieces(given, CHUNKS["whole"])))
    assert told == body["choices"][0]["finish_reason"]
    assert told == json.loads(frames[-2].data[6:])["choices"][0]["finish_reason"]


FUNCTIONS = [{"name": "get_weather", "parameters": {"type": "object"}}]


def test_the_old_functions_get_the_old_call() -> None:
    """A request that declares functions, not tools, gets one call as function_call, whole and streamed."""
    given = REPLIES["text then call"]
    choice = whole(given, functions=FUNCTIONS).choices[0]
    assert ("function_call", None) == (choice.finish_reason, choice.message.tool_calls)
    assert ("get_weather", PARIS.arguments) == (
        choice.message.function_call.name,
        choice.message.function_call.arguments,
    )
    found = chunks(given, "1 word", functions=FUNCTIONS)
    calls = [c.choices[0].delta.function_call for c in found if c.choices[0].delta.function_call]
    assert ["get_weather"] == [call.name for call in calls if call.name]
    assert PARIS.arguments == "".join(call.arguments for call in calls)
    assert found[-1].choices[0].finish_reason == "function_call"


def test_several_calls_are_never_lost_in_the_old_form() -> None:
    """function_call can say one call; where there are two, they go out as tool_calls."""
    choice = whole(REPLIES["two parallel calls"], functions=FUNCTIONS).choices[0]
    assert (2, "tool_calls", None) == (
        len(choice.message.tool_calls),
        choice.finish_reason,
        choice.message.function_call,
    )


def test_a_custom_tool_gets_its_text() -> None:
    """A tool declared as custom gets the call's text as input, whole and streamed."""
    tools = [{"type": "custom", "custom": {"name": "shell"}}]
    given = reply(ToolCall("call_s", "shell", "ls -l /tmp"))
    (call,) = whole(given, tools=tools).choices[0].message.tool_calls
    assert ("call_s", "custom", "shell", "ls -l /tmp") == (call.id, call.type, call.custom.name, call.custom.input)
    frames = list(WIRE.stream(turn(stream=True, tools=tools), given, pieces(given, CHUNKS["1 word"])))
    sent = [json.loads(f.data[6:])["choices"][0]["delta"]["tool_calls"][0] for f in frames if f.piece is not None]
    assert {"index": 0, "id": "call_s", "type": "custom", "custom": {"name": "shell", "input": ""}} == sent[0]
    assert "ls -l /tmp" == "".join(fragment["custom"]["input"] for fragment in sent[1:])


# --- headers ----------------------------------------------------------------------------------------------------------


def test_headers_that_clients_read() -> None:
    """Who answered, how long it took and what is left of the limits; whole and streamed differ in the type alone."""
    given = REPLIES["text"]
    plain, streamed = dict(WIRE.whole(turn(), given).headers), dict(WIRE.head(turn(stream=True), given))
    assert plain.pop("content-type") == "application/json"
    assert streamed.pop("content-type") == "text/event-stream; charset=utf-8"
    assert streamed.pop("cache-control") == "no-cache"
    assert plain == streamed
    assert plain["x-request-id"].startswith("req_")
    assert plain["openai-version"] == "2020-10-01"
    assert int(plain["openai-processing-ms"]) > 0
    for kind in ("requests", "tokens"):
        assert int(plain[f"x-ratelimit-remaining-{kind}"]) < int(plain[f"x-ratelimit-limit-{kind}"])
        assert plain[f"x-ratelimit-reset-{kind}"].endswith("s")


def test_the_authors_headers_replace_ours() -> None:
    """A header of the rule stands in place of ours of the same name, whatever its case."""
    given = REPLIES["own headers"]
    for headers in (WIRE.whole(turn(), given).headers, WIRE.head(turn(stream=True), given)):
        assert [("X-Request-ID", "req_mine")] == [h for h in headers if h[0].lower() == "x-request-id"]
        assert ("X-Mine", "1") in headers


def test_two_answers_have_two_request_ids() -> None:
    """The id belongs to the answer."""
    ids = {dict(WIRE.head(turn(), replace(REPLIES["text"], id=id_)))["x-request-id"] for id_ in "abc"}
    assert len(ids) == 3
