"""Anthropic Messages behind the real server: agents with the official SDK, held to what Anthropic holds them to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import anthropic
import pytest
from anthropic import beta_tool
from anthropic.types import ThreadNotFoundError
from serving import serving

if TYPE_CHECKING:
    from llmposter.server import Running

SCENARIO = """
[scenario]
name = "anthropic"

[vars]
n = 0

[[always]]
when = 'user == "who am I?"'
reply = "${provider} ${path} ${model}"

[[always]]
when = 'user == "what holds?"'
reply = "${system}; ${tools[0]}; ${len(messages)}"

[[states.ask]]
when = 'user matches /^weather in (?P<city>.+)$/'
think = "They want the weather."
call = 'get_weather(city: city)'
goto = "told"

[[states.ask]]
when = 'user == "count"'
call = 'add(n: 0)'
goto = "counting"

[[states.ask]]
when = 'user == "pause"'
reply = "Searching."
finish = "pause"
goto = "paused"

[[states.ask]]
when = 'user == "sun" and last == "assistant"'
reply = "B)"
goto = "told sun"

[[states.ask]]
when = 'user == "no"'
refuse = "I will not."

[[states.ask]]
when = 'user == "stop"'
reply = "one, two"
finish = "stop_sequence"

[[states.ask]]
when = 'user == "failed"'
call = 'f()'
goto = "failing"

[[states.failing]]
reply = "${result.error}"

[[states.told]]
when = 'result("get_weather") exists'
think = "Good."
reply = "It is ${result.text}."
goto = "after"

[[states.after]]
reply = "You are welcome, turn ${turn}."

[[states.counting]]
when = "n < 5"
set = { n = "n + 1" }
call = 'add(n: n)'

[[states.counting]]
reply = "${n} and ${result.text}"
goto = "ask"

[[states.paused]]
when = 'last == "assistant"'
reply = "Found after ${assistant}"
goto = "ask"

[[states."told sun"]]
reply = "The sun, turn ${turn}, ${assistant}"
"""
SCENARIO = SCENARIO.replace('"told sun"', '"told-sun"')
ASK: dict[str, Any] = {"model": "claude-sonnet-5", "max_tokens": 2048}
THINKING = {"thinking": {"type": "enabled", "budget_tokens": 1024}}
WEATHER = {"name": "get_weather", "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}}}
TOOLS = {"tools": [WEATHER]}


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with serving(SCENARIO) as running:
        yield running


@pytest.fixture
def client(server: Running, request: pytest.FixtureRequest) -> Iterator[anthropic.Anthropic]:
    with client_of(server, request.node.name) as found:
        yield found


def client_of(server: Running, session: str) -> anthropic.Anthropic:
    name = "".join(each if each.isalnum() else "-" for each in session)
    return anthropic.Anthropic(base_url=server.session_url(name), api_key="any", max_retries=0)


def user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


def assistant(content: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": content}


def result(call: Any, content: Any, **more: Any) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": call.id, "content": content, **more}


def text(message: Any) -> str:
    return "".join(block.text for block in message.content if block.type == "text")


def violations(server: Running, client: anthropic.Anthropic) -> list[str]:
    session = str(client.base_url).rstrip("/").rpartition("@")[2]
    return [each["message"] for each in server.mock.violations(session)]


def test_the_fact_provider_is_anthropic(client: anthropic.Anthropic) -> None:
    """On the path of the API, with `?beta=true` too."""
    asked = {**ASK, "messages": [user("who am I?")]}
    assert "anthropic /v1/messages claude-sonnet-5" == text(client.messages.create(**asked))
    assert "anthropic /v1/messages claude-sonnet-5" == text(client.beta.messages.create(**asked, betas=["x-2026"]))


@pytest.mark.parametrize("stream", [False, True])
def test_a_tool_loop_with_thinking(server: Running, client: anthropic.Anthropic, *, stream: bool) -> None:
    """The agent sends thinking, signature and call back as it got them, and nothing is wrong with that."""
    messages: list[Any] = [user("weather in Paris")]

    def said() -> Any:
        asked = {**ASK, **THINKING, **TOOLS, "messages": messages}
        if not stream:
            return client.messages.create(**asked)
        with client.messages.stream(**asked) as events:
            return events.get_final_message()

    first = said()
    thinking, call = first.content
    assert ("thinking", "They want the weather.", "tool_use") == (thinking.type, thinking.thinking, call.type)
    assert ({"city": "Paris"}, "tool_use") == (call.input, first.stop_reason)
    assert call.id.startswith("toolu_")
    messages += [assistant(first.content), user([result(call, "22°C")])]
    second = said()
    assert "It is 22°C." == text(second)
    messages += [assistant(second.content), user("thanks")]
    assert "You are welcome, turn 3." == text(said())
    assert [] == violations(server, client)


def test_six_consecutive_tool_turns(server: Running, client: anthropic.Anthropic) -> None:
    """Each result alone in its message, as agents send them, one after the other."""
    messages: list[Any] = [user("count")]
    said = client.messages.create(**ASK, messages=messages)
    seen = []
    while said.stop_reason == "tool_use":
        (call,) = said.content
        seen.append(call.input["n"])
        messages += [assistant(said.content), user([result(call, f"r{len(seen)}")])]
        said = client.messages.create(**ASK, messages=messages)
    assert ([0, 1, 2, 3, 4, 5], "5 and r6") == (seen, text(said))
    assert [] == violations(server, client)


def test_results_with_text_beside_them(server: Running, client: anthropic.Anthropic) -> None:
    """A result and what the user says beside it, in one message, are both heard."""
    first = client.messages.create(**ASK, messages=[user("weather in Rome")])
    call = first.content[-1]
    messages = [user("weather in Rome"), assistant(first.content)]
    both = user([result(call, [{"type": "text", "text": "30°C"}]), {"type": "text", "text": "quick!"}])
    assert "It is 30°C." == text(client.messages.create(**ASK, messages=[*messages, both]))
    assert [] == violations(server, client)


@pytest.mark.parametrize("failed, told", [({}, "false"), ({"is_error": False}, "false"), ({"is_error": True}, "true")])
def test_a_result_is_an_error_where_the_client_says_so(
    client: anthropic.Anthropic, failed: dict[str, Any], told: str
) -> None:
    """Its text does not matter, for the format has a flag."""
    first = client.messages.create(**ASK, messages=[user("failed")])
    (call,) = first.content
    messages = [user("failed"), assistant(first.content), user([result(call, "Error: x", **failed)])]
    assert told == text(client.messages.create(**ASK, messages=messages))


def test_a_refusal_is_a_reason_to_stop(client: anthropic.Anthropic) -> None:
    """With its text, and what there is to say of it."""
    said = client.messages.create(**ASK, messages=[user("no")])
    assert ("refusal", "I will not.", "I will not.") == (said.stop_reason, text(said), said.stop_details.explanation)


def test_the_stop_sequence_is_told(client: anthropic.Anthropic) -> None:
    """The first of those that the request names."""
    said = client.messages.create(**ASK, messages=[user("stop")], stop_sequences=[", three", "x"])
    assert ("stop_sequence", ", three") == (said.stop_reason, said.stop_sequence)


def test_a_paused_answer_goes_on(server: Running, client: anthropic.Anthropic) -> None:
    """Sent back as it is, it is continued; the history holds both as they were."""
    messages: list[Any] = [user("pause")]
    first = client.messages.create(**ASK, messages=messages)
    assert "pause_turn" == first.stop_reason
    messages.append(assistant(first.content))
    second = client.messages.create(**ASK, messages=messages)
    assert "Found after Searching." == text(second)
    messages += [assistant(second.content), user("who am I?")]
    assert "anthropic" in text(client.messages.create(**ASK, messages=messages))
    assert [] == strange(server, client)


def strange(server: Running, client: anthropic.Anthropic) -> list[dict[str, Any]]:
    """What came with a history that the machine does not know."""
    session = str(client.base_url).rstrip("/").rpartition("@")[2]
    return [entry for entry in server.mock.journal(session)["entries"] if entry["foreign_from"] is not None]


def test_a_prefill_and_the_answer_are_one_message(server: Running, client: anthropic.Anthropic) -> None:
    """What the client puts into the assistant's mouth is a fact, and the conversation goes on from both together."""
    begun = "The best answer is ("
    messages: list[Any] = [user("sun"), assistant(begun)]
    said = client.messages.create(**ASK, messages=messages)
    assert "B)" == text(said)
    messages = [user("sun"), assistant(begun + text(said)), user("sure?")]
    assert f"The sun, turn 2, {begun}B)" == text(client.messages.create(**ASK, messages=messages))
    assert ([], []) == (strange(server, client), violations(server, client))


def test_thinking_that_comes_back_changed_or_not_at_all(server: Running) -> None:
    """Each is told in Anthropic's words, at its place."""
    for name, change, expected in [
        ("text", lambda thinking, call: [{**thinking, "thinking": "Else."}, call], "cannot be modified"),
        ("signature", lambda thinking, call: [{**thinking, "signature": "EqQB"}, call], "Invalid `signature` in"),
        ("none", lambda _, call: [call], "Expected `thinking` or `redacted_thinking`, but found `tool_use`"),
        ("unsigned", lambda thinking, call: [{**thinking, "signature": ""}, call], "signature: Field required"),
        ("same", lambda thinking, call: [thinking, call], None),
    ]:
        with client_of(server, f"thinking-{name}") as client:
            asked = {**ASK, **THINKING, **TOOLS}
            first = client.messages.create(**asked, messages=[user("weather in Paris")])
            content = change(*(block.to_dict() for block in first.content))
            messages = [user("weather in Paris"), assistant(content), user([result(first.content[1], "22°C")])]
            assert "It is 22°C." == text(client.messages.create(**asked, messages=messages)), name
            told = violations(server, client)
            assert expected is None or expected in told[0], name
            assert (0 if expected is None else 1) == len(told), told


def test_thinking_left_out_is_no_breach_without_thinking(server: Running, client: anthropic.Anthropic) -> None:
    """Anthropic minds it only where thinking is enabled in the request."""
    first = client.messages.create(**ASK, **TOOLS, messages=[user("weather in Paris")])
    call = first.content[1]
    messages = [user("weather in Paris"), assistant([call]), user([result(call, "22°C")])]
    assert "It is 22°C." == text(client.messages.create(**ASK, **TOOLS, messages=messages))
    assert [] == violations(server, client)


def test_a_scenario_that_rejects_answers_as_anthropic_would() -> None:
    """A breach is a 400 with Anthropic's sentence."""
    with (
        serving('[scenario]\nconformance = "reject"\n[[states.a]]\nreply = "x"') as server,
        client_of(server, "r") as client,
        pytest.raises(anthropic.BadRequestError) as raised,
    ):
        client.messages.create(model="m", max_tokens=1, messages=[assistant("hi"), user("hi")])
    assert ("invalid_request_error", 'messages: first message must use the "user" role') == (
        raised.value.type,
        raised.value.api_message,
    )


def test_the_tool_runner_plays_the_loop(server: Running, client: anthropic.Anthropic) -> None:
    """The SDK's own agent calls the function and gets to the end."""
    asked = []

    @beta_tool
    def get_weather(city: str) -> str:
        """The weather in a city.

        Args:
            city: its name.
        """
        asked.append(city)
        return "22°C"

    runner = client.beta.messages.tool_runner(**ASK, tools=[get_weather], messages=[user("weather in Paris")])
    assert ("It is 22°C.", ["Paris"]) == (text(runner.until_done()), asked)
    assert [] == violations(server, client)


def test_a_thread_is_held_by_the_server(server: Running, client: anthropic.Anthropic) -> None:
    """Each request sends what is new alone; system prompt and tools are those that it began with."""
    thread = client.beta.messages.thread(**ASK, **TOOLS, system="be brief")
    first = thread.send(user("weather in Paris"))
    call = first.content[1]
    assert "It is 22°C." == text(thread.send(user([result(call, "22°C")])))
    assert "You are welcome, turn 3." == text(thread.send(user("thanks")))
    assert "be brief; get_weather; 7" == text(thread.send(user("what holds?")))
    assert ([], []) == (strange(server, client), violations(server, client))


def test_a_thread_goes_on_from_a_paused_answer_without_a_message(client: anthropic.Anthropic) -> None:
    """The server holds the unfinished answer and has nothing to be told."""
    thread = client.beta.messages.thread(**ASK)
    assert "pause_turn" == thread.send(user("pause")).stop_reason
    assert "Found after Searching." == text(thread.send())


def test_a_thread_that_is_not_held_is_begun_again(server: Running, client: anthropic.Anthropic) -> None:
    """The 404 of the API; the SDK then sends the whole conversation, which is known from its history."""
    thread = client.beta.messages.thread(**ASK, **TOOLS)
    call = thread.send(user("weather in Paris")).content[1]
    server.mock.reset(str(client.base_url).rstrip("/").rpartition("@")[2])
    assert "It is 22°C." == text(thread.send(user([result(call, "22°C")])))
    assert ([], []) == (strange(server, client), violations(server, client))
    asked = {**ASK, "messages": [user("who am I?")]}
    with pytest.raises(ThreadNotFoundError, match="llmposter holds the last"):
        client.beta.messages.create(**asked, thread={"type": "continue", "previous_message_id": "msg_nobody"})


def test_tokens_are_counted(client: anthropic.Anthropic) -> None:
    """As usage of an answer counts them; `max_tokens` is not asked for, and a broken body is refused."""
    asked = {"model": "m", "messages": [user("who am I?")], "system": "be brief", **TOOLS}
    counted = client.messages.count_tokens(**asked).input_tokens
    said = client.messages.create(**asked, max_tokens=5)
    assert counted == said.usage.input_tokens > 0
    with pytest.raises(anthropic.BadRequestError, match=r"messages.0.content: Field required"):
        client.messages.count_tokens(model="m", messages=[{"role": "user"}])


def test_a_miss_arrives_with_its_explanation(client: anthropic.Anthropic) -> None:
    """As a 404 of Anthropic's, with the closest rule in its message."""
    with pytest.raises(anthropic.NotFoundError) as raised:
        client.messages.create(**ASK, messages=[user("what else")])
    assert "not_found_error" == raised.value.type
    assert 'no rule of scenario "anthropic", state "ask" matches' in raised.value.api_message
    assert json.loads(raised.value.response.content)["request_id"] == raised.value.request_id
