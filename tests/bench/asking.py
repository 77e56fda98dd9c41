"""The same question in the words of each wire: a path and a body, from what user and assistant said by turns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

Said: TypeAlias = Sequence[tuple[str, str]]
"""Role and text."""
Asking: TypeAlias = Callable[[Said, bool], tuple[str, dict[str, Any]]]

MODEL = "gpt-4o"


def messages(said: Said) -> list[dict[str, str]]:
    return [{"role": role, "content": text} for role, text in said]


def openai(said: Said, stream: bool) -> tuple[str, dict[str, Any]]:
    return "/v1/chat/completions", {"model": MODEL, "messages": messages(said), "stream": stream}


def responses(said: Said, stream: bool) -> tuple[str, dict[str, Any]]:
    return "/v1/responses", {"model": MODEL, "input": messages(said), "stream": stream}


def anthropic(said: Said, stream: bool) -> tuple[str, dict[str, Any]]:
    body = {"model": "claude-sonnet-4-5", "max_tokens": 1024, "messages": messages(said), "stream": stream}
    return "/v1/messages", body


def gemini(said: Said, stream: bool) -> tuple[str, dict[str, Any]]:
    named = {"user": "user", "assistant": "model"}
    action = "streamGenerateContent?alt=sse" if stream else "generateContent"
    contents = [{"role": named[role], "parts": [{"text": text}]} for role, text in said]
    return f"/v1beta/models/gemini-2.5-flash:{action}", {"contents": contents}


HEADERS = {"anthropic": {"anthropic-version": "2023-06-01"}}
"""What a provider wants beside the key."""
ASKING: dict[str, Asking] = {"openai": openai, "responses": responses, "anthropic": anthropic, "gemini": gemini}
