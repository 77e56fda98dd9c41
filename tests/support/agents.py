"""Agents in a few lines: what each says and does in a tool loop, over HTTP and by no SDK, so that it is quick."""

from __future__ import annotations

import json
from typing import Any

import httpx

TOOLS = [{"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}]


class Agent:
    """A client of Chat Completions with one history; it tries again as often as an SDK does."""

    def __init__(self, base_url: str, tools: list[dict[str, Any]] | None = None) -> None:
        self.base_url = base_url
        self.tools = TOOLS if tools is None else tools
        self.messages: list[dict[str, Any]] = []

    def say(self, text: str) -> dict[str, Any]:
        """The user says something; the answer, as a message or an error."""
        return self.send({"role": "user", "content": text})

    def bring(self, result: str) -> dict[str, Any]:
        """The tool of the last answer's first call gave this."""
        call = self.messages[-1]["tool_calls"][0]
        return self.send({"role": "tool", "tool_call_id": call["id"], "content": result})

    def send(self, message: dict[str, Any]) -> dict[str, Any]:
        self.messages.append(message)
        body = {"model": "gpt-4o", "messages": self.messages, "tools": self.tools}
        for _ in range(3):
            answer = httpx.post(f"{self.base_url}/chat/completions", json=body, timeout=20)
            if answer.status_code not in (429, 500, 503):
                break
        data = answer.json()
        if "choices" in data:
            self.messages.append(data["choices"][0]["message"])
        return data["choices"][0]["message"] if "choices" in data else data


def weather(base_url: str, city: str = "Paris", result: str | None = '{"temp": 22}') -> Agent:
    """Asks for the weather and, unless there is no result, brings it."""
    agent = Agent(base_url)
    agent.say(f"What is the weather in {city}?")
    if result is not None:
        agent.bring(result)
    return agent


def posted(base_url: str, text: str) -> httpx.Response:
    """One request, as bytes."""
    body = json.dumps({"model": "gpt-4o", "messages": [{"role": "user", "content": text}]})
    return httpx.post(f"{base_url}/chat/completions", content=body, headers={"content-type": "application/json"})
