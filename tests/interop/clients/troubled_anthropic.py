"""The `anthropic` SDK as it comes, with its own retries, whole and streamed."""

from __future__ import annotations

import json
from typing import Any

import anthropic
from troubled import MODELS, PARAMETERS, Asked, Heard, once, run

TOOLS = [{"name": "get_weather", "description": "The weather.", "input_schema": PARAMETERS}]
ATTRIBUTES = (
    "status_code", "message", "body.error.message", "type", "body.error.type", "body.error.details.error_code",
    "request_id", "response.headers.retry-after",
)  # fmt: skip


@once
def client(url: str, key: str, timeout: float | None) -> anthropic.Anthropic:
    return anthropic.Anthropic(base_url=url, api_key=key, timeout=timeout or anthropic.NOT_GIVEN)


@once
def awaited(url: str, key: str, timeout: float | None) -> anthropic.AsyncAnthropic:
    return anthropic.AsyncAnthropic(base_url=url, api_key=key, timeout=timeout or anthropic.NOT_GIVEN)


def request(asked: Asked) -> dict[str, Any]:
    return {
        "model": MODELS["anthropic"],
        "max_tokens": 4096,
        "messages": [{"role": "user", "content": asked.says}],
        "tools": TOOLS,
        "extra_headers": asked.headers,
    }


def texts(message: Any) -> list[str]:
    return [block.text if block.type == "text" else json.dumps(block.input) for block in message.content]


def delta(event: Any) -> str:
    if event.type != "content_block_delta":
        return ""
    return event.delta.text if event.delta.type == "text_delta" else event.delta.partial_json


def whole(asked: Asked, heard: Heard) -> None:
    heard += texts(client(*asked.client).messages.create(**request(asked)))


async def whole_async(asked: Asked, heard: Heard) -> None:
    heard += texts(await awaited(*asked.client).messages.create(**request(asked)))


def streamed(asked: Asked, heard: Heard) -> None:
    for event in client(*asked.client).messages.create(**request(asked), stream=True):
        heard.append(delta(event))


async def streamed_async(asked: Asked, heard: Heard) -> None:
    async for event in await awaited(*asked.client).messages.create(**request(asked), stream=True):
        heard.append(delta(event))


def helper(asked: Asked, heard: Heard) -> None:
    with client(*asked.client).messages.stream(**request(asked)) as events:
        for event in events:
            heard.append(delta(event))
        events.get_final_message()


async def helper_async(asked: Asked, heard: Heard) -> None:
    async with awaited(*asked.client).messages.stream(**request(asked)) as events:
        async for event in events:
            heard.append(delta(event))
        await events.get_final_message()


run(
    {
        "anthropic": {
            "whole": whole,
            "whole async": whole_async,
            "streamed": streamed,
            "streamed async": streamed_async,
            "helper": helper,
            "helper async": helper_async,
        }
    },
    ATTRIBUTES,
)
