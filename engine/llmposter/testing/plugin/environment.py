"""Environment variables by which unmodified SDKs find llmposter in place of their provider, for as long as a test runs.

No real key is to be seen by the test, and no setting may lead a client past the base URL that it is given.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pytest

    from llmposter.testing.seen import Seen

_ALWAYS: Final[Mapping[str, str]] = {
    # openai/_client.py, agents/models/openai_provider.py, @ai-sdk/openai; before OpenAI's 1.0 it was called API_BASE,
    # which langchain-openai asks first and LiteLLM still knows.
    "OPENAI_BASE_URL": "{openai}",
    "OPENAI_API_BASE": "{openai}",
    "OPENAI_API_KEY": "{key}",
    # anthropic/_client.py, @ai-sdk/anthropic; langchain-anthropic asks for API_URL, LiteLLM for API_BASE first.
    "ANTHROPIC_BASE_URL": "{anthropic}",
    "ANTHROPIC_API_URL": "{anthropic}",
    "ANTHROPIC_API_BASE": "{anthropic}",
    "ANTHROPIC_API_KEY": "{key}",
    # google/genai/_base_url.py; LiteLLM has a name of its own, Vercel's SDK one for the key.
    "GOOGLE_GEMINI_BASE_URL": "{gemini}",
    "GEMINI_API_BASE": "{gemini}",
    "GOOGLE_API_KEY": "{key}",
    "GEMINI_API_KEY": "{key}",
    "GOOGLE_GENERATIVE_AI_API_KEY": "{key}",
    # The Agents SDK sends its traces to OpenAI, whatever the base URL (agents/tracing/processors.py).
    "OPENAI_AGENTS_DISABLE_TRACING": "1",
}
_WHERE_THERE: Final[Mapping[str, str]] = {
    # With a key for Azure beside OpenAI's own the module `openai` would not know whom to ask (openai/__init__.py).
    "AZURE_OPENAI_ENDPOINT": "{anthropic}",
    "AZURE_OPENAI_API_KEY": "{key}",
    "AZURE_API_BASE": "{anthropic}",
    "AZURE_API_KEY": "{key}",
    "GOOGLE_VERTEX_BASE_URL": "{gemini}",
    "ANTHROPIC_VERTEX_BASE_URL": "{anthropic}/v1",
}
"""Set only where something is set."""
_NEVER: Final = (
    "ANTHROPIC_AUTH_TOKEN",
    "ANTHROPIC_CUSTOM_HEADERS",
    "ANTHROPIC_PROFILE",
    "AZURE_OPENAI_AD_TOKEN",
    "GOOGLE_GENAI_USE_ENTERPRISE",  # either would lead Google's SDK to Vertex AI
    "GOOGLE_GENAI_USE_VERTEXAI",
    "OPENAI_ADMIN_KEY",
    "OPENAI_API_TYPE",
    "OPENAI_CUSTOM_HEADERS",
    "OPENAI_ORGANIZATION",
    "OPENAI_ORG_ID",
    "OPENAI_PROJECT_ID",
)
"""Secrets that go out beside a key, and what leads elsewhere."""
_DIRECT: Final = ("NO_PROXY", "no_proxy")


def variables(seen: Seen, given: Mapping[str, str]) -> Iterator[tuple[str, str | None]]:
    """Each variable with its value for clients of a server or session; None for one that is not to be there."""
    places = {"openai": seen.openai_url, "anthropic": seen.anthropic_url, "gemini": seen.gemini_url, "key": seen.key}
    for name, form in _ALWAYS.items():
        yield name, form.format_map(places)
    for name, form in _WHERE_THERE.items():
        if name in given:
            yield name, form.format_map(places)
    yield from ((name, None) for name in _NEVER if name in given)
    for name in _DIRECT:
        # A proxy for all else is none for this machine.
        others = [each for each in given.get(name, "").split(",") if each]
        yield name, ",".join(dict.fromkeys([*others, "127.0.0.1", "localhost"]))


def point(patched: pytest.MonkeyPatch, seen: Seen) -> None:
    """Sets them until *patched* is undone."""
    for name, value in variables(seen, dict(os.environ)):
        if value is None:
            patched.delenv(name, raising=False)
        else:
            patched.setenv(name, value)
