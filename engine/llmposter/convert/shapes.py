"""What the entries of other formats look like, as types: an entry of another shape is told, with its place.

Only what is read is named; what else stands there is for the converters to tell.
"""

from __future__ import annotations

import re
from typing import Any, TypeAlias

import msgspec

from llmposter_dsl.place import Path

Number: TypeAlias = int | float
_STEP = re.compile(r"\.(\w+)|\[(\d+)\]")


class _Camel(msgspec.Struct, rename="camel"):
    """Keys as JavaScript spells them."""


class AimockCall(_Camel, rename="camel"):
    """A tool call."""

    name: str
    arguments: str | dict[str, Any] | list[Any] | None = None
    id: str | None = None


class AimockBlock(_Camel, rename="camel"):
    """A part of an answer whose order is told."""

    type: str
    text: str = ""
    name: str = ""
    arguments: str | dict[str, Any] | list[Any] | None = None
    id: str | None = None


class AimockError(_Camel, rename="camel"):
    """An error's body."""

    message: str | None = None
    type: str | None = None
    code: str | None = None


class AimockResponse(_Camel, rename="camel"):
    """An answer."""

    content: str | dict[str, Any] | list[Any] | None = None
    reasoning: str | None = None
    tool_calls: list[AimockCall] | None = None
    blocks: list[AimockBlock] | None = None
    finish_reason: str | None = None
    usage: dict[str, int | float | dict[str, Any]] | None = None
    error: AimockError | None = None
    retry_after: Number | None = None
    embedding: list[Number] | None = None


class AimockProfile(_Camel, rename="camel"):
    """The times of a stream."""

    ttft: Number | None = None
    tps: Number | None = None
    jitter: Number | None = None


class AimockChaos(_Camel, rename="camel"):
    """What strikes, and how often."""

    drop_rate: Number | None = None
    malformed_rate: Number | None = None
    rate_limit_rate: Number | None = None
    disconnect_rate: Number | None = None
    latency_ms: Number | None = None


class AimockMatch(_Camel, rename="camel"):
    """What of a match is counted; `aimock_match` looks at the rest."""

    sequence_index: int | None = None
    turn_index: int | None = None
    endpoint: str | None = None


class AimockFixture(_Camel, rename="camel"):
    """An entry of `fixtures`."""

    response: AimockResponse
    match: AimockMatch | None = None
    latency: Number | None = None
    chunk_size: int | None = None
    truncate_after_chunks: int | None = None
    disconnect_after_ms: Number | None = None
    streaming_profile: AimockProfile | None = None
    chaos: AimockChaos | None = None


class FakellmCall(msgspec.Struct):
    """A tool call."""

    name: str
    arguments: dict[str, Any] | str | None = None


class FakellmRespond(msgspec.Struct):
    """An answer."""

    status: int | None = None
    content: str | None = None
    error: str | None = None
    tool_calls: list[FakellmCall] | None = None


class FakellmRule(msgspec.Struct):
    """An entry of `rules`."""

    name: str | None = None
    when: dict[str, Any] | None = None
    respond: FakellmRespond | None = None


class MockLlmResponse(msgspec.Struct):
    """A status, and JSON with templates."""

    content: str
    status: int | None = None


class MockLlmRule(msgspec.Struct):
    """An entry of `rules`."""

    path: str
    response: MockLlmResponse
    method: str | None = None
    match: str | None = None
    sequence: int | None = None


class ChatFunction(msgspec.Struct):
    """What a chat's tool call calls."""

    name: str = ""
    arguments: Any = None


class ChatCall(msgspec.Struct):
    """A tool call of a chat."""

    function: ChatFunction
    id: str | None = None


class ChatMessage(msgspec.Struct):
    """The answer of a chat."""

    content: str | None = None
    refusal: str | None = None
    tool_calls: list[ChatCall] | None = None


def misshapen(value: Any, shape: Any) -> tuple[str, Path] | None:
    """What is wrong with the shape of a value, and where in it; None if nothing is."""
    try:
        msgspec.convert(value, shape)
    except msgspec.ValidationError as error:
        message, _, at = str(error).partition(" - at `$")
        path = tuple(int(index) if index else name for name, index in _STEP.findall(at))
        return f"{message[:1].lower()}{message[1:]}", path
    return None
