"""What a Response repeats of its request, and what its form depends on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from llmposter.model import Struct, Tool, Turn
from llmposter.wire import openai_responses_body as sent

_TIERS: Final = {"flex": "flex", "priority": "priority", "fast": "priority", "scale": "scale"}


class Declared(Struct, frozen=True):
    """The tools of a request: as its answer repeats them, as it means them, and what OpenAI refuses of them."""

    echoed: msgspec.Raw
    tools: tuple[Tool, ...] = ()
    custom: frozenset[str] = frozenset()
    wrong: tuple[str, ...] = ()


NO_TOOLS: Final = Declared(msgspec.Raw(b"[]"))


class Asked(Struct, frozen=True):
    """What the answer's form depends on, and what the request said.

    Attributes:
        thread: the id of the conversation object, or "". said: its `input`, as it was sent.
    """

    body: sent.Options = sent.Options()
    declared: Declared = NO_TOOLS
    thread: str = ""
    said: str | Sequence[msgspec.Raw] = ()

    @property
    def encrypted(self) -> bool:
        """The client wants reasoning sealed, to send it back by itself."""
        return "reasoning.encrypted_content" in (self.body.include or ())

    @property
    def stored(self) -> bool:
        return self.body.store is not False


_PLAIN: Final = Asked()


def asked(turn: Turn) -> Asked:
    """What *turn* has for its wire; one that was made by hand has nothing."""
    return turn.extra if isinstance(turn.extra, Asked) else _PLAIN


class Formed(Struct, frozen=True):
    """`text`, as it is repeated."""

    format: Any
    verbosity: str = "medium"


class Reasoned(Struct, frozen=True):
    """`reasoning`, as it is repeated."""

    effort: str | None = None
    summary: str | None = None


class Echo(Struct, frozen=True):
    """What a Response repeats, with OpenAI's defaults for what was not sent."""

    model: str
    tools: msgspec.Raw
    conversation: sent.Conversation | None
    background: bool
    instructions: str | None
    max_output_tokens: int | None
    max_tool_calls: int | None
    metadata: Any
    parallel_tool_calls: bool
    previous_response_id: str | None
    prompt: Any
    prompt_cache_key: str | None
    prompt_cache_retention: str | None
    reasoning: Reasoned
    safety_identifier: str | None
    service_tier: str
    store: bool
    temperature: float
    text: Formed
    tool_choice: Any
    top_logprobs: int
    top_p: float
    truncation: str
    user: str | None


_ENCODE: Final = msgspec.json.Encoder().encode
_UNFORMED: Final = Formed({"type": "text"})
_UNREASONED: Final = Reasoned()


def repeated(asked: Asked, model: str) -> bytes:
    """The members of a Response that the request gives, without the braces."""
    body = asked.body
    return _ENCODE(
        Echo(
            model,
            asked.declared.echoed,
            sent.Conversation(asked.thread) if asked.thread else None,
            bool(body.background),
            body.instructions,
            body.max_output_tokens,
            body.max_tool_calls,
            body.metadata or {},
            body.parallel_tool_calls is not False,
            body.previous_response_id,
            body.prompt,
            body.prompt_cache_key,
            body.prompt_cache_retention,
            _UNREASONED if body.reasoning is None else _reasoned(body.reasoning),
            body.safety_identifier,
            _TIERS.get(body.service_tier or "", "default"),
            body.store is not False,
            1.0 if body.temperature is None else body.temperature,
            _UNFORMED if body.text is None else _formed(body.text),
            "auto" if body.tool_choice is None else body.tool_choice,
            body.top_logprobs or 0,
            1.0 if body.top_p is None else body.top_p,
            body.truncation or "disabled",
            body.user,
        )
    )[1:-1]


def _reasoned(given: sent.Effort) -> Reasoned:
    return Reasoned(given.effort, given.summary or given.generate_summary)


def _formed(given: sent.Form) -> Formed:
    return Formed(given.format or _UNFORMED.format, given.verbosity or _UNFORMED.verbosity)
