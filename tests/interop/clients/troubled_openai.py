"""The `openai` SDK as it comes, with its own retries, on Chat Completions and Responses, whole and streamed."""

from __future__ import annotations

import sys
from typing import Any

import openai
from troubled import MODELS, PARAMETERS, Heard, run

FUNCTION = {"name": "get_weather", "description": "The weather.", "parameters": PARAMETERS}
BASE = f"{sys.argv[1]}/v1"
CLIENT = openai.OpenAI(base_url=BASE, api_key="any")
CLIENT_ASYNC = openai.AsyncOpenAI(base_url=BASE, api_key="any")
ATTRIBUTES = (
    "status_code", "message", "body.message", "type", "code", "param", "request_id", "response.headers.retry-after",
)  # fmt: skip


def chat(headers: dict[str, str], says: str) -> dict[str, Any]:
    return {
        "model": MODELS["openai"],
        "messages": [{"role": "user", "content": says}],
        "tools": [{"type": "function", "function": FUNCTION}],
        "extra_headers": headers,
    }


def respond(headers: dict[str, str], says: str) -> dict[str, Any]:
    return {
        "model": MODELS["responses"],
        "input": says,
        "tools": [{"type": "function", **FUNCTION, "strict": False}],
        "extra_headers": headers,
    }


# --- Chat Completions


def chat_whole(headers: dict[str, str], says: str, heard: Heard) -> None:
    heard.append(CLIENT.chat.completions.create(**chat(headers, says)).choices[0].message.content or "")


async def chat_whole_async(headers: dict[str, str], says: str, heard: Heard) -> None:
    answer = await CLIENT_ASYNC.chat.completions.create(**chat(headers, says))
    heard.append(answer.choices[0].message.content or "")


def chat_streamed(headers: dict[str, str], says: str, heard: Heard) -> None:
    for chunk in CLIENT.chat.completions.create(**chat(headers, says), stream=True):
        heard += [choice.delta.content or "" for choice in chunk.choices]


async def chat_streamed_async(headers: dict[str, str], says: str, heard: Heard) -> None:
    async for chunk in await CLIENT_ASYNC.chat.completions.create(**chat(headers, says), stream=True):
        heard += [choice.delta.content or "" for choice in chunk.choices]


def chat_helper(headers: dict[str, str], says: str, heard: Heard) -> None:
    with CLIENT.chat.completions.stream(**chat(headers, says)) as events:
        heard += [event.delta for event in events if event.type == "content.delta"]
        events.get_final_completion()


async def chat_helper_async(headers: dict[str, str], says: str, heard: Heard) -> None:
    async with CLIENT_ASYNC.chat.completions.stream(**chat(headers, says)) as events:
        async for event in events:
            if event.type == "content.delta":
                heard.append(event.delta)
        await events.get_final_completion()


# --- Responses


def respond_whole(headers: dict[str, str], says: str, heard: Heard) -> None:
    heard.append(CLIENT.responses.create(**respond(headers, says)).output_text)


async def respond_whole_async(headers: dict[str, str], says: str, heard: Heard) -> None:
    heard.append((await CLIENT_ASYNC.responses.create(**respond(headers, says))).output_text)


def respond_streamed(headers: dict[str, str], says: str, heard: Heard) -> None:
    for event in CLIENT.responses.create(**respond(headers, says), stream=True):
        if event.type == "response.output_text.delta":
            heard.append(event.delta)


async def respond_streamed_async(headers: dict[str, str], says: str, heard: Heard) -> None:
    async for event in await CLIENT_ASYNC.responses.create(**respond(headers, says), stream=True):
        if event.type == "response.output_text.delta":
            heard.append(event.delta)


def respond_helper(headers: dict[str, str], says: str, heard: Heard) -> None:
    with CLIENT.responses.stream(**respond(headers, says)) as events:
        for event in events:
            if event.type == "response.output_text.delta":
                heard.append(event.delta)
        events.get_final_response()


async def respond_helper_async(headers: dict[str, str], says: str, heard: Heard) -> None:
    async with CLIENT_ASYNC.responses.stream(**respond(headers, says)) as events:
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
