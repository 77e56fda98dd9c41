"""The errors of Gemini's API, by name and by status, in its own words, as Google models them (google.aip.dev/193).

What is true of them is written down in docs/providers/gemini.md. `RetryInfo` is only sent where a scenario asks for
it, so that no test waits a minute by default.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from llmposter.model import Response, Struct
from llmposter.wire.headers import JSON, comes_back, merged, retry_after
from llmposter.wire.sse import encode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llmposter.model import BadRequest, Failure, Json

HEADERS: Final = (("content-type", f"{JSON}; charset=UTF-8"),)
_TYPE: Final = "type.googleapis.com/google.rpc."
_SERVICE: Final = "generativelanguage.googleapis.com"
_REQUESTS: Final = "generate_content_free_tier_requests"
_LIMITS: Final = "https://ai.google.dev/gemini-api/docs/rate-limits"


class Known(Struct, frozen=True):
    """An error as Google sends it."""

    status: int
    word: str
    message: str
    details: tuple[Json, ...] = ()


def _reason(reason: str) -> Json:
    return {
        "@type": f"{_TYPE}ErrorInfo",
        "reason": reason,
        "domain": "googleapis.com",
        "metadata": {"service": _SERVICE},
    }


def _quota(window: str, value: int) -> tuple[Json, ...]:
    return _violated(_REQUESTS, f"GenerateRequestsPer{window}PerProjectPerModel-FreeTier", value, "")


def _violated(metric: str, id_: str, value: int, model: str) -> tuple[Json, ...]:
    violation = {
        "quotaMetric": f"{_SERVICE}/{metric}",
        "quotaId": id_,
        "quotaDimensions": {"location": "global"} | ({"model": model} if model else {}),
        "quotaValue": str(value),
    }
    link = {"description": "Learn more about Gemini API quotas", "url": _LIMITS}
    return (
        {"@type": f"{_TYPE}Help", "links": [link]},
        {"@type": f"{_TYPE}QuotaFailure", "violations": [violation]},
    )


def _spent(value: int, metric: str = _REQUESTS) -> str:
    return (
        "You exceeded your current quota, please check your plan and billing details. For more information on this "
        f"error, head to: {_LIMITS}. \n* Quota exceeded for metric: "
        f"{_SERVICE}/{metric}, limit: {value}"
    )


_BAD_KEY = "API key not valid. Please pass a valid API key."

NAMED: Final = {
    "bad_request": Known(400, "INVALID_ARGUMENT", "Request contains an invalid argument."),
    "invalid_api_key": Known(
        400, "INVALID_ARGUMENT", _BAD_KEY,
        (
            _reason("API_KEY_INVALID"),
            {"@type": f"{_TYPE}LocalizedMessage", "locale": "en-US", "message": _BAD_KEY},
        ),
    ),
    "permission_denied": Known(403, "PERMISSION_DENIED", "The caller does not have permission"),
    "not_found": Known(404, "NOT_FOUND", "Requested entity was not found."),
    "context_length_exceeded": Known(
        400, "INVALID_ARGUMENT",
        "The input token count (1048577) exceeds the maximum number of tokens allowed (1048576).",
    ),
    "request_too_large": Known(
        400, "INVALID_ARGUMENT", "Request payload size exceeds the limit: 20971520 bytes."
    ),
    "rate_limited": Known(429, "RESOURCE_EXHAUSTED", _spent(10), _quota("Minute", 10)),
    "quota_exceeded": Known(429, "RESOURCE_EXHAUSTED", _spent(250), _quota("Day", 250)),
    "server_error": Known(
        500, "INTERNAL",
        "An internal error has occurred. Please retry or report in "
        "https://developers.generativeai.google/guide/troubleshooting",
    ),
    "overloaded": Known(503, "UNAVAILABLE",
        "This model is currently experiencing high demand. Spikes in demand are usually temporary. Please try again "
        "later.",
    ),
    "timeout": Known(504, "DEADLINE_EXCEEDED", "Deadline expired before operation could complete."),
    "content_filter": Known(400, "INVALID_ARGUMENT", "Request was blocked: it violates the usage policies."),
}  # fmt: skip
"""Every error name of language.md, section 6."""

_BY_STATUS: Final = {
    400: NAMED["bad_request"],
    401: Known(
        401, "UNAUTHENTICATED",
        "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid "
        "authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.",
        (_reason("ACCESS_TOKEN_TYPE_UNSUPPORTED"),),
    ),
    403: NAMED["permission_denied"],
    404: NAMED["not_found"],
    409: Known(409, "ABORTED", "The operation was aborted."),
    416: Known(416, "OUT_OF_RANGE", "The operation was attempted past the valid range."),
    429: NAMED["rate_limited"],
    499: Known(499, "CANCELLED", "The operation was cancelled."),
    500: NAMED["server_error"],
    501: Known(501, "UNIMPLEMENTED", "Operation is not implemented, or supported, or enabled."),
    503: NAMED["overloaded"],
    504: NAMED["timeout"],
}  # fmt: skip
"""The statuses that google.rpc.Code maps to, with the most general of the words that share one."""


def word(status: int) -> str:
    """The word of google.rpc.Code for a status; for those that it never maps to, as Google's own clients guess it."""
    if status in _BY_STATUS:
        return _BY_STATUS[status].word
    return "FAILED_PRECONDITION" if status < 500 else "INTERNAL" if status < 600 else "UNKNOWN"


def known(name: str | None, status: int | None) -> Known:
    """What Google sends for a name, for a status, or for a status that it never uses."""
    if name in NAMED:
        return NAMED[name]
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status is not None and status < 500:
        return Known(status, word(status), "The request could not be processed.")
    return Known(status or 500, word(status or 500), NAMED["server_error"].message)


def failure(failed: Failure, now: float) -> Response:
    """The error as an answer; what the scenario gives replaces what Google says."""
    base = known(failed.name, failed.status)
    status = base.status if failed.status is None else failed.status
    named = base.word if status == base.status else word(status)
    details = [*base.details, *_given(failed), *_retry(failed.retry_after)]
    told = body(
        status,
        _said(base, failed.retry_after) if failed.message is None else failed.message,
        named if failed.type is None else failed.type,
        details,
        failed.more,
    )
    return Response(status, merged((*HEADERS, *comes_back(failed, now)), failed.headers), told)


def _said(base: Known, wait: float | None) -> str:
    """The message, which tells when to come back as those of quotas do; clients are known to read it there."""
    return base.message + _again(wait) if base.word == "RESOURCE_EXHAUSTED" else base.message


def _again(wait: float | None) -> str:
    return "" if wait is None else f"\nPlease retry in {round(wait, 9):g}s."


def refused(bad: BadRequest) -> Response:
    """The answer to a body that cannot be read, or that breaks the protocol."""
    violation = {"field": bad.param, "description": bad.message}
    details = [] if bad.param is None else [{"@type": f"{_TYPE}BadRequest", "fieldViolations": [violation]}]
    return Response(bad.status, HEADERS, body(bad.status, bad.message, word(bad.status), details))


def answer(status: int, named: str, message: str, details: tuple[Json, ...] = ()) -> Response:
    """An error as an answer."""
    return Response(status, HEADERS, body(status, message, named, list(details)))


def bad_key(message: str = _BAD_KEY) -> Response:
    """The answer to a key that is not good."""
    localized = {"@type": f"{_TYPE}LocalizedMessage", "locale": "en-US", "message": message}
    return answer(400, "INVALID_ARGUMENT", message, (_reason("API_KEY_INVALID"), localized))


def unauthenticated(reason: str) -> Response:
    """The answer to a bearer token that is not good (google/api/error_reason.proto has the reasons)."""
    known = _BY_STATUS[401]
    return answer(401, known.word, known.message, (_reason(reason),))


def spent(metric: str, id_: str, value: int, model: str, wait: float | None) -> Response:
    """The answer to a request above a quota; *wait* is None where no time helps."""
    message = _spent(value, metric)
    if model:
        message += f", model: {model}"
    message += _again(wait)
    known, details = NAMED["rate_limited"], [*_violated(metric, id_, value, model), *_retry(wait)]
    return Response(known.status, (*HEADERS, *retry_after(wait)), body(known.status, message, known.word, details))


def body(status: int, message: str, named: str, details: list[Json], more: Mapping[str, Json] | None = None) -> bytes:
    """The body of an error."""
    error: dict[str, Json] = {"code": status, "message": message, "status": named}
    if details:
        error["details"] = details
    if more is not None:
        error |= more
    return encode({"error": error})


def _given(failed: Failure) -> list[Json]:
    """What a scenario says that has no member of its own in Google's error."""
    given: list[Json] = [] if failed.code is None else [_reason(failed.code)]
    if failed.param is not None:
        violation = {"field": failed.param, "description": failed.message or ""}
        given.append({"@type": f"{_TYPE}BadRequest", "fieldViolations": [violation]})
    return given


def _retry(seconds: float | None) -> list[Json]:
    return [] if seconds is None else [{"@type": f"{_TYPE}RetryInfo", "retryDelay": f"{round(seconds, 9):g}s"}]
