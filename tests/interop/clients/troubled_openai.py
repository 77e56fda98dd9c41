"""The `openai` SDK as it comes, with its own retries, on Chat Completions and Responses, whole and streamed."""

from __future__ import annotations

from functools import cache
from typing import Any

import openai
from troubled import MODELS, PARAMETERS, Asked, Heard, run

FUNCTION = {"name": "get_weather", "description": "The weather.", "parameters": PARAMETERS}
ATTRIBUTES = (
    "status_code", "message", "body.message", "type", "code", "param", "request_id", "response.headers.retry-after",
)  # fmt: skip


@cache
def client(url: str, key: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{url}/v1", api_key=key)


@cache
def awaited(url: str, key: str) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=f"{url}/v1", api_key=key)


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
        "tools": [{"type": "function", **FUNCTION, "strict": False}],
        "extra_headers": asked.headers,
    }


# --- Chat Completions


def chat_whole(asked: Asked, heard: Heard) -> None:
    heard.append(client(asked.url, asked.key).chat.completions.create(**chat(asked)).choices[0].message.content or "")


async def chat_whole_async(asked: Asked, heard: Heard) -> None:
    answer = await awaited(asked.url, asked.key).chat.completions.create(**chat(asked))
    heard.append(answer.choices[0].message.content or "")


def chat_streamed(asked: Asked, heard: Heard) -> None:
    for chunk in client(asked.url, asked.key).chat.completions.create(**chat(asked), stream=True):
        heard += [choice.delta.content or "" for choice in chunk.choices]


async def chat_streamed_async(asked: Asked, heard: Heard) -> None:
    async for chunk in await awaited(asked.url, asked.key).chat.completions.create(**chat(asked), stream=True):
        heard += [choice.delta.content or "" for choice in chunk.choices]


def chat_helper(asked: Asked, heard: Heard) -> None:
    with client(asked.url, asked.key).chat.completions.stream(**chat(asked)) as events:
        heard += [event.delta for event in events if event.type == "content.delta"]
        events.get_final_completion()


async def chat_helper_async(asked: Asked, heard: Heard) -> None:
    async with awaited(asked.url, asked.key).chat.completions.stream(**chat(asked)) as events:
        async for event in events:
            if event.type == "content.delta":
                heard.append(event.delta)
        await events.get_final_completion()


# --- Responses


def respond_whole(asked: Asked, heard: Heard) -> None:
    heard.append(client(asked.url, asked.key).responses.create(**respond(asked)).output_text)


async def respond_whole_async(asked: Asked, heard: Heard) -> None:
    heard.append((await awaited(asked.url, asked.key).responses.create(**respond(asked))).output_text)


def respond_streamed(asked: Asked, heard: Heard) -> None:
    for event in client(asked.url, asked.key).responses.create(**respond(asked), stream=True):
        if event.type == "response.output_text.delta":
            heard.append(event.delta)


async def respond_streamed_async(asked: Asked, heard: Heard) -> None:
    async for event in await awaited(asked.url, asked.key).responses.create(**respond(asked), stream=True):
        if event.type == "response.output_text.delta":
            heard.append(event.delta)


def respond_helper(asked: Asked, heard: Heard) -> None:
    with client(asked.url, asked.key).responses.stream(**respond(asked)) as events:
        for event in events:
            if event.type == "response.output_text.delta":
                heard.append(event.delta)
        events.get_final_response()


async def respond_helper_async(asked: Asked, heard: Heard) -> None:
    async with awaited(asked.url, asked.key).responses.stream(**respond(asked)) as events:
        async for event in events:
            if event.type == "response.output_text.delta":
                heard.append(event.delta)
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
