"""Google's Agent Development Kit, on Gemini."""

from __future__ import annotations

import asyncio
import os

from google.adk.agents import Agent
from google.adk.agents.run_config import RunConfig, StreamingMode
from google.adk.models import Gemini
from google.adk.runners import InMemoryRunner
from google.genai import types
from playing import LOOP, MODELS, PATIENCE, Heard, get_weather, run

os.environ["GOOGLE_API_KEY"] = "any"


async def go(url: str, _: str, stream: bool) -> Heard:
    model = Gemini(model=MODELS["gemini"], base_url=url, retry_options=types.HttpRetryOptions(**PATIENCE))
    agent = Agent(name="weather", model=model, instruction="You tell the weather.", tools=[get_weather])
    runner = InMemoryRunner(agent, app_name="weather")
    session = await runner.session_service.create_session(app_name="weather", user_id="someone")
    asked = types.Content(role="user", parts=[types.Part(text=LOOP)])
    mode = RunConfig(streaming_mode=StreamingMode.SSE if stream else StreamingMode.NONE)
    events = runner.run_async(user_id="someone", session_id=session.id, new_message=asked, run_config=mode)
    found = [event async for event in events]
    assert stream == any(event.partial for event in found)
    last = next(event for event in reversed(found) if event.is_final_response())
    return {"text": "".join(part.text for part in last.content.parts if part.text)}


run(loop={"gemini": lambda *task: asyncio.run(go(*task))})
