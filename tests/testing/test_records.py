"""Records: what each official SDK sent and was told, in no provider's words, and never more than was kept."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator

import anthropic
import httpx
import openai
import pytest
from agents import Agent, posted
from google import genai

from llmposter import Server

TOOL = """
[scenario]
final = ["done"]

[[states.ask]]
when = 'user contains "add"'
call = 'add(a: 1, b: 2)'
goto = "wait"

[[states.wait]]
when = 'result("add") exists'
reply = "It is ${result.text}."
goto = "done"
"""
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}}}


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(TOOL) as server:
        yield server


def chat(server: Server) -> None:
    with openai.OpenAI(base_url=server.openai_url, api_key="sk-secret-key") as client:
        tools = [{"type": "function", "function": {"name": "add", "parameters": SCHEMA}}]
        messages = [{"role": "system", "content": "Add."}, {"role": "user", "content": "add"}]
        answer = client.chat.completions.create(model="m", messages=messages, tools=tools).choices[0].message
        result = {"role": "tool", "tool_call_id": answer.tool_calls[0].id, "content": "3"}
        client.chat.completions.create(model="m", messages=[*messages, answer, result], tools=tools)


def responses(server: Server) -> None:
    with openai.OpenAI(base_url=server.openai_url, api_key="sk-secret-key") as client:
        tools = [{"type": "function", "name": "add", "parameters": SCHEMA, "strict": False}]
        answer = client.responses.create(model="m", instructions="Add.", input="add", tools=tools)
        result = {"type": "function_call_output", "call_id": answer.output[0].call_id, "output": "3"}
        client.responses.create(
            model="m", instructions="Add.", previous_response_id=answer.id, input=[result], tools=tools
        )


def messages(server: Server) -> None:
    with anthropic.Anthropic(base_url=server.anthropic_url, api_key="sk-secret-key") as client:
        more = {"model": "m", "max_tokens": 9, "system": "Add.", "tools": [{"name": "add", "input_schema": SCHEMA}]}
        said = [{"role": "user", "content": "add"}]
        answer = client.messages.create(messages=said, **more)
        result = {"type": "tool_result", "tool_use_id": answer.content[0].id, "content": "3"}
        said += [{"role": "assistant", "content": answer.content}, {"role": "user", "content": [result]}]
        client.messages.create(messages=said, **more)


def gemini(server: Server) -> None:
    options = genai.types.HttpOptions(base_url=server.gemini_url)
    with genai.Client(api_key="sk-secret-key", http_options=options) as client:
        declared = genai.types.FunctionDeclaration(name="add", parameters_json_schema=SCHEMA)
        tools = [genai.types.Tool(function_declarations=[declared])]
        config = genai.types.GenerateContentConfig(tools=tools, system_instruction="Add.")
        said = [genai.types.Content(role="user", parts=[genai.types.Part(text="add")])]
        answer = client.models.generate_content(model="m", contents=said, config=config).candidates[0].content
        # As many clients do, without the id of the call.
        result = genai.types.Part.from_function_response(name="add", response={"result": "3"})
        for part in answer.parts:
            part.function_call.id = None
        said += [answer, genai.types.Content(role="user", parts=[result])]
        client.models.generate_content(model="m", contents=said, config=config)


CLIENTS: dict[str, Callable[[Server], None]] = {
    "openai": chat,
    "responses": responses,
    "anthropic": messages,
    "gemini": gemini,
}


@pytest.mark.parametrize("provider", CLIENTS)
def test_what_an_sdk_did_is_told_alike(provider: str, server: Server) -> None:
    """Messages, system prompt, tools, answers and calls, whatever API carried them."""
    CLIENTS[provider](server)
    first, second = server.requests
    assert (provider, "m", "Add.", ("add",)) == (first.provider, first.model, first.system, first.tools)
    assert ("reply", 200, "ask", "wait", "ask#1") == (
        first.outcome, first.status, first.before, first.after, first.rule,
    )  # fmt: skip
    assert [("user", "add")] == [(each.role, each.text) for each in first.messages]
    (asked,) = first.answer.calls
    assert ("add", {"a": 1, "b": 2}) == (asked.tool, asked.arguments)
    assert f"It is {server.assert_called('add').result}." == second.answer.text
    assert ("sk-secret" in str(first), True) == (False, "…" in str(first.headers))
    call = server.assert_called("add", a=1, b=2)
    assert (True, 1, 2) == (call.done, call.request, call.answered_by)
    assert call.result in ("3", '{"result":"3"}')
    server.assert_path(["ask", "wait", "done"])
    server.verify()


def test_records_never_change(server: Server) -> None:
    """They are values; who asks again gets new ones."""
    posted(server.openai_url, "add")
    request = server.requests[0]
    with pytest.raises(dataclasses.FrozenInstanceError):
        request.status = 500  # type: ignore[misc]
    assert request == server.requests[0]


def test_the_body_is_as_it_was_sent(server: Server) -> None:
    """As text to the byte, and parsed; of what is no JSON the text alone."""
    posted(server.openai_url, "add")
    httpx.post(f"{server.openai_url}/chat/completions", content=b"not \xff JSON")
    first, second = server.requests
    assert "add" == first.body["messages"][0]["content"]
    assert first.text.startswith('{"model"')
    assert (None, "not � JSON", "refused") == (second.body, second.text, second.outcome)


def test_what_was_cut_is_told() -> None:
    """A body that was too long for what is kept is not half understood."""
    with Server(TOOL, body_size=60) as server:
        posted(server.openai_url, "add " + 60 * "x")
        (request,) = server.requests
        assert (60, None, ()) == (len(request.text), request.body, request.messages)
        assert request.cut > 0
        with pytest.raises(AssertionError, match=rf"the agent sent: \(the body was cut by {request.cut} bytes\)"):
            server.assert_final()


def test_a_long_history_is_kept_whole(server: Server) -> None:
    """What a test asks about is there, also where an agent's history is long."""
    agent = Agent(server.openai_url, [{"type": "function", "function": {"name": "add", "description": 90_000 * "x"}}])
    agent.say("add")
    agent.bring("3")
    assert "3" == server.assert_called("add").result


def test_violations_say_where(server: Server) -> None:
    """With the request, the state and the place."""
    agent = Agent(server.openai_url)
    agent.say("add")
    agent.say("add")
    kinds = {each.kind for each in server.violations}
    assert {"tools", "conformance"} == kinds
    (unpaired,) = [each for each in server.violations if each.kind == "conformance"]
    assert (2, "wait", "c1", "scenario") == (
        unpaired.request, unpaired.state, unpaired.conversation, unpaired.scenario,
    )  # fmt: skip


def test_a_conversation_tells_its_variables() -> None:
    """And how many answers it had."""
    scenario = '[vars]\nn = 0\n[[states.a]]\nset = { n = "n + 1" }\nreply = "${n}"\n'
    with Server(scenario) as server:
        agent = Agent(server.openai_url)
        agent.say("one")
        agent.say("two")
        held = server.conversation()
        assert ({"n": 2}, 2, 2, True) == (held.vars, held.answers, held.requests, held.final)


def test_states_that_are_passed_through_are_on_the_path() -> None:
    """Although no answer was given in them."""
    scenario = """
[[states.a]]
goto = "b"
[[states.b]]
when = "turn == 1"
reply = "B"
goto = "c"
[[states.c]]
reply = "C"
goto = "a"
"""
    with Server(scenario) as server:
        agent = Agent(server.openai_url)
        agent.say("one")
        agent.say("two")
        server.assert_path(["a", "b", "c", "a"])
        assert [("a", "b", "c"), ("c", "a")] == [each.path_taken for each in server.requests]


def test_what_broke_an_answer_is_told() -> None:
    """A fault and how the answer went out."""
    with Server('[[states.a]]\nreply = "Hello there"\nfault = "close"\n') as server:
        with pytest.raises(httpx.RemoteProtocolError):
            posted(server.openai_url, "hi")
        (request,) = server.requests
        assert (("close",), "closed") == (request.faults, request.how)
        assert 0 <= request.seconds < 20
