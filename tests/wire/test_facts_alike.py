"""What a scenario sees of a request is the same, whatever API it came by."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from full_requests import SEND
from judging import TOOLS
from serving import serving
from speaker import speaking
from wire_cases import REPLIES

from llmposter.core.fingerprint import Prints
from llmposter.core.tokens import of_turn
from llmposter.wire import load

if TYPE_CHECKING:
    from llmposter.server import Running

NAMES = (
    "system", "user", "assistant", "last", "turn", "tools", "messages", "results", "result", "images", "files",
    "model", "stream",
)  # fmt: skip
PARAMS = ("temperature", "top_p", "max_tokens", "stop", "reasoning", "seed", "n", "response_format")
SCENARIO = """
[scenario]
conformance = "reject"

[[states.ask]]
json = {{ {names}, {params} }}
""".format(
    names=", ".join(f'{name} = "${{{name}}}"' for name in NAMES),
    params=", ".join(f'{name} = "${{params.{name}}}"' for name in PARAMS),
)
CALL = {"tool": "get_weather", "id": "call_x1", "arguments": {"city": "Oslö"}}
RESULT = {**CALL, "text": '{"temp":-3}', "json": {"temp": -3}, "error": False}
EXPECTED = {
    "system": "be brief",
    "user": "what is on it?",
    "assistant": "Let me look.",
    "last": "user",
    "turn": 1,
    "tools": list(TOOLS),
    "messages": [
        {"role": "user", "text": "2+2?", "calls": [], "results": []},
        {"role": "assistant", "text": "4", "calls": [], "results": []},
        {"role": "user", "text": "look\nthere", "calls": [], "results": []},
        {"role": "assistant", "text": "Let me look.", "calls": [CALL], "results": []},
        {"role": "tool", "text": "", "calls": [], "results": [RESULT]},
        {"role": "user", "text": "what is on it?", "calls": [], "results": []},
    ],
    "results": [RESULT],
    "result": RESULT,
    "images": 1,
    "files": 1,
    "model": "some-model",
    "stream": False,
    "temperature": 0.5,
    "top_p": 0.75,
    "max_tokens": 64,
    "stop": ["END"],
    "reasoning": "low",
    "seed": None,
    "n": None,
    "response_format": None,
}
# What an API has no parameter for.
WITHOUT: dict[str, dict[str, Any]] = {"responses": {"stop": None}}


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with serving(SCENARIO) as running:
        yield running


def test_every_wire_is_asked() -> None:
    """None is left out."""
    assert load().keys() == SEND.keys()


@pytest.mark.parametrize("wire", SEND)
def test_the_facts_are_the_same_for_every_provider(server: Running, wire: str) -> None:
    """A system prompt, a few-shot pair, a call with its result, attachments and parameters, sent by its own SDK."""
    found = json.loads(SEND[wire](server.session_url(wire)))
    assert {**EXPECTED, **WITHOUT.get(wire, {})} == found
    assert [] == server.mock.violations(wire)


def test_the_history_has_one_fingerprint_and_one_size() -> None:
    """So a conversation stands where it stood, and its usage is the same, whatever API carries it."""
    turns = []
    for wire, send in SEND.items():
        with speaking(load()[wire]) as speaker:
            speaker.say(REPLIES["text"])
            send(speaker.url)
            turns += speaker.turns
    assert len(SEND) == len(turns)
    assert 1 == len({Prints(turn.messages).full for turn in turns})
    assert 1 == len({of_turn(turn) for turn in turns})
