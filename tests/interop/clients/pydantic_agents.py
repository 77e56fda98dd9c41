"""PydanticAI, on OpenAI (Chat and Responses), Anthropic and Google."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from playing import LOOP, MODELS, PATIENCE, Heard, Play, get_weather, run
from pydantic_ai import Agent
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.google import GoogleModel
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.google import GoogleProvider
from pydantic_ai.providers.openai import OpenAIProvider


def openai(url: str) -> Any:
    return OpenAIChatModel(MODELS["openai"], provider=OpenAIProvider(base_url=f"{url}/v1", api_key="any"))


def responses(url: str) -> Any:
    return OpenAIResponsesModel(MODELS["responses"], provider=OpenAIProvider(base_url=f"{url}/v1", api_key="any"))


def anthropic(url: str) -> Any:
    return AnthropicModel(MODELS["anthropic"], provider=AnthropicProvider(base_url=url, api_key="any"))


def gemini(url: str) -> Any:
    from google.genai import Client
    from google.genai.types import HttpOptions, HttpRetryOptions

    patient = HttpOptions(base_url=url, retry_options=HttpRetryOptions(**PATIENCE))
    return GoogleModel(MODELS["gemini"], provider=GoogleProvider(client=Client(api_key="any", http_options=patient)))


def loop(connect: Callable[[str], Any]) -> Play:
    async def go(url: str, _: str, stream: bool) -> Heard:
        agent = Agent(connect(url), tools=[get_weather], instructions="You tell the weather.")
        if not stream:
            return {"text": (await agent.run(LOOP)).output}
        async with agent.run_stream(LOOP) as result:
            return {"text": "".join([text async for text in result.stream_text(delta=True)])}

    return lambda *task: asyncio.run(go(*task))


run(loop={"openai": loop(openai), "responses": loop(responses), "anthropic": loop(anthropic), "gemini": loop(gemini)})
