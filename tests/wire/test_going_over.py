"""An agent that changes its provider at every turn, as gateways do: one conversation, its ids those of either API."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import anthropic
import openai
from judges.anthropic import DECLARED as FOR_ANTHROPIC
from judges.openai import DECLARED as FOR_OPENAI
from serving import serving

AGENTS = Path(__file__).with_name("agents.toml")
Turn = tuple[str, str]
"""A call's id and what its result says."""


def for_openai(turns: list[Turn]) -> list[Any]:
    history: list[Any] = [{"role": "system", "content": "be brief"}, {"role": "user", "content": "what time is it?"}]
    for id_, result in turns:
        call = {"id": id_, "type": "function", "function": {"name": "now", "arguments": "{}"}}
        history.append({"role": "assistant", "content": None, "tool_calls": [call]})
        history.append({"role": "tool", "tool_call_id": id_, "content": result})
    return history


def for_anthropic(turns: list[Turn]) -> list[Any]:
    history: list[Any] = [{"role": "user", "content": "what time is it?"}]
    for id_, result in turns:
        use = {"type": "tool_use", "id": id_, "name": "now", "input": {}}
        history.append({"role": "assistant", "content": [use]})
        history.append({"role": "user", "content": [{"type": "tool_result", "tool_use_id": id_, "content": result}]})
    return history


def test_a_conversation_goes_over_from_api_to_api_at_every_turn() -> None:
    """Five calls and an answer, asked of Anthropic and of OpenAI in turn, end where they should."""
    turns: list[Turn] = []
    with (
        serving(AGENTS) as server,
        openai.OpenAI(base_url=server.openai_url, api_key="any") as one,
        anthropic.Anthropic(base_url=server.url, api_key="any") as other,
    ):
        for tick in range(5):
            if tick % 2:
                asked = {"messages": for_openai(turns), "tools": FOR_OPENAI}
                (call,) = one.chat.completions.create(model="gpt-4o", **asked).choices[0].message.tool_calls
            else:
                asked = {"messages": for_anthropic(turns), "tools": FOR_ANTHROPIC, "system": "be brief"}
                (call,) = other.messages.create(model="claude-sonnet-5", max_tokens=100, **asked).content
            turns.append((call.id, json.dumps({"tick": tick})))
        said = one.chat.completions.create(model="gpt-4o", messages=for_openai(turns), tools=FOR_OPENAI)
        assert "Five ticks." == said.choices[0].message.content
        assert ["toolu", "call", "toolu", "call", "toolu"] == [id_.partition("_")[0] for id_, _ in turns]
        assert server.mock.verify().ok
        (conversation,) = server.mock.conversations()
        assert "done" == conversation["state"]
