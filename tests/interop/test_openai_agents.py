"""The OpenAI Agents SDK, on Chat Completions, runs the tool loop of the gallery to its end."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from agents import Agent, OpenAIChatCompletionsModel, Runner, function_tool, set_tracing_disabled
from openai import AsyncOpenAI
from serving import serving

WEATHER = Path(__file__).parents[2] / "scenarios" / "weather.toml"


@function_tool
def get_weather(city: str, unit: str) -> str:
    """The weather in a city."""
    assert ("Paris", "celsius") == (city, unit)
    return json.dumps({"temp": 22})


async def run(base_url: str, stream: bool) -> str:
    set_tracing_disabled(True)
    async with AsyncOpenAI(base_url=base_url, api_key="any") as client:
        agent = Agent(
            name="weather",
            instructions="You tell the weather.",
            tools=[get_weather],
            model=OpenAIChatCompletionsModel(model="gpt-4o", openai_client=client),
        )
        if not stream:
            return (await Runner.run(agent, "what's the weather in Paris?")).final_output
        result = Runner.run_streamed(agent, "what's the weather in Paris?")
        async for _ in result.stream_events():
            pass
        return result.final_output


@pytest.mark.parametrize("stream", [False, True])
def test_the_agents_sdk_runs_the_tool_loop(stream: bool) -> None:
    """Unmodified but for the base URL, the agent calls its tool, is retried after a 429, and ends with the answer."""
    with serving(WEATHER) as server:
        assert asyncio.run(run(server.openai_url, stream)) == "It is 22°C in Paris."
        assert server.mock.verify().ok
