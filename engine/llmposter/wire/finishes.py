"""The finish reasons of all providers in the words of the language, so that one provider's word means the same on all.

A wire sends a word of its own as it is, and any other by what it means here; a word that means nothing to it is a
finding (LP4xx), not a surprise.
"""

from __future__ import annotations

from typing import Final

MEANING: Final = {
    # the language's own, which are OpenAI Chat's but for `pause`
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "content_filter": "content_filter",
    "pause": "pause",
    # OpenAI
    "function_call": "tool_calls",
    "max_output_tokens": "length",
    # Anthropic
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
    "pause_turn": "pause",
    # Gemini
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "SAFETY": "content_filter",
    "RECITATION": "content_filter",
    "BLOCKLIST": "content_filter",
    "PROHIBITED_CONTENT": "content_filter",
    "SPII": "content_filter",
    "IMAGE_SAFETY": "content_filter",
}
"""What each word means."""


def meaning(word: str) -> str | None:
    """``stop``, ``length``, ``tool_calls``, ``content_filter`` or ``pause``; None for a word that nobody knows."""
    return MEANING.get(word)
