"""What Anthropic Messages can be asked, read into a `Turn`; and what is no request, in Anthropic's words."""

from __future__ import annotations

import json
from typing import Any, get_args, get_type_hints

import pytest
from anthropic.types.beta import BetaContentBlockParam
from speaker import request
from typing_extensions import is_typeddict

from llmposter.model import BadRequest, Message, Tool, ToolResult, ToolUse, Turn
from llmposter.wire import load
from llmposter.wire.anthropic_body import TOLERATED, TYPED
from llmposter.wire.seal import sealed

WIRE = load()["anthropic"]
TOOL_USE = "https://platform.claude.com/docs/en/agents-and-tools/tool-use/overview"
HI = {"role": "user", "content": "hi"}
HEX = "0123456789abcdef01234567"
USE = {"type": "tool_use", "id": "toolu_x", "name": "f", "input": {"a": 1}}
URL = {"type": "url", "url": "https://x/y"}


def read(body: Any, **headers: str) -> Turn | BadRequest:
    sent = body if isinstance(body, bytes) else json.dumps(body, separators=(",", ":")).encode()
    return WIRE.read(request(sent, "/v1/messages", anthropic_version="2023-06-01", **headers))


def turn(*messages: Any, **more: Any) -> Turn:
    found = read({"model": "claude", "max_tokens": 9, "messages": list(messages) or [HI], **more})
    assert isinstance(found, Turn), found
    return found


def user(*blocks: Any) -> dict[str, Any]:
    return {"role": "user", "content": list(blocks)}


def assistant(*blocks: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": list(blocks)}


def text(value: str, **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": value, **more}


def result(content: Any = None, id_: str = "toolu_x", **more: Any) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": id_, **({} if content is None else {"content": content}), **more}


def results(*given: tuple[str, str]) -> Message:
    return Message("tool", results=tuple(ToolResult(id_, told, error=False) for id_, told in given))


IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA=="}}
DOCUMENT = {"type": "document", "source": URL, "title": "t", "citations": {"enabled": True}}
FOUND = {"type": "search_result", "source": "s", "title": "t", "content": [text("found")]}
SERVER = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "x"}}
SEARCHED = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": [{"type": "web_search_result"}]}
THINKING = {"type": "thinking", "thinking": "hm", "signature": sealed("Abc", "hm")}

MESSAGES = {
    "text": ([HI], [Message("user", "hi")]),
    "text blocks": ([user(text("a"), text("b", cache_control={"type": "ephemeral"}))], [Message("user", "a\nb")]),
    "attachments": ([user(text("see"), IMAGE, IMAGE, DOCUMENT, FOUND)], [Message("user", "see", images=2, files=2)]),
    "image alone": ([user(IMAGE)], [Message("user", "", images=1)]),
    "users that follow each other": ([HI, user(text("b"))], [Message("user", "hi"), Message("user", "b")]),
    "assistant": ([HI, {"role": "assistant", "content": "yes"}], [Message("user", "hi"), Message("assistant", "yes")]),
    "assistant blocks": ([assistant(text("a"), text("b"))], [Message("assistant", "a\nb")]),
    "text and call": (
        [assistant(text("wait"), USE)], [Message("assistant", "wait", (ToolUse("toolu_x", "f", '{"a":1}'),))],
    ),
    "an id of our own": (
        [assistant({**USE, "id": f"toolu_{HEX}"}, {**USE, "id": f"toolu_01{HEX}"}), user(result("22", f"toolu_{HEX}"))],
        [
            Message("assistant", "", (ToolUse(f"call_{HEX}", "f", '{"a":1}'), ToolUse(f"call_{HEX}", "f", '{"a":1}'))),
            results((f"call_{HEX}", "22")),
        ],
    ),
    "an input that was no object": (
        [assistant({**USE, "input": {"INVALID_JSON": '{"a'}})],
        [Message("assistant", "", (ToolUse("toolu_x", "f", '{"a'),))],
    ),
    "an input that is text": (
        [assistant({**USE, "input": '{"a":1}'})], [Message("assistant", "", (ToolUse("toolu_x", "f", '{"a":1}'),))],
    ),
    "an input with that key among others": (
        [assistant({**USE, "input": {"INVALID_JSON": "x", "b": 1}})],
        [Message("assistant", "", (ToolUse("toolu_x", "f", '{"INVALID_JSON":"x","b":1}'),))],
    ),
    "thinking": ([assistant(THINKING, text("a"))], [Message("assistant", "a", thinking="hm", answer="Abc")]),
    "thinking of others": (
        [assistant({**THINKING, "signature": "EqQB"}, {"type": "redacted_thinking", "data": "x"}, text("a"))],
        [Message("assistant", "a", thinking="hm")],
    ),
    "result": ([user(result("22"))], [results(("toolu_x", "22"))]),
    "result without content": ([user(result())], [results(("toolu_x", ""))]),
    "result in blocks": ([user(result([text("2"), IMAGE, FOUND, text("3")]))], [results(("toolu_x", "2\nfound\n3"))]),
    "a failed result": (
        [user(result("no", is_error=True))], [Message("tool", results=(ToolResult("toolu_x", "no", error=True),))],
    ),
    "results and text": (
        [user(result("1", "a"), result("2", "b"), text("and?"))],
        [results(("a", "1"), ("b", "2")), Message("user", "and?")],
    ),
    "text before a result": ([user(text("and?"), result("1", "a"))], [results(("a", "1")), Message("user", "and?")]),
    "a result and an image": ([user(result("1", "a"), IMAGE)], [results(("a", "1")), Message("user", "", images=1)]),
    "results that follow each other": (
        [user(result("1", "a")), user(result("2", "b")), HI, user(result("3", "c"))],
        [results(("a", "1"), ("b", "2")), Message("user", "hi"), results(("c", "3"))],
    ),
    "tools that the provider runs": (
        [assistant(text("a"), SERVER, SEARCHED, text("b")), user({"type": "container_upload"}, text("c"))],
        [Message("assistant", "a\nb"), Message("user", "c")],
    ),
    "a block of tomorrow": ([user({"type": "hologram", "beam": [1]}, text("c"))], [Message("user", "c")]),
    "a block of tomorrow in a result": (
        [user(result([{"type": "hologram"}, {"type": "tool_reference", "tool_name": "f"}, text("c")]))],
        [results(("toolu_x", "c"))],
    ),
    "a system message": ([{"role": "system", "content": "be brief"}, HI], [Message("user", "hi")]),
}  # fmt: skip


@pytest.mark.parametrize("name", MESSAGES)
def test_messages_are_read(name: str) -> None:
    """Every form of message that the SDK can send is read into our words."""
    sent, expected = MESSAGES[name]
    assert tuple(expected) == turn(*sent).messages
    assert tuple(expected) == turn(*sent, HI).messages[: len(expected)], "the same where messages are remembered"


def test_every_block_that_the_sdk_can_send_is_known() -> None:
    """Those that are read, and those that are let through; the newest SDK has no other."""
    params = [block for block in get_args(BetaContentBlockParam) if is_typeddict(block)]
    tags = {get_args(get_type_hints(block)["type"])[0] for block in params}
    assert tags | {"tool_reference", "browser_state"} == TYPED | TOLERATED


def test_system_prompts_are_joined_wherever_they_stand() -> None:
    """The request's own first, then those between the messages."""
    found = turn({"role": "system", "content": [text("three")]}, HI, system=[text("one"), text("two")])
    assert ("one\ntwo\nthree", (Message("user", "hi"),)) == (found.system, found.messages)
    assert "one" == turn(HI, system="one").system


SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
ENABLED = {"type": "enabled", "budget_tokens": 1024}
FIELDS = [
    # what is sent, the attribute, its value
    ({}, "stream", False),
    ({"stream": None}, "stream", False),
    ({"stream": True}, "stream", True),
    ({}, "tools", ()),
    ({"tools": [{"name": "f", "input_schema": SCHEMA}]}, "tools", (Tool("f", SCHEMA),)),
    ({"tools": [{"type": "custom", "name": "f", "input_schema": SCHEMA}]}, "tools", (Tool("f", SCHEMA),)),
    ({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, "tools", (Tool("web_search"),)),
    ({"tools": [{"type": "mcp_toolset", "mcp_server_name": "s"}]}, "tools", ()),
    ({}, "params", {"max_tokens": 9}),
    ({"temperature": 1, "top_p": 0.5, "top_k": 5}, "params", {"max_tokens": 9, "temperature": 1.0, "top_p": 0.5}),
    ({"stop_sequences": ["x"]}, "params", {"max_tokens": 9, "stop": ["x"]}),
    ({"output_config": {"effort": "high"}}, "params", {"max_tokens": 9, "reasoning": "high"}),
    ({"thinking": {"type": "adaptive", "display": "omitted"}}, "params", {
        "max_tokens": 9, "reasoning": {"type": "adaptive", "display": "omitted"},
    }),
    ({"output_config": {"format": {"type": "json_schema", "schema": {}}}}, "params", {
        "max_tokens": 9, "response_format": {"type": "json_schema", "schema": {}},
    }),
    ({"output_format": {"type": "json_schema"}}, "params", {
        "max_tokens": 9, "response_format": {"type": "json_schema"},
    }),
    ({"tool_choice": {"type": "tool", "name": "f"}}, "params", {
        "max_tokens": 9, "tool_choice": {"type": "tool", "name": "f"},
    }),
    ({"metadata": {"user_id": "u"}}, "metadata", {"user_id": "u"}),
    ({"unheard_of": [1]}, "metadata", {}),
    ({}, "keep", False),
    ({"thread": {"type": "create"}}, "keep", True),
    ({"thread": {"type": "create"}, "system": "s"}, "carried", "s"),
    ({"thread": {"type": "continue", "previous_message_id": "msg_A"}}, "previous", "A"),
    ({"thread": {"type": "continue", "previous_message_id": "msg_A"}, "messages": []}, "messages", ()),
    ({"messages": [HI, {"role": "assistant", "content": "It is"}]}, "continues", True),
    ({"messages": [HI, assistant(USE)]}, "continues", False),
    ({}, "continues", False),
]  # fmt: skip


@pytest.mark.parametrize("sent, name, value", FIELDS)
def test_fields_are_read(sent: dict[str, Any], name: str, value: Any) -> None:
    """Every field that a scenario can ask for, under the language's names."""
    assert value == getattr(turn(**sent), name)


@pytest.mark.parametrize("header, count", [("0", 0), ("2", 2), ("x", None), ("", None)])
def test_the_sdks_retry_count_is_read(header: str, count: int | None) -> None:
    """A number, or nothing."""
    found = read({"model": "m", "messages": [HI]}, x_stainless_retry_count=header)
    assert isinstance(found, Turn)
    assert count == found.retry


NO_TAG = "Input tag '%s' found using 'type' does not match any of the expected tags:"
IN_RESULTS = "'document', 'image', 'search_result', 'text', 'tool_reference'"
REFUSED = [
    # the body, or what it has beside a valid one; the message
    (b"", "The request body is not valid JSON: Expecting value: line 1 column 1 (char 0)"),
    (b'{"model": NaN}', "The request body is not valid JSON: JSON is malformed: invalid character (byte 10)"),
    (b'{"model": "\xff"}', "The request body is not valid JSON: str is not valid UTF-8"),
    (b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "The request body is not valid JSON: too deeply nested"),
    (b"[]", "Input should be a valid dictionary"),
    ({"model": None}, "model: Input should be a valid string"),
    ({"max_tokens": "9"}, "max_tokens: Input should be a valid integer"),
    ({"max_tokens": -1}, "max_tokens: Input should be greater than or equal to 0"),
    ({"temperature": 1.5}, "temperature: Input should be less than or equal to 1"),
    ({"stream": "yes"}, "stream: Input should be a valid boolean"),
    ({"messages": []}, "messages: at least one message is required"),
    ({"messages": "hi"}, "messages: Input should be a valid list"),
    ({"messages": ["hi"]}, "messages.0: Input should be a valid dictionary"),
    ({"messages": [HI, {"role": "user"}]}, "messages.1.content: Field required"),
    ({"messages": [{"content": "hi"}]}, "messages.0.role: Field required"),
    ({"messages": [HI, {"role": "tool", "content": ""}]},
     ('messages: Unexpected role "tool". Allowed roles are "user" or "assistant". '
     f"For instructions on how to use tools, see {TOOL_USE}.")),
    ({"messages": [{"role": "user", "content": 1}]}, "messages.0.content: Input should be a valid list"),
    ({"messages": [user({"type": "text"})]}, "messages.0.content.0.text.text: Field required"),
    ({"messages": [user(text("a"), {"text": "a"})]}, "messages.0.content.1.type: Field required"),
    ({"messages": [user({"type": "image", "source": 1})]},
     "messages.0.content.0.image.source: Input should be a valid dictionary"),
    ({"messages": [user({"type": "image", "source": {}})]}, "messages.0.content.0.image.source.type: Field required"),
    ({"messages": [assistant({**USE, "id": 1})]}, "messages.0.content.0.tool_use.id: Input should be a valid string"),
    ({"messages": [user(result([{"type": "text"}]))]},
     "messages.0.content.0.tool_result.content.0.text.text: Field required"),
    ({"messages": [user(result([THINKING]))]},
     f"messages.0.content.0.tool_result.content.0: {NO_TAG % 'thinking'} {IN_RESULTS}"),
    ({"messages": [HI, {"role": "system", "content": [IMAGE]}]},
     f"messages.1.content.0: {NO_TAG % 'image'} 'text'"),
    ({"system": 1}, "system: Input should be a valid list"),
    ({"system": [{"type": "text"}]}, "system.0.text.text: Field required"),
    ({"tools": [{"name": 1}]}, "tools.0.custom.name: Input should be a valid string"),
    ({"tools": [{"type": "bash_20250124", "name": 1}]}, "tools.0.bash_20250124.name: Input should be a valid string"),
    ({"tool_choice": "auto"}, "tool_choice: Input should be a valid dictionary"),
    ({"thinking": {"type": "enabled", "budget_tokens": "x"}},
     "thinking.enabled.budget_tokens: Input should be a valid integer"),
]  # fmt: skip


@pytest.mark.parametrize("body, message", REFUSED, ids=range(len(REFUSED)))
def test_what_is_no_request_is_refused_in_anthropics_words(body: Any, message: str) -> None:
    """One sentence with the place, the type of each block in it, as the API names it."""
    sent = body if isinstance(body, bytes) else {"model": "m", "max_tokens": 9, "messages": [HI], **body}
    assert BadRequest(message) == read(sent)
    answer = WIRE.bad_request(BadRequest(message), 0.0)
    assert (400, "invalid_request_error", message) == (answer.status, *json.loads(answer.body)["error"].values())


def test_a_model_is_required() -> None:
    """As the API says it."""
    assert BadRequest("model: Field required") == read({"messages": [HI]})


# --- breaches -----------------------------------------------------------------------------------------------------

BIG = {"max_tokens": 2048}
THOUGHT = {**USE, "id": f"toolu_01{HEX}"}
GIVEN = user(result("1", THOUGHT["id"]))
NAMED = {"name": "f", "input_schema": SCHEMA}
MARKED = text("a", cache_control={"type": "ephemeral"})
BREACHES = [
    # what is sent beside a valid body; how the breach begins, in order
    ({}, []),
    ({"max_tokens": None}, ["max_tokens: Field required"]),
    ({"messages": [assistant(text("a")), HI]}, ['messages: first message must use the "user" role']),
    ({"messages": [HI, HI, {"role": "assistant", "content": "a"}, {"role": "assistant", "content": "b"}]}, []),
    ({"messages": [{"role": "user", "content": ""}]}, ["messages.0: all messages must have non-empty content except"]),
    ({"messages": [HI, assistant(), HI]}, ["messages.1: all messages must have non-empty content except"]),
    ({"messages": [HI, assistant()]}, []),
    ({"messages": [user(text(""))]}, ["messages.0: text content blocks must be non-empty"]),
    ({"messages": [{"role": "user", "content": " "}]},
     ["messages.0: text content blocks must contain non-whitespace text"]),
    ({"messages": [user(text(" \n"))]}, ["messages.0: text content blocks must contain non-whitespace text"]),
    ({"messages": [HI, {"role": "assistant", "content": "It is "}]},
     ["messages: final assistant content cannot end with trailing whitespace"]),
    ({"messages": [HI, {"role": "assistant", "content": "It is "}, HI]}, []),
    ({"messages": [HI, assistant(USE, USE), user(result("1"))]}, ["messages: `tool_use` ids must be unique"]),
    ({"messages": [user(USE)]}, ["messages.0: `tool_use` blocks can only be in `assistant` messages"]),
    ({"messages": [HI, assistant(result("1"))]}, ["messages.1: `tool_result` blocks can only be in `user` messages"]),
    ({"messages": [user(text("a"), result("1"))]},
     ["messages.0.content.1: `tool_result` blocks must come first in the content of a message"]),
    ({"messages": [HI, assistant({**USE, "id": "a b"})]},
     ["messages.1.content.0.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'"]),
    ({"messages": [HI, assistant({**USE, "input": "{}"})]},
     ["messages.1.content.0.tool_use.input: Input should be a valid dictionary"]),
    ({"messages": [user({"type": "hologram"})]}, ["messages.0.content.0: Input tag 'hologram' found using 'type'"]),
    ({"messages": [user(result([{"type": "hologram"}]))]},
     ["messages.0.content.0.tool_result.content.0: Input tag 'hologram' found using 'type'"]),
    ({"messages": [HI, assistant({**THINKING, "thinking": "ha"})]},
     ["messages.1.content.0: `thinking` or `redacted_thinking` blocks in the latest assistant message cannot be"]),
    ({"messages": [HI, assistant({**THINKING, "signature": "EqQB"})]},
     ["messages.1.content.0: Invalid `signature` in `thinking` block"]),
    ({"messages": [HI, assistant({"type": "thinking", "thinking": "hm"})]},
     ["messages.1.content.0.thinking.signature: Field required"]),
    ({"messages": [user(THINKING, text("a"))]},
     ["messages.0.content.0: `thinking` blocks can only be in `assistant` messages"]),
    ({"messages": [HI, assistant({"type": "redacted_thinking", "data": "x"})]},
     ["messages.1.content.0: Invalid `data` in `redacted_thinking` block"]),
    ({"messages": [HI, assistant(THINKING)]}, []),
    ({**BIG, "thinking": ENABLED}, []),
    ({"max_tokens": 1024, "thinking": ENABLED}, ["`max_tokens` must be greater than `thinking.budget_tokens`. Please"]),
    ({**BIG, "thinking": {"type": "enabled", "budget_tokens": 1023}},
     ["thinking.enabled.budget_tokens: Input should be greater than or equal to 1024"]),
    ({**BIG, "thinking": {"type": "enabled"}}, ["thinking.enabled.budget_tokens: Field required"]),
    ({"thinking": {"type": "disabled"}, "temperature": 0.5}, []),
    ({"thinking": {"type": "adaptive"}, "temperature": 0.5}, ["`temperature` may only be set to 1 when thinking is"]),
    ({"thinking": {"type": "adaptive"}, "temperature": 1}, []),
    ({"thinking": {"type": "adaptive"}, "tools": [NAMED], "tool_choice": {"type": "any"}},
     ["Thinking may not be enabled when tool_choice forces tool use."]),
    ({**BIG, "thinking": ENABLED, "messages": [HI, assistant(THOUGHT), GIVEN]},
     ["messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found `tool_use`. When"]),
    ({**BIG, "thinking": ENABLED, "messages": [HI, assistant(text("a"), THOUGHT), GIVEN]},
     ["messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found `text`. When"]),
    ({**BIG, "thinking": ENABLED, "messages": [HI, assistant(THINKING, THOUGHT), GIVEN]}, []),
    ({**BIG, "thinking": ENABLED, "messages": [HI, assistant(USE), user(result("1"))]}, []),
    ({"messages": [HI, assistant(THOUGHT), GIVEN]}, []),
    ({**BIG, "thinking": ENABLED, "messages": [HI, assistant(THOUGHT), GIVEN, assistant(text("a")), HI]}, []),
    ({"tools": [{"name": "a b", "input_schema": SCHEMA}]},
     ["tools.0.custom.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'"]),
    ({"tools": [{"input_schema": SCHEMA}]}, ["tools.0.custom.name: Field required"]),
    ({"tools": [{"name": "f"}]}, ["tools.0.custom.input_schema: Field required"]),
    ({"tools": [{"name": "f", "input_schema": {}}]}, ["tools.0.custom.input_schema.type: Field required"]),
    ({"tools": [{"name": "f", "input_schema": {"type": "array"}}]},
     ["tools.0.custom.input_schema.type: Input should be 'object'"]),
    ({"tools": [NAMED, NAMED]}, ["tools: Tool names must be unique."]),
    ({"tool_choice": {"type": "auto"}}, ["tool_choice: tool_choice may only be specified while providing tools."]),
    ({"tools": [NAMED], "tool_choice": {"type": "tool", "name": "g"}}, ["Tool 'g' not found in provided tools"]),
    ({"tools": [NAMED], "tool_choice": {"type": "tool", "name": "f"}}, []),
    ({"stop_sequences": ["x", " "]}, ["stop_sequences: each stop sequence must contain non-whitespace"]),
    ({"system": [text("")]}, ["system: text content blocks must be non-empty"]),
    ({"system": [MARKED], "messages": [user(MARKED, MARKED)], "tools": [{**NAMED, "cache_control": {}}]}, []),
    ({"system": [MARKED], "messages": [user(MARKED, MARKED)], "tools": [{**NAMED, "cache_control": {}}],
      "cache_control": {"type": "ephemeral"}},
     ["A maximum of 4 blocks with cache_control may be provided. Found 5."]),
    ({"thread": {"type": "continue", "previous_message_id": "msg_A"}, "messages": []}, []),
]  # fmt: skip


@pytest.mark.parametrize("sent, begins", BREACHES, ids=range(len(BREACHES)))
def test_what_anthropic_refuses_although_it_can_be_read_is_a_breach(sent: dict[str, Any], begins: list[str]) -> None:
    """Each in Anthropic's words, at its place; and nothing else is."""
    found = turn(**sent).breaches
    assert begins == [told[: len(expected)] for told, expected in zip(found, begins, strict=True)]


def test_the_version_of_the_api_is_required() -> None:
    """A client that leaves the header out hears of it."""
    body = json.dumps({"model": "m", "max_tokens": 1, "messages": [HI]}).encode()
    found = WIRE.read(request(body, "/v1/messages"))
    assert isinstance(found, Turn)
    assert ("anthropic-version: header is required",) == found.breaches
