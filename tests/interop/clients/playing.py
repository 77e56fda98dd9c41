"""What every client program shares: it plays the tasks that come on standard input, and prints a line of JSON for each.

A program knows nothing of what is expected; it is a user of its SDK, and tells what the SDK told.
"""

import json
import sys
import traceback
from collections.abc import Callable, Mapping
from importlib.metadata import distributions
from typing import Any

Heard = dict[str, Any]
Play = Callable[[str, str, bool], Heard]
"""URL of the server (without `/v1`), the case to play, whether to stream; what was heard."""

MODELS = {
    "openai": "gpt-4o",
    "responses": "gpt-4o",
    "anthropic": "claude-sonnet-4-5",
    "gemini": "gemini-2.5-flash",
}
LOOP = "Which is the warmest: Paris, Rome or Oslo?"
"""What a client of the tool loop asks."""
TEMPERATURES = {"Paris": 22, "Rome": 30, "Oslo": 9}


# Google's SDK looks at the annotations of a function, which have to be types and not texts for it.
def get_weather(city: str, unit: str) -> str:
    """The weather in a city.

    Args:
        city: the name of the city.
        unit: celsius or fahrenheit.
    """
    return json.dumps({"city": city, "unit": unit, "temp": TEMPERATURES[city]})


PATIENCE = {"attempts": 3, "initial_delay": 0.01, "jitter": 0}
"""Google's SDK retries only if told to, and waits about a second without being told better."""
PARAMETERS = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "unit": {"type": "string"}},
    "required": ["city", "unit"],
    "additionalProperties": False,
}


def said(
    *,
    text: str | None = None,
    thinking: str | None = None,
    calls: list[tuple[str, Any]] = (),
    refusal: str | None = None,
    finish: str | None = None,
    usage: tuple[int | None, ...] = (),
) -> Heard:
    """What an answer said, without what it did not say; *usage* is input, output and cached."""
    found = {"text": text, "thinking": thinking, "calls": list(calls), "refusal": refusal, "usage": list(usage)}
    return {"finish": finish, **{name: value for name, value in found.items() if value}}


def beside(models: list[str], vectors: list[list[float]] = (), flagged: list[str] = (), tokens: int = 0) -> Heard:
    """What stands beside the conversations: lists, vectors of "cat" and "a dog", what is flagged, a count of tokens."""
    lengths = [round(sum(each * each for each in vector), 3) for vector in vectors]
    cat = [round(each, 6) for vector in vectors[:1] for each in vector]
    found = {"models": models, "cat": cat, "lengths": lengths, "flagged": list(flagged), "tokens": tokens > 0}
    return {name: value for name, value in found.items() if value}


def arguments(text: str) -> Any:
    """The arguments of a call, as an agent would read them."""
    return json.loads(text or "{}")


def failed(error: Exception, status: int | None, code: str | None) -> Heard:
    """An exception of the SDK."""
    return {"error": type(error).__name__, "status": status, "code": code}


def run(**plays: Mapping[str, Play]) -> None:
    """Plays what standard input asks for: *case*, *loop* and *beside*, each with a function for each API."""
    sys.stdout = sys.stderr  # frameworks print there
    _print(versions={found.metadata["Name"]: found.version for found in distributions()})
    for task in json.load(sys.stdin):
        try:
            heard = plays[task["play"]][task["api"]](task["url"], task["case"], task["stream"])
        except Exception:  # noqa: BLE001 - told to the test, so that the other tasks still run
            heard = {"broke": traceback.format_exc()}
        _print(task=task["task"], heard=heard)


def _print(**line: Any) -> None:
    print(json.dumps(line), file=sys.__stdout__, flush=True)
