"""The errors of OpenAI's API, by name and by status, in its own words and with its own headers.

What is true of them is written down in docs/providers/openai-chat.md. `retry-after` is only sent where a scenario
asks for it, so that no test waits a minute by default; the official SDKs then back off by themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from llmposter.model import Response, Struct
from llmposter.wire.headers import JSON, comes_back, merged
from llmposter.wire.openai_headers import of_limit, of_server, reset
from llmposter.wire.sse import encode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llmposter.model import BadRequest, Failure, Json
    from llmposter.wire.headers import Headers

INVALID: Final = "invalid_request_error"


class Known(Struct, frozen=True):
    """An error as OpenAI sends it."""

    status: int
    type: str
    code: str | None
    message: str
    param: str | None = None


_HELP = "https://platform.openai.com"

NAMED: Final = {
    "bad_request": Known(400, INVALID, None, "Your request could not be processed: it is not valid."),
    "invalid_api_key": Known(
        401, INVALID, "invalid_api_key",
        f"Incorrect API key provided. You can find your API key at {_HELP}/account/api-keys.",
    ),
    "permission_denied": Known(
        403, INVALID, "model_not_found", "Your project does not have access to this model."
    ),
    "not_found": Known(
        404, INVALID, "model_not_found", "The model does not exist or you do not have access to it."
    ),
    "context_length_exceeded": Known(
        400, INVALID, "context_length_exceeded",
        "This model's maximum context length is 128000 tokens. However, your messages resulted in more tokens. "
        "Please reduce the length of the messages.",
        "messages",
    ),
    "request_too_large": Known(413, INVALID, None, "Maximum content size limit exceeded."),
    "rate_limited": Known(
        429, "requests", "rate_limit_exceeded",
        "Rate limit reached on requests per min (RPM): Limit 10000, Used 10000, Requested 1. "
        f"Visit {_HELP}/account/rate-limits to learn more.",
    ),
    "quota_exceeded": Known(
        429, "insufficient_quota", "credit_balance_exhausted",
        "You exceeded your current quota, please check your plan and billing details. "
        f"For more information on this error, read the docs: {_HELP}/docs/guides/error-codes/api-errors.",
    ),
    "server_error": Known(
        500, "server_error", None, "The server had an error while processing your request. Sorry about that!"
    ),
    "overloaded": Known(
        503, "service_unavailable_error", "server_is_overloaded",
        "Our servers are currently overloaded. Please try again later.",
    ),
    "timeout": Known(504, "server_error", None, "The request timed out before it could be processed."),
    "content_filter": Known(
        400, INVALID, "invalid_prompt",
        "Invalid prompt: your prompt was flagged as potentially violating our usage policy. "
        "Please try again with a different prompt.",
    ),
}  # fmt: skip
"""Every error name of language.md, section 6."""

_BY_STATUS: Final = {
    400: NAMED["bad_request"],
    401: NAMED["invalid_api_key"],
    403: NAMED["permission_denied"],
    404: NAMED["not_found"],
    408: Known(408, INVALID, None, "The request took too long to arrive."),
    409: Known(409, INVALID, None, "The resource was changed by another request; please try again."),
    413: NAMED["request_too_large"],
    415: Known(415, INVALID, None, "Invalid content type. Please send 'application/json'."),
    422: Known(422, INVALID, None, "Your request was understood but could not be processed."),
    429: NAMED["rate_limited"],
    500: NAMED["server_error"],
    502: Known(502, "server_error", None, "Bad gateway."),
    503: NAMED["overloaded"],
    504: NAMED["timeout"],
}


def known(name: str | None, status: int | None) -> Known:
    """What OpenAI sends for a name, for a status, or for a status that it never uses."""
    if name in NAMED:
        return NAMED[name]
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status is not None and status < 500:
        return Known(status, INVALID, None, "Your request could not be processed.")
    return Known(status or 500, "server_error", None, NAMED["server_error"].message)


def failure(failed: Failure, now: float) -> Response:
    """The error as an answer; what the scenario gives replaces what OpenAI says."""
    base = known(failed.name, failed.status)
    status = base.status if failed.status is None else failed.status
    written = body(
        _said(base, failed.retry_after) if failed.message is None else failed.message,
        base.type if failed.type is None else failed.type,
        base.param if failed.param is None else failed.param,
        base.code if failed.code is None else failed.code,
        failed.more,
    )
    # A spent quota is a 429 too, but no window that resets.
    limited = status == 429 and failed.name != "quota_exceeded"
    ours = (
        ("content-type", JSON),
        *_of_server(written, now),
        *(of_limit(failed.retry_after) if limited else ()),
        *comes_back(failed, now),
    )
    return Response(status, merged(ours, failed.headers), written)


def _said(base: Known, wait: float | None) -> str:
    """The message, which tells when to come back as those of rate limits do; clients are known to read it there."""
    if wait is None or base is not NAMED["rate_limited"]:
        return base.message
    return base.message.replace(" Visit ", f" Please try again in {reset(wait)}. Visit ")


def refused(bad: BadRequest, now: float) -> Response:
    """The answer to a body that cannot be read."""
    return told(bad.status, body(bad.message, INVALID, bad.param, bad.code), now)


def told(status: int, body: bytes, now: float) -> Response:
    """An error as an answer, with no headers but those of every answer."""
    return Response(status, (("content-type", JSON), *_of_server(body, now)), body)


def _of_server(written: bytes, now: float) -> Headers:
    # Nothing but its words and its time tells one error from another.
    return of_server(written + repr(now).encode("ascii"))


def body(message: str, kind: str, param: str | None, code: str | None, more: Mapping[str, Json] | None = None) -> bytes:
    """The body of an error."""
    error: dict[str, Json] = {"message": message, "type": kind, "param": param, "code": code}
    return encode({"error": error if more is None else {**error, **more}})
