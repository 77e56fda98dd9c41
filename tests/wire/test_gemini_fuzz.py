"""Any bytes at all, read by Gemini's wire and its endpoints: an answer or a `BadRequest`, never an exception."""

from __future__ import annotations

import json
import os
from typing import Any

from asking_gemini import PATH, WIRE, read
from hypothesis import given, settings
from hypothesis import strategies as st
from speaker import CONNECTION

from llmposter.core.clock import ManualClock
from llmposter.core.mock import Mock
from llmposter.model import BadRequest, Failure, Request, Response, Turn
from llmposter.wire import endpoints

MANY = settings(max_examples=5000 if os.environ.get("LLMPOSTER_SOAK") else 300, deadline=None)
PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
ANY_JSON = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
)
VALID: dict[str, Any] = {
    "contents": [
        {
            "role": "user",
            "parts": [
                {"text": "a"},
                {"inlineData": {"mimeType": "image/png", "data": "AA=="}},
                {"file_data": {"mime_type": "application/pdf", "file_uri": "gs://x"}},
            ],
        },
        {"role": "model", "parts": [{"text": "hm", "thought": True}]},
        {
            "role": "model",
            "parts": [
                {
                    "functionCall": {"id": "c", "name": "f", "args": {"a": [1]}},
                    "thoughtSignature": "skip_thought_signature_validator",
                },
                {"function_call": {"name": "g"}},
            ],
        },
        {
            "role": "user",
            "parts": [
                {
                    "functionResponse": {
                        "id": "c",
                        "name": "f",
                        "response": {"output": 1},
                        "parts": [{"inlineData": {}}],
                    }
                },
                {"function_response": {"name": "g", "response": {"error": "boom"}}},
                {"text": "so?"},
            ],
        },
    ],
    "systemInstruction": {"parts": [{"text": "s"}]},
    "tools": [{"functionDeclarations": [{"name": "f", "parameters": {"type": "OBJECT"}}]}, {"googleSearch": {}}],
    "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f"]}},
    "generationConfig": {
        "temperature": 0.5,
        "topP": 1,
        "maxOutputTokens": 5,
        "stopSequences": ["x"],
        "candidateCount": 1,
        "responseSchema": {"type": "OBJECT"},
        "thinkingConfig": {"includeThoughts": True, "thinkingBudget": -1, "thinkingLevel": "LOW"},
    },
    "labels": {"a": "b"},
}
EMBED = {"content": {"parts": [{"text": "a"}]}, "outputDimensionality": 3}
BODIES: dict[str, Any] = {
    "generateContent": VALID,
    "countTokens": {"contents": VALID["contents"], "generateContentRequest": VALID},
    "embedContent": EMBED,
    "batchEmbedContents": {"requests": [EMBED, EMBED]},
    "predict": {"instances": [{"content": "a"}], "parameters": {"outputDimensionality": 3}},
}
MOCK = Mock([], ManualClock())
BESIDE = {
    route.path.rpartition(":")[2]: endpoint
    for endpoint in endpoints()
    for route in endpoint.routes
    if endpoint.provider == "gemini" and route.method == "POST"
}


def ask(action: str, body: bytes) -> object:
    if action == "generateContent":
        return read(body)
    request = Request("POST", PATH.replace("generateContent", action), {}, {}, body, CONNECTION)
    return BESIDE[action].answer(request, MOCK.desk(request))


def test_the_bodies_to_be_damaged_are_valid() -> None:
    """What the next tests change is a request, and breaks nothing."""
    for action, body in BODIES.items():
        found = ask(action, json.dumps(body).encode())
        assert isinstance(found, Turn | Response), found
    assert () == read(VALID).breaches


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    match value:
        case dict():
            return [path, *(found for key, inner in value.items() for found in paths(inner, (*path, key)))]
        case list():
            return [path, *(found for n, inner in enumerate(value) for found in paths(inner, (*path, n)))]
        case _:
            return [path]


PLACES = [(action, path) for action, body in BODIES.items() for path in paths(body)]


def changed(action: str, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    body = json.loads(json.dumps(BODIES[action]))
    at = body
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return body


def understood(found: object) -> None:
    assert isinstance(found, Turn | Response | Failure | BadRequest)
    if isinstance(found, BadRequest):
        assert found.message
        answer = json.loads(WIRE.bad_request(found, 0.0).body)
        assert found.message == answer["error"]["message"]


@MANY
@given(st.sampled_from(sorted(BODIES)), st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(action: str, body: bytes) -> None:
    """Bytes give one or the other, never an exception."""
    understood(ask(action, body))


@MANY
@given(st.sampled_from(PLACES), ANY_JSON)
def test_any_value_in_any_place_is_read_or_refused(place: tuple[str, tuple[Any, ...]], value: Any) -> None:
    """A valid body with any one of its values changed, the body itself included, gives one or the other."""
    action, path = place
    understood(ask(action, json.dumps(changed(action, path, value)).encode()))


@MANY
@given(
    st.sampled_from(sorted(BODIES)),
    st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 20), st.binary(max_size=6)), min_size=1, max_size=4),
)
def test_any_damage_to_a_valid_body_is_read_or_refused(action: str, damage: list[tuple[int, int, bytes]]) -> None:
    """A valid body with bytes put in, taken out and overwritten gives one or the other."""
    body = json.dumps(BODIES[action]).encode()
    for at, length, bytes_ in damage:
        body = body[:at] + bytes_ + body[at + length :]
    understood(ask(action, body))


def test_nesting_without_end_is_refused() -> None:
    """As what is no JSON, wherever it stands."""
    deep = b"[" * 100_000
    for body in (deep, b'{"contents":' + deep, b'{"contents":[{"parts":[{"functionCall":{"args":{"a":' + deep):
        for action in BODIES:
            assert isinstance(ask(action, body), BadRequest)
