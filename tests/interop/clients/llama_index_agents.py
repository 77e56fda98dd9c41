"""LlamaIndex's function-calling agent, on OpenAI (Chat and Responses), Anthropic and Google."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from llama_index.core.agent.workflow import AgentStream, FunctionAgent
from playing import LOOP, MODELS, PATIENCE, Heard, Play, get_weather, run


def openai(url: str) -> Any:
    from llama_index.llms.openai import OpenAI

    return OpenAI(model=MODELS["openai"], api_base=f"{url}/v1", api_key="any")


def responses(url: str) -> Any:
    from llama_index.llms.openai import OpenAIResponses

    return OpenAIResponses(model=MODELS["responses"], api_base=f"{url}/v1", api_key="any")


def anthropic(url: str) -> Any:
    from llama_index.llms.anthropic import Anthropic

    # For older models it sends a temperature, which the SDK of this environment has no more.
    return Anthropic(model="claude-opus-4-8", base_url=url, api_key="any")


def gemini(url: str) -> Any:
    from google.genai.types import HttpOptions, HttpRetryOptions
    from llama_index.llms.google_genai import GoogleGenAI

    patient = HttpOptions(base_url=url, retry_options=HttpRetryOptions(**PATIENCE))
    return GoogleGenAI(model=MODELS["gemini"], api_key="any", http_options=patient)


def loop(connect: Callable[[str], Any]) -> Play:
    async def go(url: str, _: str, stream: bool) -> Heard:
        agent = FunctionAgent(
            tools=[get_weather], llm=connect(url), system_prompt="You tell the weather.", streaming=stream
        )
        running = agent.run(LOOP)
        streamed = [event.delta async for event in running.stream_events() if isinstance(event, AgentStream)]
        text = str(await running)
        assert not stream or text == "".join(streamed), streamed
        return {"text": text}

    return lambda *task: asyncio.run(go(*task))


run(loop={"openai": loop(openai), "responses": loop(responses), "anthropic": loop(anthropic), "gemini": loop(gemini)})
