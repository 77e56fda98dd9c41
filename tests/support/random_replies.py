"""Replies that nobody thought of: any characters, any JSON, any parts in their order (hypothesis)."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import strategies as st

from llmposter.model import Part, Refusal, Reply, Text, Thinking, Tokens, ToolCall
from llmposter_dsl.program import Chunk

TEXTS = st.text(min_size=1, max_size=60)
NAMES = st.sampled_from(["get_weather", "now"]) | st.from_regex(r"[a-z][a-zA-Z0-9_-]{0,30}", fullmatch=True)


def _objects(numbers: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    plain = st.none() | st.booleans() | numbers | st.text(max_size=20)
    values = st.recursive(
        plain,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
        max_leaves=6,
    )
    return st.dictionaries(st.text(max_size=8), values, max_size=4)


INTEGERS = st.integers(-(2**53), 2**53)
OBJECTS = _objects(INTEGERS | st.floats(-1e15, 1e15, allow_nan=False))
SPELT_ALIKE = _objects(INTEGERS | st.integers(-9999, 9999).map(lambda number: number / 8))
"""Objects of numbers that every library spells alike, so that they have one size."""
IDS = st.from_regex(r"call_[0-9a-f]{24}", fullmatch=True) | st.from_regex(r"[a-z][a-z0-9_]{0,20}", fullmatch=True)
CHUNKS = st.builds(Chunk, st.integers(1, 12), st.sampled_from(["characters", "tokens", "words", "whole"]))


def compact(value: Any) -> str:
    """JSON as the server writes it: numbers have several spellings."""
    return msgspec.json.encode(value).decode()


@st.composite
def _parts(draw: st.DrawFn) -> tuple[Part, ...]:
    """Reasoning, text, JSON and calls in their order, at least one of them that is seen; or a refusal."""
    if draw(st.integers(0, 7)) == 0:
        return (Refusal(draw(TEXTS)),)
    ids = draw(st.lists(IDS, max_size=3, unique=True))
    calls = [ToolCall(id_, draw(NAMES), compact(draw(OBJECTS))) for id_ in ids]
    texts = [Text(draw(TEXTS))] if not calls or draw(st.booleans()) else []
    structured = [Text(compact(draw(OBJECTS)), structured=True)] if draw(st.integers(0, 3)) == 0 else []
    thoughts = [Thinking(draw(TEXTS))] if draw(st.booleans()) else []
    return (*thoughts, *texts, *structured, *calls)


@st.composite
def _tokens(draw: st.DrawFn) -> Tokens:
    input_, output = draw(st.integers(0, 10**6)), draw(st.integers(0, 10**6))
    return Tokens(input_, output, cached=draw(st.integers(0, input_)), reasoning=draw(st.integers(0, output)))


@st.composite
def replies(draw: st.DrawFn) -> Reply:
    parts = draw(_parts())
    finish = "tool_calls" if any(isinstance(part, ToolCall) for part in parts) else "stop"
    id_ = draw(st.from_regex(r"[0-9a-f]{24}", fullmatch=True))
    return Reply(id_, 1_700_000_000, "some-model", parts, finish, draw(_tokens()))
