"""An error in the middle of a stream: every name, on every wire, as the models of the SDKs have it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from anthropic.types import ErrorResponse
from captured import asked
from google.genai.errors import APIError
from judges.anthropic import DETAILS
from judges.anthropic import KNOWN as MODELLED
from judging import strictly
from openai.types import ErrorObject
from openai.types.responses import ResponseErrorEvent, ResponseFailedEvent
from wire_cases import FAILURES, NAMES, REPLIES

from llmposter.wire import load

SENT = 3
"""Events that were sent before."""
REPLY = REPLIES["text"]


def events(wire: str, name: str) -> list[tuple[str, bytes]]:
    """The name and data of each event that tells of an error."""
    speaks = load()[wire]
    frames = speaks.broken(asked(wire, stream=True), REPLY, FAILURES[name], 0.0, SENT)
    return [_event(frame.data) for frame in frames]


def _event(data: bytes) -> tuple[str, bytes]:
    lines = dict(line.split(b": ", 1) for line in data.strip().split(b"\n"))
    return lines.get(b"event", b"").decode(), lines[b"data"]


def body(wire: str, name: str) -> dict[str, Any]:
    """The error as the provider sends it before a stream has begun."""
    return json.loads(load()[wire].failure(FAILURES[name], 0.0).body)


@pytest.mark.parametrize("name", NAMES)
def test_chat_sends_what_its_http_error_has(name: str) -> None:
    """`data: {"error": …}`, for which the SDK raises, and nothing after it."""
    ((event, data),) = events("openai", name)
    assert ("", body("openai", name)) == (event, json.loads(data))
    strictly(ErrorObject, json.dumps(json.loads(data)["error"]))


@pytest.mark.parametrize("name", NAMES)
def test_responses_sends_an_error_and_what_failed(name: str) -> None:
    """Both events are strictly valid, numbered on, and say the same; the error is nested too, as OpenAI sends it."""
    (first, error), (last, failed) = events("responses", name)
    assert ("error", "response.failed") == (first, last)
    told = strictly(ResponseErrorEvent, error, known=("error",))
    ended = strictly(ResponseFailedEvent, failed, known=("store",))
    assert (SENT, SENT + 1) == (told.sequence_number, ended.sequence_number)
    assert (told.message, "failed") == (ended.response.error.message, ended.response.status)
    assert body("responses", name)["error"] == json.loads(error)["error"]


@pytest.mark.parametrize("name", NAMES)
def test_anthropic_sends_its_error_event(name: str) -> None:
    """`event: error` with the body of the HTTP error, strictly valid as far as the SDK has models."""
    ((event, data),) = events("anthropic", name)
    told = json.loads(data)
    assert ("error", "error", body("anthropic", name)["error"]) == (event, told["type"], told["error"])
    if told["error"]["type"] in MODELLED:
        strictly(ErrorResponse, data, DETAILS)


@pytest.mark.parametrize("name", NAMES)
def test_gemini_sends_its_status(name: str) -> None:
    """`{"error": …}` as its HTTP error has it, which the SDK reads code, status and message from."""
    ((_, data),) = events("gemini", name)
    told = json.loads(data)
    raised = APIError(told["error"]["code"], told)
    assert body("gemini", name) == told
    assert (told["error"]["status"], told["error"]["message"]) == (raised.status, raised.message)
