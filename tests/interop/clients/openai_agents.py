"""OpenAI's Agents SDK, on Chat Completions and Responses."""

from __future__ import annotations

import asyncio
from typing import Any

from agents import Agent, OpenAIChatCompletionsModel, OpenAIResponsesModel, Runner, function_tool
from openai import AsyncOpenAI
from playing import LOOP, MODELS, Heard, Play, get_weather, run


def loop(api: str, model: Any) -> Play:
    async def go(url: str, _: str, stream: bool) -> Heard:
        async with AsyncOpenAI(base_url=f"{url}/v1", api_key="any") as client:
            agent = Agent(
                name="weather",
                instructions="You tell the weather.",
                tools=[function_tool(get_weather)],
                model=model(model=MODELS[api], openai_client=client),
            )
            if not stream:
                return {"text": (await Runner.run(agent, LOOP)).final_output}
            result = Runner.run_streamed(agent, LOOP)
            async for _event in result.stream_events():
                pass
            return {"text": result.final_output}

    return lambda *task: asyncio.run(go(*task))


run(loop={"openai": loop("openai", OpenAIChatCompletionsModel), "responses": loop("responses", OpenAIResponsesModel)})
