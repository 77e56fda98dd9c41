"""What the scenario of the client programs says, and what each client hears of it.

The first half is in no provider's words; the second says where providers and SDKs differ.
"""

from __future__ import annotations

import json
from typing import Any

from wire_cases import ASTRAL

PARIS = ["get_weather", {"city": "Paris", "unit": "celsius"}]
ROME = ["get_weather", {"city": "Rome 🇮🇹", "unit": "kelvin or so"}]
REPORT = '{"city":"Paris","temps":[1,2.5,null]}'
USAGE = {"input": 11, "output": 7, "cached": 3, "reasoning": 2}

MODELS = ["gpt-4o", "claude-sonnet-4-5", "gemini-2.5-flash"]
CAT = [0.6, 0.8, 0.0]

SAID: dict[str, dict[str, Any]] = {
    "text": {"reply": "It is 22°C in Paris."},
    "long astral text": {"reply": ASTRAL},
    "one call": {"call": {"tool": PARIS[0], "arguments": PARIS[1]}},
    "two parallel calls": {"call": [{"tool": tool, "arguments": given} for tool, given in (PARIS, ROME)]},
    "text then call": {"reply": "Let me look.", "call": {"tool": PARIS[0], "arguments": PARIS[1]}},
    "reasoning then text": {"think": "They want the weather, so say it.", "reply": "It rains."},
    "reasoning then call": {"think": "I need the tool.", "call": {"tool": PARIS[0], "arguments": PARIS[1]}},
    "refusal": {"refuse": "I cannot help with that."},
    "structured": {"json": {"city": "Paris", "temps": [1, 2.5, None]}},
    "cut short": {"reply": "It is 22", "finish": "length"},
    "filtered": {"reply": "It is", "finish": "content_filter"},
}
"""A rule for each case; a client asks for it by saying its name."""

ERRORS = (
    "bad_request", "invalid_api_key", "permission_denied", "not_found", "context_length_exceeded",
    "request_too_large", "rate_limited", "quota_exceeded", "server_error", "overloaded", "timeout", "content_filter",
)  # fmt: skip

CASES = {
    **{name: {**rule, "usage": USAGE} for name, rule in SAID.items()},
    **{name: {"error": name} for name in ERRORS},
}


def scenario() -> dict[str, Any]:
    """The scenario of all cases, as data."""
    rules = [{"name": name, "when": f'user == "{name}"', **rule} for name, rule in CASES.items()]
    rules.append({"when": f'user == "which?" and model in {json.dumps(MODELS)}', "reply": "One that I know."})
    return {
        "scenario": {"name": "cases"},
        "states": {"ready": rules},
        "embeddings": [{"when": 'text == "cat"', "vector": CAT}],
        "moderations": [{"when": 'text mentions "kill"', "flags": ["violence"]}],
    }
