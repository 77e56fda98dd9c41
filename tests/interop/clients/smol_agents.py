"""smolagents, on Chat Completions: an agent whose last step calls the tool `final_answer`."""

from __future__ import annotations

from playing import LOOP, MODELS, Heard, get_weather, run
from smolagents import OpenAIModel, ToolCallingAgent, tool
from smolagents.monitoring import LogLevel


def loop(url: str, _: str, stream: bool) -> Heard:
    model = OpenAIModel(model_id=MODELS["openai"], api_base=f"{url}/v1", api_key="any")
    agent = ToolCallingAgent([tool(get_weather)], model, stream_outputs=stream, verbosity_level=LogLevel.OFF)
    return {"text": agent.run(LOOP)}


run(loop={"openai": loop})
