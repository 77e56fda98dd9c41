"""The `openai` SDK as it comes, with its own retries, on Chat Completions and Responses, whole and streamed."""

from __future__ import annotations

from typing import Any

import openai
from troubled import MODELS, PARAMETERS, Asked, Heard, once, run

FUNCTION = {"name": "get_weather", "description": "The weather.", "parameters": PARAMETERS, "strict": True}
ATTRIBUTES = (
    "status_code", "message", "body.message", "type", "code", "param", "request_id", "response.headers.retry-after",
)  # fmt: skip


@once
def client(url: str, key: str, timeout: float | None) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{url}/v1", api_key=key, timeout=timeout or openai.NOT_GIVEN)


@once
def awaited(url: str, key: str, timeout: float | None) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=f"{url}/v1", api_key=key, timeout=timeout or openai.NOT_GIVEN)


def chat(asked: Asked) -> dict[str, Any]:
    return {
        "model": MODELS["openai"],
        "messages": [{"role": "user", "content": asked.says}],
        "tools": [{"type": "function", "function": FUNCTION}],
        "extra_headers": asked.headers,
    }


def respond(asked: Asked) -> dict[str, Any]:
    return {
        "model": MODELS["responses"],
        "input": asked.says,
        "tools": [{"type": "function", **FUNCTION}],
        "extra_headers": asked.headers,
    }


def texts(message: Any) -> list[str]:
    """Of a message of Chat Completions, whole or the next bit of it."""
    return [message.content or "", *(call.function.arguments or "" for call in message.tool_calls or ())]


def output(answer: Any) -> list[str]:
    calls = [item.arguments for item in answer.output if item.type == "function_call"]
    return [answer.output_text, *calls]


def delta(event: Any) -> str:
    """What an event says, of either API."""
    match event.type:
        case "content.delta" | "response.output_text.delta" | "response.function_call_arguments.delta":
            return event.delta
        case "tool_calls.function.arguments.delta":
            return event.arguments_delta
        case _:
            return ""


# --- Chat Completions


def chat_whole(asked: Asked, heard: Heard) -> None:
    heard += texts(client(*asked.client).chat.completions.create(**chat(asked)).choices[0].message)


async def chat_whole_async(asked: Asked, heard: Heard) -> None:
    heard += texts((await awaited(*asked.client).chat.completions.create(**chat(asked))).choices[0].message)


def chat_streamed(asked: Asked, heard: Heard) -> None:
    for chunk in client(*asked.client).chat.completions.create(**chat(asked), stream=True):
        heard += [text for choice in chunk.choices for text in texts(choice.delta)]


async def chat_streamed_async(asked: Asked, heard: Heard) -> None:
    async for chunk in await awaited(*asked.client).chat.completions.create(**chat(asked), stream=True):
        heard += [text for choice in chunk.choices for text in texts(choice.delta)]


def chat_helper(asked: Asked, heard: Heard) -> None:
    with client(*asked.client).chat.completions.stream(**chat(asked)) as events:
        for event in events:
            heard.append(delta(event))
        events.get_final_completion()


async def chat_helper_async(asked: Asked, heard: Heard) -> None:
    async with awaited(*asked.client).chat.completions.stream(**chat(asked)) as events:
        async for event in events:
            heard.append(delta(event))
        await events.get_final_completion()


# --- Responses


def respond_whole(asked: Asked, heard: Heard) -> None:
    heard += output(client(*asked.client).responses.create(**respond(asked)))


async def respond_whole_async(asked: Asked, heard: Heard) -> None:
    heard += output(await awaited(*asked.client).responses.create(**respond(asked)))


def respond_streamed(asked: Asked, heard: Heard) -> None:
    for event in client(*asked.client).responses.create(**respond(asked), stream=True):
        heard.append(delta(event))


async def respond_streamed_async(asked: Asked, heard: Heard) -> None:
    async for event in await awaited(*asked.client).responses.create(**respond(asked), stream=True):
        heard.append(delta(event))


def respond_helper(asked: Asked, heard: Heard) -> None:
    with client(*asked.client).responses.stream(**respond(asked)) as events:
        for event in events:
            heard.append(delta(event))
        events.get_final_response()


async def respond_helper_async(asked: Asked, heard: Heard) -> None:
    async with awaited(*asked.client).responses.stream(**respond(asked)) as events:
        async for event in events:
            heard.append(delta(event))
        await events.get_final_response()


run(
    {
        "openai": {
            "whole": chat_whole,
            "whole async": chat_whole_async,
            "streamed": chat_streamed,
            "streamed async": chat_streamed_async,
            "helper": chat_helper,
            "helper async": chat_helper_async,
        },
        "responses": {
            "whole": respond_whole,
            "whole async": respond_whole_async,
            "streamed": respond_streamed,
            "streamed async": respond_streamed_async,
            "helper": respond_helper,
            "helper async": respond_helper_async,
        },
    },
    ATTRIBUTES,
)
