"""What OpenAI Chat Completions can be asked, read into a `Turn`; and what is no request, in OpenAI's words."""

from __future__ import annotations

import json
from typing import Any

import pytest
from speaker import request

from llmposter.model import BadRequest, Message, Tool, ToolResult, ToolUse, Turn
from llmposter.wire import load
from llmposter.wire.openai_chat_body import Options

WIRE = load()["openai"]
HI = {"role": "user", "content": "hi"}
CALL = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}
USE = ToolUse("call_1", "f", '{"a":1}')


def read(body: Any, **headers: str) -> Turn | BadRequest:
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    return WIRE.read(request(sent, "/v1/chat/completions", **headers))


def turn(*messages: Any, **more: Any) -> Turn:
    found = read({"model": "gpt-4o", "messages": list(messages) or [HI], **more})
    assert isinstance(found, Turn), found
    return found


def tool(content: Any, id_: str = "call_1") -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": id_, "content": content}


def part(kind: str, value: Any) -> dict[str, Any]:
    return {"type": kind, kind: value}


def text(value: str) -> dict[str, Any]:
    return part("text", value)


IMAGE = part("image_url", {"url": "data:image/png;base64,AA==", "detail": "low"})
AUDIO = part("input_audio", {"data": "AA==", "format": "wav"})
FILE = part("file", {"file_id": "file-1"})

MESSAGES = {
    "text": ([HI], [Message("user", "hi")]),
    "name and unknown fields": ([{**HI, "name": "Ann", "cache": {"x": 1}}], [Message("user", "hi")]),
    "text parts": ([{"role": "user", "content": [text("a"), text("b")]}], [Message("user", "a\nb")]),
    "attachments": (
        [{"role": "user", "content": [text("see"), IMAGE, IMAGE, AUDIO, FILE]}],
        [Message("user", "see", images=2, files=2)],
    ),
    "image alone": ([{"role": "user", "content": [IMAGE]}], [Message("user", "", images=1)]),
    "no parts": ([{"role": "user", "content": []}], [Message("user", "")]),
    "assistant text": (
        [HI, {"role": "assistant", "content": "yes"}],
        [Message("user", "hi"), Message("assistant", "yes")],
    ),
    "assistant parts and refusal part": (
        [{"role": "assistant", "content": [text("a"), part("refusal", "no")]}],
        [Message("assistant", "a\nno")],
    ),
    "refusal": ([{"role": "assistant", "content": None, "refusal": "no"}], [Message("assistant", "no")]),
    "assistant without content": ([{"role": "assistant", "tool_calls": [CALL]}], [Message("assistant", "", (USE,))]),
    "text and call": (
        [{"role": "assistant", "content": "wait", "tool_calls": [CALL], "audio": None}],
        [Message("assistant", "wait", (USE,))],
    ),
    "audio of an earlier answer": ([{"role": "assistant", "audio": {"id": "audio_1"}}], [Message("assistant", "")]),
    "reasoning echoed": (
        [{"role": "assistant", "content": "a", "reasoning_content": "hm"}],
        [Message("assistant", "a", thinking="hm")],
    ),
    "reasoning that is no text": (
        [{"role": "assistant", "content": "a", "reasoning_content": [1]}],
        [Message("assistant", "a")],
    ),
    "custom call": (
        [{"role": "assistant", "tool_calls": [{"id": "c", "type": "custom", "custom": {"name": "sh", "input": "ls"}}]}],
        [Message("assistant", "", (ToolUse("c", "sh", "ls"),))],
    ),
    "tool result": ([tool("22")], [Message("tool", results=(ToolResult("call_1", "22"),))]),
    "tool result in parts": (
        [tool([text("2"), text("2")])],
        [Message("tool", results=(ToolResult("call_1", "2\n2"),))],
    ),
    "results that follow each other": (
        [tool("1", "a"), tool("2", "b"), HI, tool("3", "c")],
        [
            Message("tool", results=(ToolResult("a", "1"), ToolResult("b", "2"))),
            Message("user", "hi"),
            Message("tool", results=(ToolResult("c", "3"),)),
        ],
    ),
    "results around a system message": (
        [tool("1", "a"), {"role": "developer", "content": "x"}, tool("2", "b")],
        [Message("tool", results=(ToolResult("a", "1"), ToolResult("b", "2")))],
    ),
    "the old function call": (
        [
            {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}},
            {"role": "function", "name": "f", "content": "22"},
        ],
        [
            Message("assistant", "", (ToolUse("", "f", "{}"),)),
            Message("tool", results=(ToolResult("", "22", tool="f"),)),
        ],
    ),
    "a function that said nothing": (
        [{"role": "function", "name": "f", "content": None}],
        [Message("tool", results=(ToolResult("", "", tool="f"),))],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MESSAGES)
def test_messages_are_read(name: str) -> None:
    """Every form of message that the SDK can send is read into our words."""
    sent, expected = MESSAGES[name]
    assert tuple(expected) == turn(*sent).messages


@pytest.mark.parametrize("name", MESSAGES)
def test_the_spelling_of_a_key_changes_nothing(name: str) -> None:
    """A history whose keys are escaped is the same history, however many messages it has."""
    sent, expected = MESSAGES[name]
    spelt = json.dumps({"model": "gpt-4o", "messages": sent}).replace('"role"', '"\\u0072ole"').encode()
    assert b'"role"' not in spelt
    found = read(spelt)
    assert isinstance(found, Turn)
    assert tuple(expected) == found.messages


def test_system_and_developer_messages_are_joined_wherever_they_stand() -> None:
    """They are no messages: their texts make the system prompt, in order."""
    found = turn(
        {"role": "system", "content": "one"}, HI, {"role": "developer", "content": [text("two"), text("three")]}
    )
    assert ("one\ntwo\nthree", (Message("user", "hi"),)) == (found.system, found.messages)


SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
FIELDS = [
    # what is sent, the attribute, its value
    ({}, "stream", False),
    ({"stream": None}, "stream", False),
    ({"stream": False}, "stream", False),
    ({"stream": True}, "stream", True),
    ({}, "tools", ()),
    ({"tools": None}, "tools", ()),
    ({"tools": []}, "tools", ()),
    (
        {"tools": [part("function", {"name": "f", "parameters": SCHEMA}), part("custom", {"name": "sh"})]},
        "tools",
        (Tool("f", SCHEMA), Tool("sh")),
    ),
    ({"functions": [{"name": "f", "parameters": SCHEMA}, {"name": "g"}]}, "tools", (Tool("f", SCHEMA), Tool("g"))),
    ({}, "params", {}),
    ({"temperature": 1, "top_p": 0.5}, "params", {"temperature": 1, "top_p": 0.5}),
    ({"seed": -3, "n": 2}, "params", {"seed": -3, "n": 2}),
    ({"temperature": None, "stop": None, "n": None}, "params", {}),
    ({"stop": "x"}, "params", {"stop": "x"}),
    ({"stop": ["x", "y"]}, "params", {"stop": ["x", "y"]}),
    ({"max_tokens": 5}, "params", {"max_tokens": 5}),
    ({"max_completion_tokens": 6}, "params", {"max_tokens": 6}),
    ({"reasoning_effort": "low"}, "params", {"reasoning": "low"}),
    ({"response_format": {"type": "text"}}, "params", {"response_format": {"type": "text"}}),
    ({"tools": [part("function", {"name": "f"})], "tool_choice": "auto"}, "params", {"tool_choice": "auto"}),
    ({"functions": [{"name": "f"}], "function_call": {"name": "f"}}, "params", {"tool_choice": {"name": "f"}}),
    ({}, "metadata", {}),
    ({"metadata": {"run": "7"}}, "metadata", {"run": "7"}),
    ({"unheard_of": [1], "logit_bias": {"1": 2}, "prediction": {"type": "content", "content": "x"}}, "breaches", ()),
]  # fmt: skip


@pytest.mark.parametrize("sent, attribute, expected", FIELDS)
def test_fields_are_read(sent: dict[str, Any], attribute: str, expected: Any) -> None:
    """What was sent stands under the language's names, what was not or was null does not."""
    assert expected == getattr(turn(**sent), attribute)


def test_the_bytes_are_kept() -> None:
    """A turn carries its request, unknown fields included, and says who it was sent to."""
    found = turn(unheard_of=1)
    assert (found.provider, found.model) == ("openai", "gpt-4o")
    assert json.loads(found.request.body)["unheard_of"] == 1


@pytest.mark.parametrize(
    "count, expected",
    [("0", 0), ("2", 2), (None, None), ("", None), ("x", None), ("-1", None), ("1" * 30, None), ("²", None)],
)
def test_the_retry_count_is_read(count: str | None, expected: int | None) -> None:
    """It is a number or it is not there."""
    headers = {} if count is None else {"x_stainless_retry_count": count}
    found = read({"model": "m", "messages": [HI]}, **headers)
    assert isinstance(found, Turn)
    assert expected == found.retry


BREACHES = [
    ({"stream_options": {"include_usage": True}}, "'stream_options'"),
    ({"max_tokens": 1, "max_completion_tokens": 1}, "'max_completion_tokens' at the same time"),
    ({"tool_choice": "auto"}, "'tool_choice' is only allowed"),
    ({"tools": [part("function", {"name": "get weather"})]}, "'tools[0].function.name': 'get weather'"),
    ({"tools": [part("custom", {"name": ""})]}, "'tools[0].custom.name': ''"),
    ({"functions": [{"name": "x" * 65}]}, "'functions[0].name'"),
    ({"stop": ["a", "b", "c", "d", "e"]}, "maximum length 4, but got 5"),
    ({"response_format": {"type": "json_object"}}, "the word 'json'"),
    ({"tools": []}, "'tools': empty array"),
    ({"functions": []}, "'functions': empty array"),
    ({"messages": [HI, {"role": "assistant", "content": "a", "tool_calls": []}]}, "'messages[1].tool_calls': empty"),
    ({"messages": [HI, {"role": "assistant", "content": None}]}, "'messages[1].content': expected a string, got null"),
    ({"messages": [HI, {"role": "assistant"}]}, "'messages[1].content': expected a string, got null"),
]  # fmt: skip


@pytest.mark.parametrize("sent, expected", BREACHES)
def test_a_readable_body_that_openai_refuses_is_a_breach(sent: dict[str, Any], expected: str) -> None:
    """What OpenAI answers with a 400 although it can be understood is told, once."""
    (breach,) = turn(**sent).breaches
    assert expected in breach


KEPT = [
    {"stream": True, "stream_options": {"include_usage": True}},
    {"tools": [part("function", {"name": "get-weather_2"})], "tool_choice": "required"},
    {"messages": [{"role": "system", "content": "Answer in JSON."}, HI], "response_format": {"type": "json_object"}},
    {"messages": [HI, {"role": "assistant", "refusal": "no"}, {"role": "assistant", "audio": {"id": "audio_1"}}]},
    {"messages": [HI, {"role": "assistant", "tool_calls": [CALL]}]},
    {"messages": [HI, {"role": "assistant", "content": ""}]},
    {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {}}}},
]


@pytest.mark.parametrize("sent", KEPT)
def test_what_openai_takes_is_no_breach(sent: dict[str, Any]) -> None:
    """The forms next to those breaches are fine."""
    assert turn(**sent).breaches == ()


# --- what is no request -------------------------------------------------------------------------------------------


def refused(*messages: Any, **more: Any) -> dict[str, Any]:
    return {"model": "m", "messages": list(messages) or [HI], **more}


NOT_JSON = [
    b"", b" ", b"{", b"hello", b'{"model": "m",}', b"\xff\xfe{\x00}\x00", b'{"model": "\xff", "messages": []}',
    b'{"model": "m", "messages": [], "x": "\xff"}', b'{"model": "m", "x": "\\ud800", "messages": []}',
    b"\xef\xbb\xbf{}", b'{"model": "m", "x": NaN}', b'{"x":' + b"[" * 100_000, b'{"x":' + b'{"a":' * 100_000,
]  # fmt: skip


@pytest.mark.parametrize("body", NOT_JSON, ids=lambda body: repr(body[:20]))
def test_a_body_that_is_no_json_is_refused(body: bytes) -> None:
    """Broken JSON, broken UTF-8, a byte order mark and nesting without end are told as OpenAI tells them."""
    found = read(body)
    assert isinstance(found, BadRequest)
    assert found.message.startswith("We could not parse the JSON body of your request.")
    assert (found.param, found.code, found.status) == (None, None, 400)


ROLES = "'system', 'assistant', 'user', 'function', 'tool', and 'developer'"
CONTENT = "expected one of a string or array of objects"
WRONG = "Invalid type for 'messages[0].tool_calls[0].function.arguments'"
BAD = [
    # the body; message, param, code
    ([], "Invalid type: expected an object, but got an array instead.", None, "invalid_type"),
    ({"messages": [HI]}, "you must provide a model parameter", None, None),
    ({"model": "", "messages": [HI]}, "you must provide a model parameter", None, None),
    (
        {"model": 5, "messages": [HI]},
        "Invalid type for 'model': expected a string, but got an integer instead.", "model", "invalid_type",
    ),
    ({"model": "m"}, "Missing required parameter: 'messages'.", "messages", "missing_required_parameter"),
    (
        {"model": "m", "messages": []},
        "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.",
        "messages", "empty_array",
    ),
    (
        {"model": "m", "messages": "hi"},
        "Invalid type for 'messages': expected an array, but got a string instead.", "messages", "invalid_type",
    ),
    (
        refused("hi"),
        "Invalid type for 'messages[0]': expected an object, but got a string instead.", "messages[0]", "invalid_type",
    ),
    (
        refused({"content": "hi"}),
        "Missing required parameter: 'messages[0].role'.", "messages[0].role", "missing_required_parameter",
    ),
    (
        refused(HI, {"role": "bot", "content": "hi"}),
        f"Invalid value: 'bot'. Supported values are: {ROLES}.",
        "messages[1].role", "invalid_value",
    ),
    (
        refused({"role": 1}),
        "Invalid type for 'messages[0].role': expected a string.", "messages[0].role", "invalid_type",
    ),
    (
        refused(HI, {"role": "user", "content": 3}),
        f"Invalid type for 'messages[1].content': {CONTENT}, but got an integer instead.",
        "messages[1].content", "invalid_type",
    ),
    (
        refused({"role": "user", "content": None}),
        f"Invalid type for 'messages[0].content': {CONTENT}, but got null instead.",
        "messages[0].content", "invalid_type",
    ),
    (
        refused({"role": "user"}),
        "Missing required parameter: 'messages[0].content'.", "messages[0].content", "missing_required_parameter",
    ),
    (
        refused({"role": "user", "content": ["hi"]}),
        "Invalid type for 'messages[0].content[0]': expected an object, but got a string instead.",
        "messages[0].content[0]", "invalid_type",
    ),
    (
        refused({"role": "user", "content": [{"type": "video"}]}),
        "Invalid value: 'video'. Supported values are: 'text', 'image_url', 'input_audio', 'refusal', and 'file'.",
        "messages[0].content[0].type", "invalid_value",
    ),
    (
        refused({"role": "user", "content": [{"text": "hi"}]}),
        "Missing required parameter: 'messages[0].content[0].type'.",
        "messages[0].content[0].type", "missing_required_parameter",
    ),
    (
        refused({"role": "user", "content": [part("image_url", "https://x/y.png")]}),
        "Invalid type for 'messages[0].content[0].image_url': expected an object, but got a string instead.",
        "messages[0].content[0].image_url", "invalid_type",
    ),
    (
        refused({"role": "assistant", "tool_calls": [{**CALL, "type": "magic"}]}),
        "Invalid value: 'magic'. Supported values are: 'function' and 'custom'.",
        "messages[0].tool_calls[0].type", "invalid_value",
    ),
    (
        refused({"role": "assistant", "tool_calls": [{**CALL, "function": {"name": "f", "arguments": {"a": 1}}}]}),
        f"{WRONG}: expected a string, but got an object instead.",
        "messages[0].tool_calls[0].function.arguments", "invalid_type",
    ),
    (
        refused({"role": "tool", "content": "22"}),
        "Missing required parameter: 'messages[0].tool_call_id'.",
        "messages[0].tool_call_id", "missing_required_parameter",
    ),
    (
        refused(stream="true"),
        "Invalid type for 'stream': expected a boolean, but got a string instead.", "stream", "invalid_type",
    ),
    (
        refused(tools=[{"type": "web_search"}]),
        "Invalid value: 'web_search'. Supported values are: 'function' and 'custom'.", "tools[0].type", "invalid_value",
    ),
    (
        refused(tools=[{"type": "function"}]),
        "Missing required parameter: 'tools[0].function'.", "tools[0].function", "missing_required_parameter",
    ),
    (
        refused(temperature="hot"),
        "Invalid type for 'temperature': expected a decimal, but got a string instead.", "temperature", "invalid_type",
    ),
    (
        refused(temperature=3),
        "Invalid 'temperature': decimal above maximum value. Expected a value <= 2, but got 3 instead.",
        "temperature", "decimal_above_max_value",
    ),
    (
        refused(n=0),
        "Invalid 'n': integer below minimum value. Expected a value >= 1, but got 0 instead.",
        "n", "integer_below_min_value",
    ),
    (
        refused(n=1_000_000),
        "Invalid 'n': integer above maximum value. Expected a value <= 128, but got 1000000 instead.",
        "n", "integer_above_max_value",
    ),
    (
        refused(n=1.5),
        "Invalid type for 'n': expected an integer, but got a decimal instead.", "n", "invalid_type",
    ),
    (
        b'{"seed": 1' + b"0" * 5000 + b"}",
        "Invalid value for 'seed': Integer value out of range.", "seed", None,
    ),
    (
        refused(metadata=["x"]),
        "Invalid type for 'metadata': expected an object, but got an array instead.", "metadata", "invalid_type",
    ),
    (
        refused(stop={"a": 1}),
        "Invalid type for 'stop': expected one of a string or array of strings, but got an object instead.",
        "stop", "invalid_type",
    ),
]  # fmt: skip


@pytest.mark.parametrize("body, message, param, code", BAD)
def test_a_wrong_body_is_refused_in_openais_words(body: Any, message: str, param: str | None, code: str | None) -> None:
    """What is wrong, where, and what would be right."""
    assert BadRequest(message, param, code) == read(body)


OPTIONS: dict[str, Any] = {
    "stream_options": {"include_usage": True},
    "tools": [{"type": "function", "function": {"name": "f"}}],
    "functions": [{"name": "f"}],
    "tool_choice": "auto",
    "function_call": "auto",
    "temperature": 0,
    "top_p": 0,
    "max_tokens": 1,
    "max_completion_tokens": 1,
    "stop": "x",
    "seed": 0,
    "n": 1,
    "reasoning_effort": "low",
    "response_format": {"type": "text"},
    "service_tier": "flex",
}


def test_no_option_is_overlooked() -> None:
    """Each option that a request can have shows in its turn, even if it is all that is said."""
    assert set(Options.__struct_fields__) == {*OPTIONS, "stream", "metadata"}
    for name, value in OPTIONS.items():
        found = turn(**{name: value})
        assert (found.tools, found.params, found.extra) != (turn().tools, turn().params, turn().extra), name
