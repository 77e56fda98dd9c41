"""Calls without results and results without calls, as a scenario that rejects refuses them: read by the SDKs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import anthropic
import openai
import pytest
from google import genai
from google.genai import errors
from machines import got, result, said, turn, use
from msgspec.structs import replace
from serving import serving

from llmposter.core.conformance import findings
from llmposter.model import Unpaired
from llmposter.wire import load

if TYPE_CHECKING:
    from llmposter.server import Running

SCENARIO: Final = """
[scenario]
conformance = "{}"

[[states.ask]]
when = 'user == "call" and last == "user"'
call = 'f()'

[[states.ask]]
reply = "fine"
"""


@pytest.fixture(scope="module")
def rejecting() -> Iterator[Running]:
    with serving(SCENARIO.format("reject")) as running:
        yield running


@pytest.fixture(scope="module")
def reporting() -> Iterator[Running]:
    with serving(SCENARIO.format("report")) as running:
        yield running


# --- OpenAI Chat ------------------------------------------------------------------------------------------------------

HI: Final = {"role": "user", "content": "hi"}
DONE: Final = {"role": "assistant", "content": "done"}


def chat_calls(*ids: str) -> dict[str, Any]:
    calls = [{"id": id_, "type": "function", "function": {"name": "f", "arguments": "{}"}} for id_ in ids]
    return {"role": "assistant", "tool_calls": calls}


def chat_result(id_: str) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": id_, "content": "22"}


UNANSWERED: Final = (
    "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The "
    "following tool_call_ids did not have response messages: "
)
STRAY: Final = (
    "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'."
)
SYSTEM: Final = {"role": "system", "content": "Be brief."}
LEGACY: Final = {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}}

CHAT: Final[dict[str, tuple[list[dict[str, Any]], str, str | None]]] = {
    "no result": ([SYSTEM, HI, chat_calls("a"), HI], f"{UNANSWERED}a", "messages.[3].role"),
    "no result at the end": ([HI, chat_calls("a")], f"{UNANSWERED}a", "messages"),
    "two without": ([HI, chat_calls("a", "b"), DONE, HI], f"{UNANSWERED}a, b", "messages.[2].role"),
    "one of two": ([HI, chat_calls("a", "b"), chat_result("b"), HI], f"{UNANSWERED}a", "messages.[3].role"),
    "one of two at the end": ([HI, chat_calls("a", "b"), chat_result("b")], f"{UNANSWERED}a", "messages"),
    "an earlier one": (
        [HI, chat_calls("a"), HI, chat_calls("b"), chat_result("b"), DONE, HI], f"{UNANSWERED}a", "messages.[2].role",
    ),
    "no call": ([SYSTEM, HI, chat_result("a")], STRAY, "messages.[2].role"),
    "no call at the beginning": ([chat_result("a"), HI], STRAY, "messages.[0].role"),
    "an answer without calls": (
        [HI, chat_calls("a"), chat_result("a"), DONE, chat_result("a")], STRAY, "messages.[4].role",
    ),
    "another id": (
        [HI, chat_calls("a"), chat_result("a"), chat_result("x")],
        "Invalid parameter: 'tool_call_id' of 'x' not found in 'tool_calls' of previous message.",
        "messages.[3].tool_call_id",
    ),
    "twice": (
        [SYSTEM, HI, chat_calls("a"), chat_result("a"), chat_result("a"), DONE, HI],
        "Invalid parameter: Duplicate value for 'tool_call_id' of 'a', in messages[3] and messages[4].",
        "messages.[4].tool_call_id",
    ),
    "of the old form": (
        [HI, LEGACY, HI],
        'the tool call of "f" has no result before the next user message: send one for each call',
        None,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CHAT)
def test_openai_chat(rejecting: Running, case: str) -> None:
    """The refusal has OpenAI's words and names the message as it was sent."""
    messages, message, param = CHAT[case]
    with (
        openai.OpenAI(base_url=f"{rejecting.session_url('chat')}/v1", api_key="any") as client,
        pytest.raises(openai.BadRequestError) as raised,
    ):
        client.chat.completions.create(model="m", messages=messages)
    assert {"message": message, "type": "invalid_request_error", "param": param, "code": None} == raised.value.body


# --- OpenAI Responses -------------------------------------------------------------------------------------------------


def call(id_: str, kind: str = "function_call") -> dict[str, Any]:
    return {"type": kind, "call_id": id_, "name": "f", "input" if kind.startswith("custom") else "arguments": "{}"}


def output(id_: str, kind: str = "function_call_output") -> dict[str, Any]:
    return {"type": kind, "call_id": id_, "output": "22"}


CUSTOM: Final = {"type": "custom", "name": "f"}
RESPONSES: Final[dict[str, tuple[list[dict[str, Any]], list[dict[str, Any]], str]]] = {
    "no output": ([HI, call("a"), HI], [], "No tool output found for function call a."),
    "no output for a custom tool": (
        [HI, call("a", "custom_tool_call"), HI], [CUSTOM], "No tool output found for custom tool call a.",
    ),
    "one of two": ([HI, call("a"), call("b"), output("a")], [], "No tool output found for function call b."),
    "no call": ([HI, output("a")], [], "No tool call found for function call output with call_id a."),
    "no call of a custom tool": (
        [HI, output("a", "custom_tool_call_output")], [],
        "No tool call found for custom tool call output with call_id a.",
    ),
    "one that stands elsewhere, and one that is missing": (
        [HI, call("a"), call("b"), HI, output("a")], [], "No tool output found for function call b.",
    ),
    "twice": (
        [HI, call("a"), output("a"), output("a")], [],
        'the tool call "a" has more than one result: send one for each call',
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", RESPONSES)
def test_openai_responses(rejecting: Running, case: str) -> None:
    """The refusal has OpenAI's words."""
    given, tools, message = RESPONSES[case]
    with (
        openai.OpenAI(base_url=f"{rejecting.session_url('responses')}/v1", api_key="any") as client,
        pytest.raises(openai.BadRequestError) as raised,
    ):
        client.responses.create(model="m", input=given, tools=tools)
    assert {"message": message, "type": "invalid_request_error", "param": "input", "code": None} == raised.value.body


def test_openai_responses_pairs_by_ids_wherever_they_stand(rejecting: Running) -> None:
    """Something between a call and its output is no breach."""
    with openai.OpenAI(base_url=f"{rejecting.session_url('apart')}/v1", api_key="any") as client:
        for given in ([HI, call("a"), HI, output("a")], [HI, call("a"), HI, output("a"), HI]):
            assert "fine" == client.responses.create(model="m", input=given).output_text
    assert () == rejecting.mock.verify("apart").problems


def test_what_openai_holds_is_looked_at_too(rejecting: Running) -> None:
    """A call of the answer that a request goes on from needs its output."""
    with openai.OpenAI(base_url=f"{rejecting.session_url('held')}/v1", api_key="any") as client:
        first = client.responses.create(model="m", input="call")
        id_ = first.output[0].call_id
        with pytest.raises(openai.BadRequestError, match=f"No tool output found for function call {id_}\\."):
            client.responses.create(model="m", previous_response_id=first.id, input="well?")
        given = [output(id_)]
        assert "fine" == client.responses.create(model="m", previous_response_id=first.id, input=given).output_text


# --- Anthropic --------------------------------------------------------------------------------------------------------


def assistant(*blocks: dict[str, Any]) -> dict[str, Any]:
    return {"role": "assistant", "content": list(blocks)}


def user(*blocks: dict[str, Any]) -> dict[str, Any]:
    return {"role": "user", "content": list(blocks)}


def tool_use(id_: str) -> dict[str, Any]:
    return {"type": "tool_use", "id": id_, "name": "f", "input": {}}


def tool_result(id_: str) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": id_, "content": "22"}


def no_results(at: int, *ids: str) -> str:
    return (
        f"messages.{at}: `tool_use` ids were found without `tool_result` blocks immediately after: {', '.join(ids)}. "
        "Each `tool_use` block must have a corresponding `tool_result` block in the next message."
    )


def unexpected(at: str, id_: str) -> str:
    return (
        f"messages.{at}: unexpected `tool_use_id` found in `tool_result` blocks: {id_}. Each `tool_result` block must "
        "have a corresponding `tool_use` block in the previous message."
    )


OURS: Final = "toolu_0123456789abcdef01234567"
TEXT: Final = {"type": "text", "text": "ok"}
ANTHROPIC: Final[dict[str, tuple[list[dict[str, Any]], str]]] = {
    "no result": ([HI, assistant(TEXT, tool_use("toolu_a")), HI], no_results(1, "toolu_a")),
    "an id of the server's": ([HI, assistant(tool_use(OURS)), HI], no_results(1, OURS)),
    "no result at the end": ([HI, assistant(tool_use("toolu_a"))], no_results(1, "toolu_a")),
    "two without": ([HI, HI, assistant(tool_use("a"), tool_use("b")), HI], no_results(2, "a", "b")),
    "one of two": (
        [HI, assistant(tool_use("a"), tool_use("b")), user(tool_result("b"), TEXT), DONE, HI], no_results(1, "a"),
    ),
    "no call": ([HI, user(tool_result("a"))], unexpected("1.content.0", "a")),
    "another id, the server's": (
        [HI, assistant(tool_use("a")), user(tool_result("a"), tool_result(OURS), TEXT), DONE, HI],
        unexpected("2.content.1", OURS),
    ),
    "in a second message": (
        [HI, assistant(tool_use("a")), user(tool_result("a")), user(tool_result("x")), DONE, HI],
        unexpected("3.content.0", "x"),
    ),
    "twice": (
        [HI, assistant(tool_use("a")), user(tool_result("a"), tool_result("a"))],
        "messages.2.content.1: each tool_use must have a single result. Found multiple `tool_result` blocks with id: a",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", ANTHROPIC)
def test_anthropic(rejecting: Running, case: str) -> None:
    """The refusal has Anthropic's words, and names messages, blocks and ids as they were sent."""
    messages, message = ANTHROPIC[case]
    with (
        anthropic.Anthropic(base_url=rejecting.session_url("anthropic"), api_key="any") as client,
        pytest.raises(anthropic.BadRequestError) as raised,
    ):
        client.messages.create(model="m", max_tokens=99, messages=messages)
    assert ("invalid_request_error", message) == (raised.value.type, raised.value.api_message)


# --- Gemini -----------------------------------------------------------------------------------------------------------


def contents(*roles: str) -> list[dict[str, Any]]:
    """``model:f:a`` calls *f* by the id *a*, ``user:f:a`` is its result; a role alone says something."""
    made: list[dict[str, Any]] = []
    for each in roles:
        role, *named = each.split(":")
        if not named:
            part: dict[str, Any] = {"text": "hi"}
        elif role == "model":
            part = {"function_call": {"name": named[0], "id": named[1]}}
        else:
            part = {"function_response": {"name": named[0], "id": named[1], "response": {}}}
        made.append({"role": role, "parts": [part]})
    return made


COUNT: Final = (
    "Please ensure that the number of function response parts is equal to the number of function call parts of the "
    "function call turn."
)
GEMINI: Final = {
    "no response": (("user", "model:f:a", "user"), COUNT),
    "no response at the end": (("user", "model:f:a"), COUNT),
    "two responses": (("user", "model:f:a", "user:f:a", "user:f:a"), COUNT),
    "no call": (
        ("user", "user:f:a"), "Please ensure that function response turn comes immediately after a function call turn.",
    ),
    "a call first": (
        ("model:f:a", "user:f:a"),
        "Please ensure that function call turn comes immediately after a user turn or after a function response turn.",
    ),
    "another id": (
        ("user", "model:f:a", "user:f:x"), 'the tool result "x" answers no call of the assistant message before it',
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", GEMINI)
def test_gemini(rejecting: Running, case: str) -> None:
    """The refusal has Gemini's words."""
    roles, message = GEMINI[case]
    with (
        genai.Client(api_key="any", http_options={"base_url": rejecting.session_url("gemini")}) as client,
        pytest.raises(errors.ClientError) as raised,
    ):
        client.models.generate_content(model="m", contents=contents(*roles))
    assert (400, "INVALID_ARGUMENT", message) == (raised.value.code, raised.value.status, raised.value.message)


# --- reports ----------------------------------------------------------------------------------------------------------


def test_a_report_is_in_words_for_the_author(reporting: Running) -> None:
    """It names the call and its tool and says what would be right; the client gets its answer."""
    with openai.OpenAI(base_url=f"{reporting.session_url('r')}/v1", api_key="any") as client:
        messages = [HI, chat_calls("a"), HI]
        assert "fine" == client.chat.completions.create(model="m", messages=messages).choices[0].message.content
    (problem,) = reporting.mock.verify("r").problems
    told = 'the tool call "a" of "f" has no result before the next user message: send one for each call'
    assert told in problem.message


HISTORIES: Final = {
    "unanswered": ("hi", said("", use("call_a", "f")), "hi"),
    "stray": ("hi", got(result("call_a", 1))),
    "repeated": ("hi", said("", use("call_a", "f")), got(result("call_a", 1), result("call_a", 1))),
}


@pytest.mark.parametrize("name", load())
@pytest.mark.parametrize("kind", HISTORIES)
def test_a_history_that_was_not_sent_has_a_refusal_too(name: str, kind: str) -> None:
    """A thread of Anthropic's holds what came before, and the checker plays histories without a body."""
    asked = turn(*HISTORIES[kind], provider=name)
    (found,) = findings(replace(asked, request=replace(asked.request, body=b"{}")), load()[name].unpaired)
    assert isinstance(found, Unpaired)
    assert found.refusal is not None
    assert (kind, 400, True) == (found.kind, found.refusal.status, bool(found.refusal.message))
