"""What OpenAI refuses of items that are sent back without those that they belong to."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec.structs import replace
from talking import connection
from wire_cases import REPLIES

from llmposter.model import Request, Turn
from llmposter.wire import load

WIRE = load()["responses"]


def read(items: list[Any]) -> Turn:
    body = json.dumps({"model": "gpt-5", "input": items}).encode()
    turn = WIRE.read(Request("POST", "/v1/responses", {}, {}, body, connection()))
    assert isinstance(turn, Turn)
    return turn


ASKED = {"role": "user", "content": "hi"}
SAID = replace(REPLIES["reasoning then call"], id="73f838040dc8b11346f549d7")
REASONING, CALL = json.loads(WIRE.whole(read([ASKED]), SAID).body)["output"]
REFERENCE = {"type": "item_reference", "id": REASONING["id"]}
NAMELESS = {name: CALL[name] for name in ("type", "call_id", "name", "arguments")}
RESULT = {"type": "function_call_output", "call_id": CALL["call_id"], "output": "22"}


@pytest.mark.parametrize("reasoning", [REASONING, REFERENCE])
@pytest.mark.parametrize("call", [CALL, NAMELESS])
def test_reasoning_and_the_call_that_follows_are_taken(reasoning: dict[str, Any], call: dict[str, Any]) -> None:
    """Also where the call has no id of its own, as Vercel's SDK sends it."""
    assert () == read([ASKED, reasoning, call, RESULT]).breaches


@pytest.mark.parametrize("items", [[REASONING], [REFERENCE], [REASONING, ASKED], [NAMELESS, REASONING, RESULT]])
def test_reasoning_without_what_it_led_to_is_refused(items: list[Any]) -> None:
    """As OpenAI says it."""
    (told,) = read([ASKED, *items]).breaches
    assert f"Item '{REASONING['id']}' of type 'reasoning' was provided without its required following item." == told


def test_a_call_without_its_reasoning_is_refused() -> None:
    """The other way round."""
    (told,) = read([ASKED, CALL, RESULT]).breaches
    assert told.endswith(f"was provided without its required 'reasoning' item: '{REASONING['id']}'.")
