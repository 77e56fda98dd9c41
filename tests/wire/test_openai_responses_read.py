"""What OpenAI Responses can be asked, read into a `Turn`; and what is no request, in OpenAI's words."""

from __future__ import annotations

import json
from typing import Any

import pytest
from speaker import request

from llmposter.model import BadRequest, Message, Reference, Tool, ToolResult, ToolUse, Turn
from llmposter.wire import load
from llmposter.wire.openai_item_ids import named
from llmposter.wire.seal import sealed

WIRE = load()["responses"]
HI = {"role": "user", "content": "hi"}
ANSWER, OTHER = "0123456789abcdef01234567", "76543210fedcba9876543210"
RS, MSG = named("reasoning", ANSWER, 0, 0), named("message", ANSWER, 1, 0)
FC = [named("function_call", ANSWER, n) for n in range(3)]
USES = [ToolUse(f"call_{n}", "f", '{"a":1}') for n in range(3)]


def read(body: Any, **headers: str) -> Turn | BadRequest:
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    return WIRE.read(request(sent, "/v1/responses", **headers))


def turn(*items: Any, **more: Any) -> Turn:
    found = read({"model": "gpt-4o", "input": list(items) or [HI], **more})
    assert isinstance(found, Turn), found
    return found


def text(value: str, kind: str = "input_text") -> dict[str, Any]:
    return {"type": kind, "text": value}


def message(role: str, *content: Any, **more: Any) -> dict[str, Any]:
    return {"type": "message", "role": role, "content": list(content), **more}


def said(value: str, id_: str = "msg_1") -> dict[str, Any]:
    return message("assistant", {**text(value, "output_text"), "annotations": []}, id=id_, status="completed")


def call(n: int = 0, id_: str | None = None) -> dict[str, Any]:
    return {"type": "function_call", "id": id_, "call_id": f"call_{n}", "name": "f", "arguments": '{"a":1}'}


def output(value: Any, n: int = 0) -> dict[str, Any]:
    return {"type": "function_call_output", "call_id": f"call_{n}", "output": value}


def thought(value: str = "hm", id_: str = RS, **more: Any) -> dict[str, Any]:
    return {"type": "reasoning", "id": id_, "summary": [text(value, "summary_text")] if value else [], **more}


def results(*values: str, first: int = 0) -> Message:
    return Message("tool", results=tuple(ToolResult(f"call_{n}", value) for n, value in enumerate(values, first)))


def assistant(value: str = "", *calls: int, **more: Any) -> Message:
    return Message("assistant", value, tuple(USES[n] for n in calls), **more)


IMAGE = {"type": "input_image", "image_url": "data:image/png;base64,AA==", "detail": "low"}
FILE = {"type": "input_file", "file_id": "file-1"}
AUDIO = {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}}
USER = Message("user", "hi")

ITEMS = {
    "easy message": ([HI], [USER]),
    "full message": (
        [message("user", text("a"), text("b"), id="msg_u", status="completed")],
        [Message("user", "a\nb")],
    ),
    "attachments": (
        [message("user", text("see"), IMAGE, IMAGE, FILE, AUDIO)],
        [Message("user", "see", images=2, files=2)],
    ),
    "users that follow each other": ([HI, HI], [USER, USER]),
    "an output that names its tool": (
        [HI, call(0), {"type": "function_call_output", "call_id": None, "name": "f", "output": "22"}],
        [USER, assistant("", 0), Message("tool", results=(ToolResult("", "22", "f"),))],
    ),
    "an easy answer": ([HI, {"role": "assistant", "content": "yes"}], [USER, assistant("yes")]),
    "an answer and a refusal in one message": (
        [message("assistant", text("a", "output_text"), {"type": "refusal", "refusal": "no"}, id="msg_1")],
        [assistant("a\nno")],
    ),
    "messages of one answer": ([said("a"), said("b", "msg_2")], [assistant("a\nb")]),
    "text and calls of one answer": ([said("a"), call(0), call(1)], [assistant("a", 0, 1)]),
    "answers that their ids tell apart": (
        [said("a", named("message", ANSWER, 0)), said("b", named("message", OTHER, 0))],
        [assistant("a", answer=ANSWER), assistant("b", answer=OTHER)],
    ),
    "one answer, told by the id of one item": (
        [said("a", "msg_1"), call(0, FC[1])],
        [assistant("a", 0, answer=ANSWER)],
    ),
    "a custom call": (
        [{"type": "custom_tool_call", "call_id": "c", "name": "sh", "input": "ls"}],
        [Message("assistant", "", (ToolUse("c", "sh", "ls"),))],
    ),
    "results that follow each other": ([output("1", 0), output("2", 1)], [results("1", "2")]),
    "a result in parts": ([output([text("2"), IMAGE, text("2")])], [results("2\n2")]),
    "a result of a custom tool": (
        [{"type": "custom_tool_call_output", "call_id": "c", "output": "x"}],
        [Message("tool", results=(ToolResult("c", "x"),))],
    ),
    "calls and results one after the other": (
        [call(0), output("1", 0), call(1), output("2", 1)],
        [assistant("", 0), results("1"), assistant("", 1), results("2", first=1)],
    ),
    "calls of one answer between their results": (
        [HI, call(0, FC[0]), output("1", 0), call(1, FC[1]), output("2", 1), HI],
        [USER, assistant("", 0, 1, answer=ANSWER), results("1", "2"), USER],
    ),
    "an id that comes again after the user": (
        [call(0, FC[0]), HI, call(1, FC[1])],
        [assistant("", 0, answer=ANSWER), USER, assistant("", 1, answer=ANSWER)],
    ),
    "reasoning with its text": (
        [thought(), said("a", MSG)],
        [assistant("a", thinking="hm", answer=ANSWER)],
    ),
    "reasoning alone": ([thought(id_="rs_1")], [assistant(thinking="hm")]),
    "reasoning in full, without a summary": (
        [thought("", "rs_1", content=[text("all of it", "reasoning_text")])],
        [assistant(thinking="all of it")],
    ),
    "sealed reasoning without an id": (
        [thought(id_=None, encrypted_content=sealed(ANSWER, "hm")), said("a")],  # type: ignore[arg-type]
        [assistant("a", thinking="hm", answer=ANSWER)],
    ),
    "sealed reasoning without its summary": (
        [thought("", "rs_1", encrypted_content=sealed(ANSWER, "hm")), said("a")],
        [assistant("a", answer=ANSWER)],
    ),
    "a history that was summed up": (
        [HI, {"type": "compaction", "id": "cmp_1", "encrypted_content": sealed(ANSWER, "")}, HI],
        [USER, assistant(answer=ANSWER), USER],
    ),
    "a summary of no answer": (
        [HI, {"type": "compaction", "encrypted_content": sealed("", "")}, HI],
        [USER, USER],
    ),
    "items of hosted tools": (
        [HI, {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {}}, said("a")],
        [USER, assistant("a")],
    ),
    "items of hosted tools with fields of other types": (
        [{"type": "computer_call_output", "call_id": 1, "output": {"type": "x"}}, {"type": "mcp_call", "output": None}],
        [],
    ),
    "system messages wherever they stand": (
        [output("1", 0), {"role": "developer", "content": "x"}, output("2", 1)],
        [results("1", "2")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ITEMS)
def test_items_are_read(name: str) -> None:
    """Every form of item that the SDK can send is read into our words, once and again, and breaks nothing."""
    sent, expected = ITEMS[name]
    for _ in range(2):
        found = turn(*sent)
        assert (tuple(expected), ()) == (found.messages, found.breaches)


def test_a_text_is_a_message() -> None:
    """`input` may be the text of one message of the user."""
    found = read({"model": "m", "input": "hi"})
    assert isinstance(found, Turn)
    assert (USER,) == found.messages


def test_instructions_come_before_system_and_developer_messages() -> None:
    """All make the system prompt; the messages among them stay in the history, the instructions do not."""
    found = turn({"role": "system", "content": "two"}, HI, message("developer", text("three")), instructions="one")
    assert ("one\ntwo\nthree", "two\nthree", (USER,)) == (found.system, found.carried, found.messages)


def test_what_was_read_once_is_known_again() -> None:
    """The messages of a history are the same objects the next time, so that what follows from them is known too."""
    history = [HI, thought(), call(0, named("function_call", ANSWER, 1, 0)), output("1")]
    first, again = turn(*history, HI), turn(*history, HI)
    assert first.messages[1] is again.messages[1]
    assert assistant("", 0, thinking="hm", answer=ANSWER) == first.messages[1]


def test_a_reference_names_an_answer() -> None:
    """An item that is only referred to stands for its answer; what is lost with it is told in OpenAI's words."""
    found = turn(HI, {"type": "item_reference", "id": RS}, {"id": MSG}, HI)
    assert (USER, assistant(answer=ANSWER), USER) == found.messages
    lost = BadRequest(f"Item with id '{RS}' not found.", "input", status=404)
    assert (Reference(1, ANSWER, lost),) == found.references


SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
FUNCTION = {"type": "function", "name": "f", "parameters": SCHEMA, "strict": False}
FIELDS = [
    # what is sent, the attribute, its value
    ({}, "stream", False),
    ({"stream": None}, "stream", False),
    ({"stream": True}, "stream", True),
    ({}, "tools", ()),
    ({"tools": None}, "tools", ()),
    ({"tools": []}, "tools", ()),
    (
        {"tools": [FUNCTION, {"type": "web_search"}, {"type": "custom", "name": "sh"}, {"type": "mcp", "x": 1}]},
        "tools",
        (Tool("f", SCHEMA), Tool("sh")),
    ),
    ({}, "params", {}),
    ({"temperature": 1, "top_p": 0.5, "max_output_tokens": 16}, "params",
     {"temperature": 1, "top_p": 0.5, "max_tokens": 16}),
    ({"temperature": None, "reasoning": None, "text": None, "tool_choice": None}, "params", {}),
    ({"reasoning": {"effort": "low", "summary": "auto"}}, "params", {"reasoning": "low"}),
    ({"text": {"format": {"type": "text"}, "verbosity": "low"}}, "params", {"response_format": {"type": "text"}}),
    ({"tools": [FUNCTION], "tool_choice": "auto"}, "params", {"tool_choice": "auto"}),
    ({}, "metadata", {}),
    ({"metadata": {"run": "7"}}, "metadata", {"run": "7"}),
    ({}, "keep", True),
    ({"store": None}, "keep", True),
    ({"store": False}, "keep", False),
    ({}, "previous", ""),
    ({"previous_response_id": ""}, "previous", ""),
    ({"previous_response_id": f"resp_{ANSWER}"}, "previous", ANSWER),
    ({"previous_response_id": "mine"}, "previous", "mine"),
    ({}, "thread", ""),
    ({"conversation": "conv_1"}, "thread", "conv_1"),
    ({"conversation": {"id": "conv_1"}}, "thread", "conv_1"),
    ({}, "lost", None),
    ({}, "echoes", True),
    ({"unheard_of": [1], "user": "u", "truncation": "auto"}, "breaches", ()),
]  # fmt: skip


@pytest.mark.parametrize("sent, attribute, expected", FIELDS)
def test_fields_are_read(sent: dict[str, Any], attribute: str, expected: Any) -> None:
    """What was sent stands under the language's names, what was not or was null does not."""
    assert expected == getattr(turn(**sent), attribute)


LOST = [
    (
        {"previous_response_id": "resp_x"},
        BadRequest(
            "Previous response with id 'resp_x' not found.", "previous_response_id", "previous_response_not_found"
        ),
    ),
    ({"conversation": "conv_x"}, BadRequest("Conversation with id 'conv_x' not found.", status=404)),
]  # fmt: skip


@pytest.mark.parametrize("sent, expected", LOST)
def test_what_is_lost_is_told_in_openais_words(sent: dict[str, Any], expected: BadRequest) -> None:
    """The status, the code and the message that OpenAI has for a history that it does not hold."""
    assert expected == turn(**sent).lost


@pytest.mark.parametrize("sent", [{"previous_response_id": "resp_x"}, {"conversation": "c"}, {"prompt": {"id": "p"}}])
def test_a_request_that_goes_on_from_something_needs_no_input(sent: dict[str, Any]) -> None:
    """OpenAI wants one of them."""
    found = read({"model": "m", **sent})
    assert isinstance(found, Turn)
    assert ((), ()) == (found.messages, found.breaches)


def test_a_prompt_names_the_model() -> None:
    """A request with a stored prompt may leave the model out."""
    assert isinstance(read({"prompt": {"id": "pmpt_1"}, "input": "hi"}), Turn)


@pytest.mark.parametrize("count, expected", [("0", 0), ("2", 2), (None, None), ("x", None), ("²", None)])
def test_the_retry_count_is_read(count: str | None, expected: int | None) -> None:
    """It is a number or it is not there."""
    headers = {} if count is None else {"x_stainless_retry_count": count}
    found = read({"model": "m", "input": "hi"}, **headers)
    assert isinstance(found, Turn)
    assert expected == found.retry


UNSTORED = named("reasoning", ANSWER, 0, 0, stored=False)
UNSTORED_MSG = named("message", ANSWER, 1, 0, stored=False)
REQUIRED = f"Item '{MSG}' of type 'message' was provided without its required 'reasoning' item: '{RS}'."
JSON_OBJECT = {"format": {"type": "json_object"}}
BREACHES = [
    ({"stream_options": {"include_obfuscation": False}}, "'stream_options'"),
    ({"previous_response_id": "resp_x", "conversation": "conv_x"}, "Mutually exclusive parameters"),
    ({"background": True, "store": False}, "Background mode"),
    ({"tool_choice": {"type": "function", "name": "g"}, "tools": [FUNCTION]}, "Tool choice 'function' not found"),
    ({"tool_choice": "required"}, "Tool choice 'required'"),
    ({"tools": [{**FUNCTION, "name": "get weather"}]}, "Invalid 'tools[0].name': string does not match pattern"),
    ({"tools": [FUNCTION, {"type": "custom", "name": ""}]}, "Invalid 'tools[1].name'"),
    ({"tools": [{"type": "magic"}]}, "Invalid 'tools[0].type': 'magic'. Supported values are: 'apply_patch', "),
    ({"text": JSON_OBJECT}, "the word 'json'"),
    ({"input": []}, "Invalid 'input': empty array"),
    ({"input": [HI, {"type": "magic"}]}, "input[1]: Invalid value: 'magic'. Supported values are: "),
    ({"input": [message("user", text("a", "output_text"))]},
     "input[0]: Invalid value: 'output_text'. Supported values are: 'input_text' and 'input_image' and 'input_file'."),
    ({"input": [HI, message("assistant", text("a"))]},
     "input[1]: Invalid value: 'input_text'. Supported values are: 'output_text' and 'refusal'."),
    ({"input": [HI, said("a", MSG)]}, REQUIRED),
    ({"input": [HI, {"type": "item_reference", "id": MSG}]}, REQUIRED),
    ({"input": [HI, thought(), HI]},
     f"Item '{RS}' of type 'reasoning' was provided without its required following item."),
    ({"input": [HI, thought(id_=UNSTORED), said("a", UNSTORED_MSG)]},
     f"Item with id '{UNSTORED}' not found. Items are not persisted when `store` is set to false."),
    ({"input": [HI, {"id": named("message", ANSWER, 0, stored=False)}]}, "Items are not persisted"),
    ({"input": [HI, {"type": "item_reference", "id": "msg_of_another"}]},
     "Item with id 'msg_of_another' not found."),
    ({"input": [HI, thought("changed", encrypted_content=sealed(ANSWER, "hm")), said("a", MSG)]},
     "could not be verified. Reason: the text beside it was changed."),
    ({"input": [HI, thought(encrypted_content="gAAAAABo"), said("a", MSG)]},
     "input[1]: The encrypted content gAAAAABo... could not be verified. Reason: Encrypted content could not be"),
    ({"input": [HI, {"type": "compaction", "encrypted_content": "gAAAAABo"}]},
     "input[1]: The encrypted content gAAAAABo... could not be verified."),
]  # fmt: skip


@pytest.mark.parametrize("sent, expected", BREACHES)
def test_a_readable_body_that_openai_refuses_is_a_breach(sent: dict[str, Any], expected: str) -> None:
    """What OpenAI answers with a 400 although it can be understood is told, once."""
    (breach,) = turn(**sent).breaches
    assert expected in (breach.message if isinstance(breach, BadRequest) else breach)


KEPT = [
    {"stream": True, "stream_options": {"include_obfuscation": False}},
    {"tools": [FUNCTION], "tool_choice": {"type": "function", "name": "f"}},
    {"tools": [{"type": "web_search"}], "tool_choice": {"type": "web_search"}},
    {"tools": [{"type": "web_search"}], "tool_choice": "required"},
    {"text": JSON_OBJECT, "instructions": "Answer in JSON."},
    {"text": JSON_OBJECT, "input": "as json"},
    {"text": JSON_OBJECT, "input": [{"role": "developer", "content": "json"}, HI]},
    {"text": {"format": {"type": "json_schema", "name": "x", "schema": {}}}},
    {"input": [HI, thought(id_=UNSTORED, encrypted_content=sealed(ANSWER, "hm")), said("a", UNSTORED_MSG)]},
    {"input": [HI, thought(id_="rs_67ccd2bf"), said("a", "msg_67ccd2bf")]},
    {"input": [], "previous_response_id": "resp_x"},
    {"background": True},
]


@pytest.mark.parametrize("sent", KEPT)
def test_what_openai_takes_is_no_breach(sent: dict[str, Any]) -> None:
    """The forms next to those breaches are fine."""
    found = read({"model": "m", "input": "hi", **sent})
    assert isinstance(found, Turn)
    assert found.breaches == ()


# --- what is no request -------------------------------------------------------------------------------------------


def refused(*items: Any, **more: Any) -> dict[str, Any]:
    return {"model": "m", "input": list(items) or [HI], **more}


NOT_JSON = [
    b"", b" ", b"{", b"hello", b'{"model": "m",}', b"\xff\xfe{\x00}\x00", b'{"model": "\xff", "input": []}',
    b'{"model": "m", "input": [], "x": "\xff"}', b'{"model": "m", "x": "\\ud800", "input": []}', b"\xef\xbb\xbf{}",
    b'{"model": "m", "x": NaN}', b'{"x":' + b"[" * 100_000, b'{"model":"m","input":[' + b"[" * 100_000,
    b'{"model": "m", "input": "hi", "tools": [{"type": "function", "name": "f", "x": ' + b"[" * 100_000,
]  # fmt: skip


@pytest.mark.parametrize("body", NOT_JSON, ids=lambda body: repr(body[:20]))
def test_a_body_that_is_no_json_is_refused(body: bytes) -> None:
    """Broken JSON, broken UTF-8, a byte order mark and nesting without end are told as OpenAI tells them."""
    found = read(body)
    assert isinstance(found, BadRequest)
    assert found.message.startswith("We could not parse the JSON body of your request.")


PARTS = "'input_text', 'input_image', 'output_text', 'refusal', 'input_file', 'computer_screenshot', and 'summary_text'"
STRINGS = "expected one of a string or array of objects"
BAD = [
    # the body; message, param, code
    ([], "Invalid type: expected an object, but got an array instead.", None, "invalid_type"),
    ({"input": "hi"}, "Missing required parameter: 'model'.", "model", "missing_required_parameter"),
    ({"model": "", "input": "hi"}, "Missing required parameter: 'model'.", "model", "missing_required_parameter"),
    (
        {"model": "m"},
        "One of 'input' or 'previous_response_id' or 'prompt' or 'conversation' must be provided.",
        "input", "missing_required_parameter",
    ),
    (
        {"model": 5, "input": "hi"},
        "Invalid type for 'model': expected a string, but got an integer instead.", "model", "invalid_type",
    ),
    (
        {"model": "m", "input": 5},
        f"Invalid type for 'input': {STRINGS}, but got an integer instead.", "input", "invalid_type",
    ),
    (
        refused(HI, "hi"),
        "Invalid type for 'input[1]': expected an object, but got a string instead.", "input[1]", "invalid_type",
    ),
    (
        refused({"content": "hi"}),
        "Missing required parameter: 'input[0].type'.", "input[0].type", "missing_required_parameter",
    ),
    (
        refused(HI, {"role": "tool", "content": "hi"}),
        "Invalid value: 'tool'. Supported values are: 'assistant', 'system', 'developer', and 'user'.",
        "input[1].role", "invalid_value",
    ),
    (
        refused({"role": "user", "content": 3}),
        f"Invalid type for 'input[0].content': {STRINGS}, but got an integer instead.",
        "input[0].content", "invalid_type",
    ),
    (
        refused({"role": "user"}),
        "Missing required parameter: 'input[0].content'.", "input[0].content", "missing_required_parameter",
    ),
    (
        refused(HI, message("user", text("hi", "text"))),
        f"Invalid value: 'text'. Supported values are: {PARTS}.", "input[1].content[0].type", "invalid_value",
    ),
    (
        refused(message("user", {"type": "input_text"})),
        "Missing required parameter: 'input[0].content[0].text'.",
        "input[0].content[0].text", "missing_required_parameter",
    ),
    (
        refused(HI, {"type": "function_call_output", "output": "22"}),
        "Missing required parameter: 'input[1].call_id'.", "input[1].call_id", "missing_required_parameter",
    ),
    (
        refused({"type": "function_call_output", "call_id": "c", "output": {"temp": 22}}),
        f"Invalid type for 'input[0].output': {STRINGS}, but got an object instead.",
        "input[0].output", "invalid_type",
    ),
    (
        refused({**call(), "arguments": {"a": 1}}),
        "Invalid type for 'input[0].arguments': expected a string, but got an object instead.",
        "input[0].arguments", "invalid_type",
    ),
    (
        refused({"type": "reasoning", "id": "rs_1"}),
        "Missing required parameter: 'input[0].summary'.", "input[0].summary", "missing_required_parameter",
    ),
    (
        refused(stream="true"),
        "Invalid type for 'stream': expected a boolean, but got a string instead.", "stream", "invalid_type",
    ),
    (
        refused(tools=[{"type": "function", "function": {"name": "f"}}]),
        "Missing required parameter: 'tools[0].name'.", "tools[0].name", "missing_required_parameter",
    ),
    (
        refused(tools=[FUNCTION, {"name": "f"}]),
        "Missing required parameter: 'tools[1].type'.", "tools[1].type", "missing_required_parameter",
    ),
    (
        refused(tools={"f": FUNCTION}),
        "Invalid type for 'tools': expected an array, but got an object instead.", "tools", "invalid_type",
    ),
    (
        refused(max_output_tokens=5),
        "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16, but got 5 instead.",
        "max_output_tokens", "integer_below_min_value",
    ),
    (
        refused(temperature=3),
        "Invalid 'temperature': decimal above maximum value. Expected a value <= 2, but got 3 instead.",
        "temperature", "decimal_above_max_value",
    ),
    (
        refused(metadata=["x"]),
        "Invalid type for 'metadata': expected an object, but got an array instead.", "metadata", "invalid_type",
    ),
    (
        refused(reasoning={"effort": 1}),
        "Invalid type for 'reasoning.effort': expected a string, but got an integer instead.",
        "reasoning.effort", "invalid_type",
    ),
]  # fmt: skip


@pytest.mark.parametrize("body, message, param, code", BAD)
def test_a_wrong_body_is_refused_in_openais_words(body: Any, message: str, param: str | None, code: str | None) -> None:
    """What is wrong, where, and what would be right."""
    assert BadRequest(message, param, code) == read(body)
