"""An `Env` for tests of expressions: facts as given, everything else as an engine with an empty request would say."""

from __future__ import annotations

from typing import Any

from llmposter_dsl.program import Duration
from llmposter_dsl.types import Headers

FACTS: dict[str, Any] = {
    "user": "",
    "system": "",
    "assistant": "",
    "messages": [],
    "last": "user",
    "turn": 1,
    "results": [],
    "result": None,
    "tools": [],
    "model": "",
    "path": "/v1/chat/completions",
    "stream": False,
    "provider": "openai",
    "params": {},
    "metadata": {},
    "headers": Headers(),
    "query": {},
    "images": 0,
    "files": 0,
    "tokens": 0,
    "body": {},
    "state": "start",
    "attempt": 1,
    "visits": 1,
    "elapsed": Duration(0),
    "idle": Duration(0),
    "age": Duration(0),
    "conversation": "c1",
    "token": None,
}
ANSWER: dict[str, Any] = {
    "reply": "",
    "think": "",
    "json": None,
    "refusal": None,
    "finish": "stop",
    "usage": {"input": 0, "output": 0, "cached": 0, "reasoning": 0},
    "latency": Duration(0),
    "calls": [],
    "error": None,
    "cut": False,
    "violations": [],
    "state": "start",
}


class FakeEnv:
    """Facts by keyword; `vars` and `groups` as maps; chance comes out as *drawn* says."""

    def __init__(self, *, answer: bool = False, drawn: float = 0.5, **facts: Any) -> None:
        self.vars: dict[str, Any] = facts.pop("vars", {})
        self.groups: dict[str, Any] = facts.pop("groups", {})
        self.rules: dict[str, int] = facts.pop("rules", {})
        self.drawn = drawn
        self.places: list[str] = []
        self.__dict__.update({**(ANSWER if answer else FACTS), **facts})

    def result_of(self, tool: str) -> Any:
        return next((result for result in reversed(self.results) if result["tool"] == tool), None)

    def call_of(self, tool: str) -> Any:
        return next((call["arguments"] for call in self.calls if call["tool"] == tool), None)

    def fired(self, rule: str) -> int:
        return self.rules.get(rule, 0)

    def chance(self, place: str, probability: float) -> bool:
        self.places.append(place)
        return self.drawn < probability

    def random(self, place: str, low: float, high: float) -> float:
        self.places.append(place)
        return low + self.drawn * (high - low)

    def uuid(self, place: str) -> str:
        self.places.append(place)
        return "00000000-0000-4000-8000-000000000000"

    def now(self) -> str:
        return "2026-01-02T03:04:05Z"

    def __getattr__(self, fact: str) -> Any:
        raise AttributeError(fact)
