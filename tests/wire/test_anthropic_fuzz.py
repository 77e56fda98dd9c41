"""Any bytes at all, read by Anthropic Messages: a `Turn` or a `BadRequest`, never an exception."""

from __future__ import annotations

import json
import os
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from speaker import request

from llmposter.model import BadRequest, Turn
from llmposter.wire import load

WIRE = load()["anthropic"]

MANY = settings(max_examples=5000 if os.environ.get("LLMPOSTER_SOAK") else 300, deadline=None)
PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
ANY_JSON = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
)
VALID = json.dumps(
    {
        "model": "m",
        "max_tokens": 2048,
        "stream": True,
        "temperature": 0.5,
        "stop_sequences": ["x"],
        "system": [{"type": "text", "text": "s", "cache_control": {"type": "ephemeral"}}],
        "thinking": {"type": "enabled", "budget_tokens": 1024},
        "tools": [
            {"name": "f", "input_schema": {"type": "object"}},
            {"type": "web_search_20250305", "name": "web_search"},
        ],
        "tool_choice": {"type": "tool", "name": "f"},
        "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": {}}},
        "metadata": {"user_id": "b"},
        "thread": {"type": "continue", "previous_message_id": "msg_1"},
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "a"},
                    {"type": "image", "source": {"type": "url", "url": "https://x/y.png"}},
                    {"type": "document", "source": {"type": "file", "file_id": "f"}},
                ],
            },
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "x", "signature": "y"},
                    {"type": "redacted_thinking", "data": "z"},
                    {"type": "text", "text": "x"},
                    {"type": "tool_use", "id": "c", "name": "f", "input": {"INVALID_JSON": "b"}},
                    {"type": "server_tool_use", "id": "d", "name": "web_search", "input": {}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "c", "content": [{"type": "text", "text": "22"}]},
                    {"type": "tool_result", "tool_use_id": "d", "content": "22", "is_error": True},
                    {"type": "search_result", "source": "s", "title": "t", "content": [{"type": "text", "text": "r"}]},
                ],
            },
            {"role": "system", "content": "s"},
            {"role": "assistant", "content": "so"},
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
