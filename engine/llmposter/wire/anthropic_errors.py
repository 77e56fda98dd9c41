"""The errors of Anthropic's API, by name and by status, in its own words and with its own headers.

What is true of them is written down in docs/providers/anthropic.md. `retry-after` is only sent where a scenario asks
for it, so that no test waits a minute by default; the official SDKs then back off by themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from llmposter.model import Response, Struct
from llmposter.wire.anthropic_headers import ORGANIZATION, of_limit, request_id
from llmposter.wire.headers import JSON, comes_back, merged
from llmposter.wire.sse import encode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llmposter.model import BadRequest, Failure, Json

INVALID: Final = "invalid_request_error"


class Known(Struct, frozen=True):
    """An error as Anthropic sends it."""

    status: int
    type: str
    message: str


_BALANCE = (
    "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase "
    "credits."
)

NAMED: Final = {
    "bad_request": Known(400, INVALID, "Your request could not be processed: it is not valid."),
    "invalid_api_key": Known(401, "authentication_error", "invalid x-api-key"),
    "permission_denied": Known(
        403, "permission_error", "Your API key does not have permission to use the specified resource."
    ),
    "not_found": Known(404, "not_found_error", "The requested resource could not be found."),
    "context_length_exceeded": Known(400, INVALID, "prompt is too long: 204213 tokens > 200000 maximum"),
    "request_too_large": Known(413, "request_too_large", "Request exceeds the maximum size"),
    "rate_limited": Known(
        429, "rate_limit_error",
        "This request would exceed your organization's rate limit of 4,000 requests per minute. For details, refer to: "
        "https://docs.claude.com/en/api/rate-limits. You can see the response headers for current usage.",
    ),
    # Documented as a 402 `billing_error`, and sent as this (anthropics/claude-code#88711).
    "quota_exceeded": Known(400, INVALID, _BALANCE),
    "server_error": Known(500, "api_error", "Internal server error"),
    "overloaded": Known(529, "overloaded_error", "Overloaded"),
    "timeout": Known(504, "timeout_error", "The request timed out while it was being processed."),
    "content_filter": Known(400, INVALID, "Output blocked by content filtering policy"),
}  # fmt: skip
"""Every error name of language.md, section 6."""

_BY_STATUS: Final = {
    **{each.status: each for each in NAMED.values() if each.status != 400},
    400: NAMED["bad_request"],
    402: Known(402, "billing_error", _BALANCE),
    408: Known(408, "timeout_error", "The request took too long to arrive."),
    409: Known(409, "conflict_error", "The resource was changed by another request; please try again."),
    502: Known(502, "api_error", "Bad gateway"),
    503: Known(503, "api_error", "Service unavailable"),
}


def known(name: str | None, status: int | None) -> Known:
    """What Anthropic sends for a name, for a status, or for a status that it never uses."""
    if name in NAMED:
        return NAMED[name]
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status is not None and status < 500:
        return Known(status, INVALID, "Your request could not be processed.")
    return Known(status or 500, "api_error", NAMED["server_error"].message)


def failure(failed: Failure, now: float) -> Response:
    """The error as an answer; what the scenario gives replaces what Anthropic says."""
    base = known(failed.name, failed.status)
    status = base.status if failed.status is None else failed.status
    kind = base.type if failed.type is None else failed.type
    message = base.message if failed.message is None else failed.message
    answer = _answer(status, kind, message, now, failed.code, failed.more)
    limits = of_limit(failed.retry_after, now) if status == 429 else ()
    ours = (*answer.headers, *limits, *comes_back(failed, now))
    return Response(status, merged(ours, failed.headers), answer.body)


def refused(bad: BadRequest, now: float) -> Response:
    """The answer to a body that cannot be read."""
    kind = INVALID if bad.status == 400 else known(None, bad.status).type
    return _answer(bad.status, kind, bad.message, now, bad.code)


def miss(message: str, now: float) -> Response:
    """A 404 that no SDK retries, whatever else it retries."""
    return _answer(404, "not_found_error", message, now)


def _answer(  # noqa: PLR0913, PLR0917 - what it says, one after the other
    status: int, kind: str, message: str, now: float, code: str | None = None, more: Mapping[str, Json] | None = None
) -> Response:
    # Nothing but its words and its time tells one error from another.
    id_ = request_id(f"{status} {kind} {message} {now!r}".encode("utf-8", "replace"))
    error: dict[str, Json] = {"type": kind, "message": message}
    if code:
        # What branches on the cause reads it here; most of Anthropic's errors have none.
        error["details"] = {"error_code": code}
    if more is not None:
        error |= more
    body = encode({"type": "error", "error": error, "request_id": id_})
    # The API says itself whether to try again, and its SDKs do as it says.
    retry = "true" if status in (408, 409, 429) or status >= 500 else "false"
    headers = (("content-type", JSON), ("request-id", id_), ORGANIZATION, ("x-should-retry", retry))
    return Response(status, headers, body)
