"""What each client program hears of a case: the scenario's words as the provider and then the SDK tell them."""

from __future__ import annotations

from typing import Any

from client_cases import ERRORS, PARIS, REPORT, ROME, SAID, USAGE

Heard = dict[str, Any]

CALLS = {
    "one call": [PARIS], "two parallel calls": [PARIS, ROME], "text then call": [PARIS], "reasoning then call": [PARIS],
}  # fmt: skip

FINISH = {
    "openai": {"": "stop", "call": "tool_calls", "cut short": "length", "filtered": "content_filter"},
    "responses": {"": "completed", "call": "completed", "cut short": "max_output_tokens", "filtered": "content_filter"},
}
"""How a provider says why an answer ended: one that says something, one that calls, and those of two cases."""

FAILED = {
    "openai": {
        "bad_request": (400, "invalid_request_error"),
        "invalid_api_key": (401, "invalid_api_key"),
        "permission_denied": (403, "model_not_found"),
        "not_found": (404, "model_not_found"),
        "context_length_exceeded": (400, "context_length_exceeded"),
        "request_too_large": (413, "invalid_request_error"),
        "rate_limited": (429, "rate_limit_exceeded"),
        "quota_exceeded": (429, "insufficient_quota"),
        "server_error": (500, "server_error"),
        "overloaded": (503, "server_error"),
        "timeout": (504, "server_error"),
        "content_filter": (400, "invalid_prompt"),
    },
}
FAILED["responses"] = FAILED["openai"]
"""Status and code, or type where there is no code, of each error."""

RAISED = {
    "openai": {
        400: "BadRequestError", 401: "AuthenticationError", 403: "PermissionDeniedError", 404: "NotFoundError",
        413: "APIStatusError", 429: "RateLimitError", 500: "InternalServerError", 503: "InternalServerError",
        504: "InternalServerError",
    },
}  # fmt: skip
RAISED["responses"] = RAISED["openai"]
"""What the provider's SDK raises for a status."""


def heard(program: str, api: str, case: str) -> Heard:
    """What a program tells of a case."""
    told = _failed(api, case) if case in ERRORS else _answered(api, case)
    match program:
        case "vercel.mjs":
            return _by_vercel(api, case, told)
        case "openai.mjs" if told.get("error") == "APIStatusError":
            return {**told, "error": "APIError"}
        case _:
            return told


def _failed(api: str, case: str) -> Heard:
    status, code = FAILED[api][case]
    return {"error": RAISED[api][status], "status": status, "code": code}


def _answered(api: str, case: str) -> Heard:
    rule, calls = SAID[case], CALLS.get(case, [])
    finish = FINISH[api].get(case, FINISH[api]["call" if calls else ""])
    told = {
        "text": REPORT if "json" in rule else rule.get("reply"),
        "thinking": rule.get("think"),
        "calls": calls,
        "refusal": rule.get("refuse"),
        "usage": [USAGE["input"], USAGE["output"], USAGE["cached"]],
    }
    return {"finish": finish, **{name: value for name, value in told.items() if value}}


def _by_vercel(api: str, case: str, told: Heard) -> Heard:
    """One class for all errors, words of its own for the finish, and a refusal is text."""
    if "error" in told:
        return {**told, "error": "APICallError"}
    found = {**told, "finish": VERCEL_FINISH.get(case, VERCEL_FINISH["call" if case in CALLS else ""])}
    if api == "openai":
        found.pop("thinking", None)
    if "refusal" in found:
        found["text"] = found.pop("refusal")
    return found


VERCEL_FINISH = {
    "": "stop", "call": "tool-calls", "cut short": "length", "filtered": "content-filter", "refusal": "content-filter",
}  # fmt: skip
