"""The `anthropic` SDK as it comes, with its own retries, whole and streamed."""

from __future__ import annotations

import sys
from typing import Any

import anthropic
from troubled import MODELS, PARAMETERS, Heard, run

TOOLS = [{"name": "get_weather", "description": "The weather.", "input_schema": PARAMETERS}]
CLIENT = anthropic.Anthropic(base_url=sys.argv[1], api_key="any")
CLIENT_ASYNC = anthropic.AsyncAnthropic(base_url=sys.argv[1], api_key="any")
ATTRIBUTES = (
    "status_code", "message", "body.error.message", "type", "body.error.type", "body.error.details.error_code",
    "request_id", "response.headers.retry-after",
)  # fmt: skip


def request(headers: dict[str, str], says: str) -> dict[str, Any]:
    return {
        "model": MODELS["anthropic"],
        "max_tokens": 4096,
        "messages": [{"role": "user", "content": says}],
        "tools": TOOLS,
        "extra_headers": headers,
    }


def texts(message: Any) -> list[str]:
    return [block.text for block in message.content if block.type == "text"]


def delta(event: Any) -> str:
    return event.delta.text if event.type == "content_block_delta" and event.delta.type == "text_delta" else ""


def whole(headers: dict[str, str], says: str, heard: Heard) -> None:
    heard += texts(CLIENT.messages.create(**request(headers, says)))


async def whole_async(headers: dict[str, str], says: str, heard: Heard) -> None:
    heard += texts(await CLIENT_ASYNC.messages.create(**request(headers, says)))


def streamed(headers: dict[str, str], says: str, heard: Heard) -> None:
    for event in CLIENT.messages.create(**request(headers, says), stream=True):
        heard.append(delta(event))


async def streamed_async(headers: dict[str, str], says: str, heard: Heard) -> None:
    async for event in await CLIENT_ASYNC.messages.create(**request(headers, says), stream=True):
        heard.append(delta(event))


def helper(headers: dict[str, str], says: str, heard: Heard) -> None:
    with CLIENT.messages.stream(**request(headers, says)) as events:
        for event in events:
            heard.append(delta(event))
        events.get_final_message()


async def helper_async(headers: dict[str, str], says: str, heard: Heard) -> None:
    async with CLIENT_ASYNC.messages.stream(**request(headers, says)) as events:
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
