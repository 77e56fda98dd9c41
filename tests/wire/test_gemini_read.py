"""What Gemini can be asked, read into a `Turn`; and what is no request, in Google's words."""

from __future__ import annotations

import json
from typing import Any

import pytest
from asking_gemini import HI, PATH, WIRE, call, model, read, response, turn, user

from llmposter.model import BadRequest, Message, Tool, ToolResult, ToolUse, Turn


def result(text: str, id_: str = "c", tool: str = "f", **more: Any) -> Message:
    return Message("tool", results=(ToolResult(id_, text, tool, **more),))


USE = ToolUse("c", "f", '{"a":1}')
IMAGE = {"inlineData": {"mimeType": "image/png", "data": "AA=="}}
PDF = {"fileData": {"mimeType": "application/pdf", "fileUri": "gs://x/y.pdf"}}

CONTENTS: dict[str, tuple[Any, list[Message]]] = {
    "text": ([HI], [Message("user", "hi")]),
    "a content that is no list": (HI, [Message("user", "hi")]),
    "parts that are no list": ({"parts": {"text": "hi"}}, [Message("user", "hi")]),
    "texts that look like something else": (
        [user("null", "true", "1")],
        [Message("user", "null\ntrue\n1")],
    ),
    "no role": ([{"parts": [{"text": "hi"}]}], [Message("user", "hi")]),
    "a role in capitals": ([{"role": "USER", "parts": [{"text": "hi"}]}], [Message("user", "hi")]),
    "unknown fields": ([{**user({"text": "hi", "videoMetadata": {}}), "x": 1}], [Message("user", "hi")]),
    "text parts": ([user("a", "b")], [Message("user", "a\nb")]),
    "attachments": ([user("see", IMAGE, IMAGE, PDF)], [Message("user", "see", images=2, files=1)]),
    "attachments in snake case": (
        [user({"inline_data": {"mime_type": "image/png"}}, {"file_data": {"file_uri": "gs://x"}})],
        [Message("user", "", images=1, files=1)],
    ),
    "users that follow each other": ([HI, user("you")], [Message("user", "hi"), Message("user", "you")]),
    "model text": ([HI, model("yes")], [Message("user", "hi"), Message("assistant", "yes")]),
    "chunks of a stream": (
        [model("Hel"), model("lo", call(a=1)), {"role": "model", "parts": [{"text": ""}]}],
        [Message("assistant", "Hello", (USE,))],
    ),
    "thoughts": (
        [model({"text": "hm", "thought": True}, {"text": "!", "thought": "true"}, "so")],
        [Message("assistant", "so", thinking="hm!")],
    ),
    "what Google's own tools left": (
        [model({"executableCode": {"language": "PYTHON", "code": "1"}}, {"codeExecutionResult": {}}, "one")],
        [Message("assistant", "one")],
    ),
    "a picture by the model": ([model("look", IMAGE)], [Message("assistant", "look", images=1)]),
    "call in snake case": (
        [model({"function_call": {"id": "c", "name": "f", "args": {"a": 1}}})],
        [Message("assistant", "", (USE,))],
    ),
    "call without arguments": (
        [model({"functionCall": {"id": "c", "name": "f"}})],
        [Message("assistant", "", (ToolUse("c", "f", "{}"),))],
    ),
    "id of a signed call": (
        [model(call(id_="call_0123456789abcdef01234567s")), user(response({}, id_="call_0123456789abcdef01234567s"))],
        [
            Message("assistant", "", (ToolUse("call_0123456789abcdef01234567", "f", "{}"),)),
            result("{}", "call_0123456789abcdef01234567"),
        ],
    ),
    "result": ([user(response({"output": "22"}))], [result("22")]),
    "result of role function": ([{**user(response({"output": "22"})), "role": "function"}], [result("22")]),
    "result of role model": ([model(response({"output": "22"}))], [Message("assistant"), result("22")]),
    "result in snake case": (
        [user({"function_response": {"id": "c", "name": "f", "response": {"result": 22}}})],
        [result("22")],
    ),
    "result beside text": (
        [user("and", response({"output": "22"}), "now?")],
        [result("22"), Message("user", "and\nnow?")],
    ),
    "results in contents of their own": (
        [user(response({"output": "1"}, id_="a")), user(response({"output": "2"}, id_="b"))],
        [Message("tool", results=(ToolResult("a", "1", "f"), ToolResult("b", "2", "f")))],
    ),
    "pictures in a result": (
        [user(response({"output": "see"}, parts=[IMAGE, PDF]))],
        [Message("tool", results=(ToolResult("c", "see", "f"),), images=1, files=1)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CONTENTS)
def test_contents_are_read(name: str) -> None:
    """Every form of content that a client can send is read into our words."""
    sent, expected = CONTENTS[name]
    found = read({"contents": sent})
    assert isinstance(found, Turn)
    assert tuple(expected) == found.messages


RESULTS: list[tuple[Any, str, bool | None]] = [
    # the response, its text, whether it is an error
    ({"output": "22"}, "22", None),
    ({"result": {"temp": 22}}, '{"temp":22}', None),
    ({"return_value": [1]}, "[1]", None),
    ({"name": "f", "content": "22"}, "22", None),
    ({"name": "g", "content": "22"}, '{"name":"g","content":"22"}', None),
    ({"name": "f", "content": "22", "x": 1}, '{"name":"f","content":"22","x":1}', None),
    ({"temp": 22}, '{"temp":22}', None),
    ({"output": 1, "more": 2}, '{"output":1,"more":2}', None),
    ({}, "{}", None),
    (None, "", None),
    ("22", "22", None),
    ([1, 2], "[1,2]", None),
    ({"error": "boom"}, "boom", True),
    ({"error": ""}, "", True),
    ({"error": {"code": 1}}, '{"code":1}', True),
    ({"error": "boom", "output": 1}, '{"error":"boom","output":1}', True),
    ({"error": None}, '{"error":null}', None),
    ({"error": False, "output": 1}, '{"error":false,"output":1}', None),
]


@pytest.mark.parametrize("given, text, error", RESULTS)
def test_a_result_is_taken_out_of_its_wrapping(given: Any, text: str, error: bool | None) -> None:
    """As Google's reference and the SDKs and frameworks wrap it; `error` says that it failed."""
    (message,) = turn(user(response(given))).messages
    assert (ToolResult("c", text, "f", error),) == message.results


def test_a_result_without_an_id_is_that_of_a_call_by_name_and_order() -> None:
    """Google's own automatic function calling sends none."""
    found = turn(
        HI,
        model(call("f", "a"), call("g", "b"), call("f", "c"), call("f", "d")),
        user(response({"output": "g"}, "g", None), response({"output": "f1"}, "f", None)),
        user(response({"output": "f3"}, "f", "d"), response({"output": "f2"}, "f", None)),
    )
    assert [("b", "g"), ("a", "f1"), ("d", "f3"), ("c", "f2")] == [(r.id, r.text) for r in found.messages[2].results]
    assert () == found.breaches


def test_calls_without_ids_get_their_results_too() -> None:
    """Each has an id of its own, the same as long as the content is."""
    contents = [
        HI,
        model(call("f", None, a=1), call("f", None, a=2)),
        user(response({}, "f", None), response({}, "f", None)),
    ]
    found, again = turn(*contents), turn(*contents, model("so"))
    ids = [use.id for use in found.messages[1].calls]
    assert 2 == len(set(ids))
    assert all(len(id_) < 20 for id_ in ids)
    assert ids == [each.id for each in found.messages[2].results] == [use.id for use in again.messages[1].calls]


def test_a_result_without_its_call_keeps_the_name() -> None:
    """There is no id to give it."""
    assert (result("22", ""),) == turn(user(response({"output": "22"}, id_=None))).messages


SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}, "type": {"type": "array"}}}
GEMINI = {"type": "OBJECT", "properties": {"city": {"type": "STRING"}, "type": {"type": "ARRAY"}}}


def declared(**more: Any) -> dict[str, Any]:
    return {"tools": [{"functionDeclarations": [{"name": "f", **more}]}]}


def config(**more: Any) -> dict[str, Any]:
    return {"generationConfig": more}


def calling(**more: Any) -> dict[str, Any]:
    return {"toolConfig": {"functionCallingConfig": more}}


FIELDS: list[tuple[dict[str, Any], str, Any]] = [
    # what is sent, the attribute, its value
    ({}, "system", ""),
    ({"systemInstruction": {"parts": [{"text": "be"}, {"text": "brief"}]}}, "system", "be\nbrief"),
    ({"system_instruction": {"parts": {"text": "brief"}}}, "system", "brief"),
    ({}, "tools", ()),
    (declared(), "tools", (Tool("f"),)),
    (declared(parametersJsonSchema=SCHEMA), "tools", (Tool("f", SCHEMA),)),
    (declared(parameters_json_schema=SCHEMA), "tools", (Tool("f", SCHEMA),)),
    (declared(parameters=GEMINI), "tools", (Tool("f", SCHEMA),)),
    ({"tools": {"function_declarations": {"name": "f"}}}, "tools", (Tool("f"),)),
    ({"tools": [{"googleSearch": {}}, {"functionDeclarations": None}]}, "tools", ()),
    ({"labels": {"run": "7"}}, "metadata", {"run": "7"}),
    ({"safetySettings": [{"category": "X"}], "cachedContent": "cachedContents/1", "x": 1}, "params", {}),
    (config(temperature=1), "params", {"temperature": 1.0}),
    (config(topP=0.5, topK=3, seed=7), "params", {"top_p": 0.5, "seed": 7}),
    ({"generation_config": {"top_p": 0.5}}, "params", {"top_p": 0.5}),
    (config(temperature="0.5", seed=7.0), "params", {"temperature": 0.5, "seed": 7}),
    (config(maxOutputTokens="5"), "params", {"max_tokens": 5}),
    (config(stopSequences=["null", "1"]), "params", {"stop": ["null", "1"]}),
    ({"systemInstruction": {"parts": [{"text": "null"}]}}, "system", "null"),
    (config(maxOutputTokens=5), "params", {"max_tokens": 5}),
    (config(max_output_tokens=5), "params", {"max_tokens": 5}),
    (config(stopSequences=["x"]), "params", {"stop": ["x"]}),
    (config(candidateCount=2), "params", {"n": 2}),
    (config(thinkingConfig={"thinkingLevel": "HIGH"}), "params", {"reasoning": "high"}),
    (config(thinking_config={"thinking_budget": 0}), "params", {"reasoning": 0}),
    (config(thinkingConfig={"includeThoughts": True}), "params", {}),
    (config(responseMimeType="application/json"), "params", {"response_format": {"type": "json_object"}}),
    (config(responseMimeType="text/plain"), "params", {}),
    (
        config(responseMimeType="application/json", responseSchema=GEMINI),
        "params", {"response_format": {"type": "json_schema", "json_schema": {"schema": SCHEMA}}},
    ),
    (
        config(response_json_schema=SCHEMA),
        "params", {"response_format": {"type": "json_schema", "json_schema": {"schema": SCHEMA}}},
    ),
    (calling(mode="AUTO"), "params", {"tool_choice": "auto"}),
    (calling(mode="any"), "params", {"tool_choice": "required"}),
    (calling(mode="NONE"), "params", {"tool_choice": "none"}),
    (calling(), "params", {}),
    (calling(mode="VALIDATED"), "params", {"tool_choice": {"mode": "VALIDATED"}}),
    (
        calling(mode="ANY", allowedFunctionNames=["f"]),
        "params", {"tool_choice": {"mode": "ANY", "allowedFunctionNames": ["f"]}},
    ),
    ({"tool_config": {"function_calling_config": {"mode": "AUTO"}}}, "params", {"tool_choice": "auto"}),
]  # fmt: skip


@pytest.mark.parametrize("sent, attribute, expected", FIELDS)
def test_fields_are_read(sent: dict[str, Any], attribute: str, expected: Any) -> None:
    """In both spellings, under the names of the language."""
    found = turn(**sent)
    assert expected == getattr(found, attribute)
    assert () == found.breaches


@pytest.mark.parametrize(
    "contents, continues",
    [([HI], False), ([HI, model("It is")], True), ([HI, model("a"), model("b")], True), ([HI, model(call())], False)],
)
def test_an_answer_goes_on_from_what_the_model_has_said_last(contents: list[Any], continues: bool) -> None:
    """Contents of the model that follow each other are one message; a call that waits is no beginning."""
    assert continues == turn(*contents).continues


def test_a_client_that_thinks_sends_back_what_names_an_answer() -> None:
    """In the signatures."""
    assert not turn(HI).echoes
    assert turn(HI, **config(thinkingConfig={})).echoes


@pytest.mark.parametrize(
    "path, name, stream",
    [
        (PATH, "gemini-2.5-flash", False),
        ("/v1/models/gemini-2.5-flash-preview-05-20:streamGenerateContent", "gemini-2.5-flash-preview-05-20", True),
        ("/v1beta/models/ünï:x:generateContent", "ünï:x", False),
        ("/v1beta/tunedModels/my-model-7:streamGenerateContent", "tunedModels/my-model-7", True),
    ],
)
def test_the_path_says_the_model_and_whether_to_stream(path: str, name: str, stream: bool) -> None:
    """Not the body, which has neither."""
    found = read({"contents": [HI], "stream": not stream}, path)
    assert isinstance(found, Turn)
    assert (name, stream, "gemini", None) == (found.model, found.stream, found.provider, found.retry)


OF_GEMINI = "type.googleapis.com/google.ai.generativelanguage.v1beta"
REFUSED: list[tuple[Any, str, str | None]] = [
    # the body, what Google says, the field that it names
    (b"{", "Invalid JSON payload received. Unexpected token.", None),
    (b"", "Invalid JSON payload received. Unexpected token.", None),
    (b'{"contents": "\xff"}', "Invalid JSON payload received. Unexpected token.", None),
    (b'{"x": "\xff"}', "Invalid JSON payload received. Unexpected token.", None),
    (b'{"contents": "hi", ', "Invalid JSON payload received. Unexpected token.", None),
    (
        b'{"generationConfig": {"seed": "x"}, "generationConfig": {}}',
        "Invalid value at 'generation_config.seed' (TYPE_INT32)",
        "generation_config.seed",
    ),
    (b"[]", 'Invalid JSON payload received. Unknown name "": Root element must be a message.', None),
    (
        {"contents": "hi"},
        f"Invalid value at 'contents' ({OF_GEMINI}.Content), \"hi\"",
        "contents",
    ),
    (
        {"contents": ["hi"]},
        f"Invalid value at 'contents[0]' ({OF_GEMINI}.Content), \"hi\"",
        "contents[0]",
    ),
    (
        {"contents": [HI, {"parts": ["hi"]}]},
        f"Invalid value at 'contents[1].parts[0]' ({OF_GEMINI}.Part), \"hi\"",
        "contents[1].parts[0]",
    ),
    (
        {"contents": [user({"text": 7})]},
        "Invalid value at 'contents[0].parts[0].text' (TYPE_STRING), 7",
        "contents[0].parts[0].text",
    ),
    (
        {"contents": [model({"functionCall": {"name": "f", "args": [1]}})]},
        "Invalid value at 'contents[0].parts[0].function_call.args' (type.googleapis.com/google.protobuf.Struct), [1]",
        "contents[0].parts[0].function_call.args",
    ),
    (
        {"contents": [HI], "systemInstruction": "brief"},
        f"Invalid value at 'system_instruction' ({OF_GEMINI}.Content), \"brief\"",
        "system_instruction",
    ),
    (
        {"contents": [HI], "generationConfig": {"temperature": "hot"}},
        "Invalid value at 'generation_config.temperature' (TYPE_FLOAT), \"hot\"",
        "generation_config.temperature",
    ),
    (
        {"contents": [HI], "generationConfig": {"maxOutputTokens": 1.5}},
        "Invalid value at 'generation_config.max_output_tokens' (TYPE_INT32), 1.5",
        "generation_config.max_output_tokens",
    ),
    (
        {"contents": [HI], "generationConfig": {"thinkingConfig": {"includeThoughts": "yes"}}},
        "Invalid value at 'generation_config.thinking_config.include_thoughts' (TYPE_BOOL), \"yes\"",
        "generation_config.thinking_config.include_thoughts",
    ),
    (
        {"contents": [HI], "tools": [{"functionDeclarations": [{"name": 1}]}]},
        "Invalid value at 'tools[0].function_declarations[0].name' (TYPE_STRING), 1",
        "tools[0].function_declarations[0].name",
    ),
    (
        {"contents": [HI], "tools": "f"},
        f"Invalid value at 'tools' ({OF_GEMINI}.Tool), \"f\"",
        "tools",
    ),
    (
        {"contents": [HI], "labels": 1},
        "Invalid value at 'labels' (type.googleapis.com/google.protobuf.Struct), 1",
        "labels",
    ),
]  # fmt: skip


@pytest.mark.parametrize("body, message, field", REFUSED)
def test_a_body_that_is_no_request_is_refused_as_google_does(body: Any, message: str, field: str | None) -> None:
    """With the place in the names of the .proto file, and the value that stands there."""
    found = read(body)
    assert isinstance(found, BadRequest)
    assert (message, field, 400) == (found.message, found.param, found.status)
    (error,) = json.loads(WIRE.bad_request(found, 0.0).body).values()
    violations = [violation for detail in error.get("details", ()) for violation in detail["fieldViolations"]]
    assert ("INVALID_ARGUMENT", [field] if field else []) == (error["status"], [v["field"] for v in violations])
