"""How Anthropic's API lets requests in: where the key stands, and what it says to a bad one and above a limit.

A revoked token is a 403 there and not a 401, which clients are known to stumble over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, assert_never

from llmposter.model import Failure
from llmposter.wire import anthropic_errors
from llmposter.wire.anthropic_headers import ORGANIZATION, limit, untouched
from llmposter.wire.headers import merged, span

if TYPE_CHECKING:
    from llmposter.access import Access, Limited, Rejected, Window
    from llmposter.model import Response
    from llmposter.wire.headers import Headers

_EXPIRED: Final = "OAuth token has expired. Please obtain a new token or refresh your existing token."
_REVOKED: Final = "OAuth token has been revoked. Please obtain a new token."
_MORE: Final = (
    "For details, refer to: https://docs.claude.com/en/api/rate-limits. You can see the response headers for current "
    "usage. Please reduce the prompt length or the maximum tokens requested, or try again later."
)


class AnthropicAccess:
    """The one of `/v1/messages` and what belongs to it."""

    # anthropic/_client.py: `api_key` goes out as a bearer token since its second major, as `x-api-key` before.
    keys: tuple[str, ...] = ("x-api-key", "authorization", "api-key")

    def rejected(self, rejected: Rejected, now: float) -> Response:
        return anthropic_errors.failure(_failure(rejected), now)

    def limited(self, limited: Limited, model: str, now: float) -> Response:
        where = f"org: {ORGANIZATION[1]}{f', model: {model}' if model else ''}"
        limit_ = f"{limited.most:,} {limited.what} per {span(limited.per)}"
        message = f"This request would exceed your organization's rate limit of {limit_} ({where}). {_MORE}"
        headers = merged(untouched(now), self.standing(limited.windows, now))
        failed = Failure("rate_limited", message=message, retry_after=limited.wait, headers=headers)
        return anthropic_errors.failure(failed, now)

    def standing(self, windows: tuple[Window, ...], now: float) -> Headers:
        told: list[tuple[str, str]] = []
        for each in windows:
            told += limit(each.what, each.most, each.left, now + each.reset)
        return tuple(told)


def _failure(rejected: Rejected) -> Failure:
    match rejected.why:
        case "missing":
            return Failure("invalid_api_key", message="x-api-key header is required")
        case "unknown":
            return Failure("invalid_api_key", message="Invalid bearer token" if rejected.bearer else None)
        case "expired" | "spent":
            return Failure("invalid_api_key", message=_EXPIRED if rejected.bearer else None)
        case "revoked":
            if rejected.bearer:
                return Failure("permission_denied", message=_REVOKED)
            return Failure("invalid_api_key")
        case _:
            assert_never(rejected.why)


ACCESS: Final[Access] = AnthropicAccess()
