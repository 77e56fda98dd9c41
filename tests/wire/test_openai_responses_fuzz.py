"""Any bytes at all, read by OpenAI Responses: a `Turn` or a `BadRequest`, never an exception."""

from __future__ import annotations

import json
import os
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from speaker import request

from llmposter.model import BadRequest, Turn
from llmposter.wire import load

WIRE = load()["responses"]

MANY = settings(max_examples=5000 if os.environ.get("LLMPOSTER_SOAK") else 300, deadline=None)
PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
ANY_JSON = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
)
VALID = json.dumps(
    {
        "model": "m",
        "stream": True,
        "stream_options": {"include_obfuscation": False},
        "temperature": 0.5,
        "instructions": "i",
        "conversation": {"id": "conv_1"},
        "include": ["reasoning.encrypted_content"],
        "reasoning": {"effort": "low", "summary": "auto"},
        "text": {"format": {"type": "json_object"}, "verbosity": "low"},
        "tools": [
            {"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": True},
            {"type": "custom", "name": "sh"},
            {"type": "web_search"},
        ],
        "tool_choice": {"type": "function", "name": "f"},
        "metadata": {"a": "b"},
        "input": [
            {"role": "developer", "content": "json"},
            {
                "type": "message",
                "role": "user",
                "content": [
                    {"type": "input_text", "text": "a"},
                    {"type": "input_image", "image_url": "https://x/y.png"},
                    {"type": "input_file", "file_id": "file-1"},
                ],
            },
            {
                "type": "reasoning",
                "id": "rs_0123456789abcdef012345671001000",
                "summary": [{"type": "summary_text", "text": "hm"}],
                "content": [{"type": "reasoning_text", "text": "hm"}],
                "encrypted_content": "EgxsbG1w",
            },
            {
                "id": "msg_0123456789abcdef012345671001001",
                "type": "message",
                "role": "assistant",
                "content": [{"type": "output_text", "text": "x"}, {"type": "refusal", "refusal": "y"}],
            },
            {"type": "function_call", "id": "fc_1", "call_id": "c", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c", "output": [{"type": "input_text", "text": "22"}]},
            {"type": "custom_tool_call", "call_id": "d", "name": "sh", "input": "ls"},
            {"type": "custom_tool_call_output", "call_id": "d", "output": "x"},
            {"type": "item_reference", "id": "msg_0123456789abcdef012345671000000"},
            {"type": "web_search_call", "id": "ws_1"},
        ],
    }
).encode()


def test_the_body_to_be_damaged_is_valid() -> None:
    """What the next tests change is a request."""
    assert isinstance(WIRE.read(request(VALID)), Turn)


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    match value:
        case dict():
            return [path, *(found for key, inner in value.items() for found in paths(inner, (*path, key)))]
        case list():
            return [path, *(found for n, inner in enumerate(value) for found in paths(inner, (*path, n)))]
        case _:
            return [path]


PATHS = paths(json.loads(VALID))


def changed(path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    body = json.loads(VALID)
    at = body
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return body


def understood(found: object) -> None:
    assert isinstance(found, Turn | BadRequest)
    if isinstance(found, BadRequest):
        assert found.message
        answer = json.loads(WIRE.bad_request(found, 0.0).body)
        assert found.message == answer["error"]["message"]


@MANY
@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    """Bytes give a Turn or a BadRequest, never an exception."""
    understood(WIRE.read(request(body)))


@MANY
@given(st.sampled_from(PATHS), ANY_JSON)
def test_any_value_in_any_place_is_read_or_refused(path: tuple[Any, ...], value: Any) -> None:
    """A valid body with any one of its values changed, the body itself included, gives one or the other."""
    understood(WIRE.read(request(json.dumps(changed(path, value)).encode())))


@MANY
@given(
    st.lists(st.tuples(st.integers(0, len(VALID)), st.integers(0, 20), st.binary(max_size=6)), min_size=1, max_size=4)
)
def test_any_damage_to_a_valid_body_is_read_or_refused(damage: list[tuple[int, int, bytes]]) -> None:
    """A valid body with bytes put in, taken out and overwritten gives one or the other."""
    body = VALID
    for at, length, bytes_ in damage:
        body = body[:at] + bytes_ + body[at + length :]
    understood(WIRE.read(request(body)))
