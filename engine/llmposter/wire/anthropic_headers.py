"""The headers that Anthropic's API puts on an answer, as far as clients read them.

Figures are derived from the answer and nothing else, so that the same answer has the same headers.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from llmposter.wire.headers import LAST_SECOND, rounded_up

if TYPE_CHECKING:
    from llmposter.model import Reply
    from llmposter.wire.headers import Headers

_REQUESTS: Final = 4_000
_INPUT: Final = 2_000_000
_OUTPUT: Final = 400_000
_THOUSAND: Final = 1_000
ORGANIZATION: Final = ("anthropic-organization-id", "00000000-0000-4000-8000-006c6c6d7073")


def request_id(seed: bytes) -> str:
    """The id of a request; *seed* tells one answer from another."""
    return f"req_{blake2b(seed, digest_size=12).hexdigest()}"


def of_reply(reply: Reply) -> Headers:
    """The headers of an answer, without its content type: who answered, and how much of the limits is left."""
    used = reply.tokens
    identity = ("request-id", request_id(reply.id.encode("utf-8", "replace")))
    return (identity, *_of_tokens(max(0, used.input - used.cached), used.output, reply.created))


@lru_cache(maxsize=1024)
def _of_tokens(read: int, written: int, created: int) -> Headers:
    """All that depends on nothing but how much was said, and when."""
    return (ORGANIZATION, *_limits(_REQUESTS - 1, read, written, created, 1))


def of_limit(wait: float | None, now: float) -> Headers:
    """The headers of an answer that a limit on requests refused."""
    return _limits(0, 0, 0, now, 60 if wait is None else wait)


def untouched(now: float) -> Headers:
    """The headers of limits of which nothing was used."""
    return _limits(_REQUESTS, 0, 0, now, 0)


def _limits(requests: int, read: int, written: int, now: float, wait: float) -> Headers:
    """Tokens come back by the minute, requests after *wait* seconds."""
    return (
        *limit("requests", _REQUESTS, requests, now + wait),
        *limit("input-tokens", _INPUT, _INPUT - read, now + read * 60 / _INPUT),
        *limit("output-tokens", _OUTPUT, _OUTPUT - written, now + written * 60 / _OUTPUT),
        *limit("tokens", _INPUT + _OUTPUT, _INPUT + _OUTPUT - read - written, now + (read + written) * 60 / _INPUT),
    )


def limit(what: str, most: int, left: int, reset: float) -> Headers:
    """The headers of one limit.

    What is left of tokens is told in thousands (API reference, "Rate limits", "Response headers"), but for a limit so
    small that this would tell nothing.
    """
    shown = max(0, left) if what == "requests" or most < 10 * _THOUSAND else round(max(0, left), -3)
    name = f"anthropic-ratelimit-{what}"
    return (f"{name}-limit", str(most)), (f"{name}-remaining", str(shown)), (f"{name}-reset", moment(reset))


def moment(seconds: float) -> str:
    """A Unix time as these headers write it, rounded up: ``2026-01-01T00:00:00Z`` (RFC 3339)."""
    return datetime.fromtimestamp(min(max(rounded_up(seconds), 0), LAST_SECOND), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
