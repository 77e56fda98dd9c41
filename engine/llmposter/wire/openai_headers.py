"""The headers that OpenAI's API puts on an answer, as far as clients read them.

Figures are derived from the answer and nothing else, so that the same answer has the same headers.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from llmposter.wire.headers import rounded_up

if TYPE_CHECKING:
    from llmposter.model import Reply
    from llmposter.wire.headers import Headers

_REQUESTS: Final = 10_000
_TOKENS: Final = 30_000_000
_MINUTE: Final = 60


def of_server(seed: bytes, milliseconds: int = 12) -> Headers:
    """Who answered; *seed* tells one answer from another."""
    return (_request(seed), *_who(milliseconds))


def of_reply(reply: Reply) -> Headers:
    """The headers of an answer, without its content type: who answered, and how much of the limits is left."""
    used = reply.tokens
    return (_request(reply.id.encode("utf-8", "replace")), *_of_tokens(used.input + used.output, used.output))


def _request(seed: bytes) -> tuple[str, str]:
    return "x-request-id", f"req_{blake2b(seed, digest_size=16).hexdigest()}"


def _who(milliseconds: int) -> Headers:
    return (
        ("openai-organization", "llmposter"),
        ("openai-processing-ms", str(milliseconds)),
        ("openai-version", "2020-10-01"),
    )


@lru_cache(maxsize=1024)
def _of_tokens(used: int, output: int) -> Headers:
    """All that depends on nothing but how much was said."""
    used = min(used, _TOKENS)
    return (
        *_who(180 + 12 * output),
        ("x-ratelimit-limit-requests", str(_REQUESTS)),
        ("x-ratelimit-limit-tokens", str(_TOKENS)),
        ("x-ratelimit-remaining-requests", str(_REQUESTS - 1)),
        ("x-ratelimit-remaining-tokens", str(_TOKENS - used)),
        ("x-ratelimit-reset-requests", reset(_MINUTE / _REQUESTS)),
        ("x-ratelimit-reset-tokens", reset(used * _MINUTE / _TOKENS)),
    )


def untouched() -> Headers:
    """The headers of limits of which nothing was used."""
    return _of_tokens(0, 0)[3:]


def of_limit(wait: float | None) -> Headers:
    """The headers of an answer that a limit on requests refused."""
    return (
        ("x-ratelimit-limit-requests", str(_REQUESTS)),
        ("x-ratelimit-limit-tokens", str(_TOKENS)),
        ("x-ratelimit-remaining-requests", "0"),
        ("x-ratelimit-remaining-tokens", str(_TOKENS)),
        ("x-ratelimit-reset-requests", reset(_MINUTE / _REQUESTS if wait is None else wait)),
        ("x-ratelimit-reset-tokens", "0s"),
    )


def reset(seconds: float) -> str:
    """A length of time as these headers write it: ``6ms``, ``1.5s``, ``1m0s``, ``2h5m0s``."""
    milliseconds = max(0, rounded_up(seconds * 1000))
    if 0 < milliseconds < 1000:
        return f"{milliseconds}ms"
    minutes, rest = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    shown = f"{rest / 1000:g}s"
    return f"{hours}h{minutes}m{shown}" if hours else f"{minutes}m{shown}" if minutes else shown
