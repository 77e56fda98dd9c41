"""The official `openai` SDK runs the tool loop of the gallery to its end, and its own models judge all it gets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from openai import AsyncOpenAI, OpenAI
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from serving import serving

WEATHER = Path(__file__).parents[2] / "scenarios" / "weather.toml"
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string"}, "unit": {"type": "string"}},
                "required": ["city", "unit"],
                "additionalProperties": False,
            },
            "strict": True,
        },
    }
]
ASKED = {"role": "user", "content": "what's the weather in Paris?"}
SAID = "It is 22°C in Paris."


@pytest.fixture
def base_url() -> Iterator[str]:
    with serving(WEATHER) as server:
        yield server.openai_url
        assert [] == server.mock.violations()
        assert server.mock.verify().ok


def get_weather(call: dict) -> dict:
    arguments = json.loads(call["function"]["arguments"])
    assert {"city": "Paris", "unit": "celsius"} == arguments
    return {"role": "tool", "tool_call_id": call["id"], "content": json.dumps({"temp": 22})}


def strictly(completion: ChatCompletion) -> dict:
    """The message of a completion that passes its own model strictly, with no field that the model lacks."""
    again = ChatCompletion.model_validate_json(completion.model_dump_json(exclude_unset=True), strict=True)
    assert not again.model_extra
    return again.choices[0].message.model_dump(exclude_unset=True, exclude_none=True)


def plain(client: OpenAI, messages: list[dict]) -> dict:
    return strictly(client.chat.completions.create(model="gpt-4o", messages=messages, tools=TOOLS))


def streamed(client: OpenAI, messages: list[dict]) -> dict:
    chunks = client.chat.completions.create(
        model="gpt-4o", messages=messages, tools=TOOLS, stream=True, stream_options={"include_usage": True}
    )
    return joined(list(chunks))


def helped(client: OpenAI, messages: list[dict]) -> dict:
    with client.chat.completions.stream(model="gpt-4o", messages=messages, tools=TOOLS) as stream:
        for _ in stream:
            pass
        message = stream.get_final_completion().choices[0].message
    found = message.model_dump(include={"role", "content"}, exclude_none=True)
    if message.tool_calls:
        found["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.function.name, "arguments": call.function.arguments},
            }
            for call in message.tool_calls
        ]
    return found


def joined(chunks: list[ChatCompletionChunk]) -> dict:
    """The message that the chunks spell, each of them passing its own model strictly."""
    content, calls, finish = "", {}, None
    for chunk in chunks:
        again = ChatCompletionChunk.model_validate_json(chunk.model_dump_json(exclude_unset=True), strict=True)
        for choice in again.choices:
            content += choice.delta.content or ""
            finish = choice.finish_reason or finish
            for call in choice.delta.tool_calls or ():
                entry = calls.setdefault(call.index, {"id": call.id, "name": call.function.name, "arguments": ""})
                entry["arguments"] += call.function.arguments or ""
    assert finish == ("tool_calls" if calls else "stop")
    assert chunks[-1].usage is not None
    message: dict = {"role": "assistant", "content": content or None}
    if calls:
        message["tool_calls"] = [
            {"id": c["id"], "type": "function", "function": {"name": c["name"], "arguments": c["arguments"]}}
            for c in calls.values()
        ]
    return message


@pytest.mark.parametrize("send", [plain, streamed, helped])
def test_the_tool_loop_runs_to_its_end(base_url: str, send) -> None:
    """Sync, plain or streamed: call, result, the SDK's own retry after a 429, answer."""
    with OpenAI(base_url=base_url, api_key="any") as client:
        messages = [ASKED]
        messages.append(send(client, messages))
        messages.append(get_weather(messages[-1]["tool_calls"][0]))
        assert SAID == send(client, messages)["content"]


@pytest.mark.parametrize("stream", [False, True])
def test_the_tool_loop_runs_to_its_end_async(base_url: str, stream: bool) -> None:
    """Async, plain or streamed: likewise."""

    async def send(client: AsyncOpenAI, messages: list[dict]) -> dict:
        if not stream:
            return strictly(await client.chat.completions.create(model="gpt-4o", messages=messages, tools=TOOLS))
        async with client.chat.completions.stream(model="gpt-4o", messages=messages, tools=TOOLS) as events:
            async for _ in events:
                pass
            return (await events.get_final_completion()).choices[0].message.to_dict()

    async def go() -> str:
        async with AsyncOpenAI(base_url=base_url, api_key="any") as client:
            messages = [ASKED]
            first = await send(client, messages)
            for call in first["tool_calls"]:
                call["function"].pop("parsed_arguments", None)
                call.pop("index", None)
            messages += [first, get_weather(first["tool_calls"][0])]
            return (await send(client, messages))["content"]

    assert SAID == asyncio.run(go())


def test_raw_bodies_pass_the_sdks_models_strictly(base_url: str) -> None:
    """What stands on the wire, not only what the SDK makes of it, passes the SDK's models in strict mode."""
    messages = [ASKED]
    for _ in range(2):
        request = {"model": "gpt-4o", "messages": messages, "tools": TOOLS}
        first = {"x-stainless-retry-count": "0"}
        answer = httpx.post(f"{base_url}/chat/completions", json=request, headers=first)
        if answer.status_code == 429:
            assert answer.headers["retry-after-ms"] == "20"
            answer = httpx.post(f"{base_url}/chat/completions", json=request, headers={"x-stainless-retry-count": "1"})
        assert answer.status_code == 200
        message = strictly(ChatCompletion.model_validate_json(answer.content, strict=True))
        messages.append(message)
        messages += [get_weather(call) for call in message.get("tool_calls", ())]
    assert SAID == messages[-1]["content"]
