"""Bodies with all that a format has, in `bodies/`, damaged in every way: one answer or a refusal, never an exception.

What SDKs really send is damaged in `test_fuzz.py`.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from asking_gemini import PATH
from captured import paths
from damaging import ANY_JSON, damaged, put
from hypothesis import given, settings
from hypothesis import strategies as st
from speaker import CONNECTION, request

from llmposter.core.clock import ManualClock
from llmposter.core.mock import Mock
from llmposter.model import BadRequest, Failure, Request, Response, Turn
from llmposter.wire import endpoints, load

MANY = settings(max_examples=5000 if os.environ.get("LLMPOSTER_SOAK") else 300, deadline=None)
FULL = {path.stem: json.loads(path.read_text("utf-8")) for path in (Path(__file__).parent / "bodies").iterdir()}
GEMINI = FULL["generateContent"]
EMBED = {"content": {"parts": [{"text": "a"}]}, "outputDimensionality": 3}
BODIES: dict[str, Any] = {
    **FULL,
    "countTokens": {"contents": GEMINI["contents"], "generateContentRequest": GEMINI},
    "embedContent": EMBED,
    "batchEmbedContents": {"requests": [EMBED, EMBED]},
    "predict": {"instances": [{"content": "a"}], "parameters": {"outputDimensionality": 3}},
}
"""By the name of a wire, or an action of Gemini's."""
NAMES = sorted(BODIES)
MOCK = Mock([], ManualClock())
BESIDE = {
    route.path.rpartition(":")[2]: endpoint
    for endpoint in endpoints()
    for route in endpoint.routes
    if endpoint.provider == "gemini" and route.method == "POST"
}


def ask(name: str, body: bytes) -> object:
    if name in load():
        return load()[name].read(request(body))
    asked = Request("POST", PATH.replace("generateContent", name), {}, {}, body, CONNECTION)
    return BESIDE[name].answer(asked, MOCK.desk(asked)) if name in BESIDE else load()["gemini"].read(asked)


def understood(name: str, body: bytes) -> None:
    found = ask(name, body)
    assert isinstance(found, Turn | Response | Failure | BadRequest)
    if isinstance(found, BadRequest):
        assert found.message
        answer = json.loads(load()[name if name in load() else "gemini"].bad_request(found, 0.0).body)
        assert found.message == answer["error"]["message"]


@pytest.mark.parametrize("name", NAMES)
def test_the_bodies_to_be_damaged_are_valid(name: str) -> None:
    """What the next tests change is a request."""
    found = ask(name, json.dumps(BODIES[name]).encode())
    assert isinstance(found, Turn | Response)
    if name == "generateContent":
        assert isinstance(found, Turn)
        assert () == found.breaches


@pytest.mark.parametrize("name", NAMES)
@MANY
@given(body=st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(name: str, body: bytes) -> None:
    """Bytes give one or the other, never an exception."""
    understood(name, body)


@pytest.mark.parametrize("name", NAMES)
@MANY
@given(data=st.data(), value=ANY_JSON)
def test_any_value_in_any_place_is_read_or_refused(name: str, data: st.DataObject, value: Any) -> None:
    """A valid body with any one of its values changed, the body itself included, gives one or the other."""
    place = data.draw(st.sampled_from(paths(BODIES[name])))
    understood(name, json.dumps(put(BODIES[name], place, value)).encode())


@pytest.mark.parametrize("name", NAMES)
@MANY
@given(data=st.data())
def test_any_damage_to_a_valid_body_is_read_or_refused(name: str, data: st.DataObject) -> None:
    """A valid body with bytes put in, taken out and overwritten gives one or the other."""
    understood(name, data.draw(damaged(json.dumps(BODIES[name]).encode())))


@pytest.mark.parametrize("name", NAMES)
def test_nesting_without_end_is_refused(name: str) -> None:
    """As what is no JSON, wherever it stands."""
    begun = ("", '{"messages":', '{"input":', '{"contents":', '{"contents":[{"parts":[{"functionCall":{"args":{"a":')
    for each in begun:
        assert isinstance(ask(name, each.encode() + b"[" * 100_000), BadRequest)
