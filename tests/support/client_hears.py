"""What each client program hears of a case: the scenario's words as the provider and then the SDK tell them."""

from __future__ import annotations

from typing import Any

from client_cases import CAT, ERRORS, MODELS, PARIS, REPORT, ROME, SAID, USAGE
from clients import Client

Heard = dict[str, Any]

CALLS = {
    "one call": [PARIS], "two parallel calls": [PARIS, ROME], "text then call": [PARIS], "reasoning then call": [PARIS],
}  # fmt: skip

FINISH = {
    "openai": {"": "stop", "call": "tool_calls", "cut short": "length", "filtered": "content_filter"},
    "responses": {"": "completed", "call": "completed", "cut short": "max_output_tokens", "filtered": "content_filter"},
    "anthropic": {
        "": "end_turn", "call": "tool_use", "cut short": "max_tokens", "filtered": "refusal", "refusal": "refusal",
    },
    "gemini": {"": "STOP", "call": "STOP", "cut short": "MAX_TOKENS", "filtered": "SAFETY", "refusal": "SAFETY"},
}  # fmt: skip
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
        "quota_exceeded": (429, "credit_balance_exhausted"),
        "server_error": (500, "server_error"),
        "overloaded": (503, "server_is_overloaded"),
        "timeout": (504, "server_error"),
        "content_filter": (400, "invalid_prompt"),
    },
    "anthropic": {
        "bad_request": (400, "invalid_request_error"),
        "invalid_api_key": (401, "authentication_error"),
        "permission_denied": (403, "permission_error"),
        "not_found": (404, "not_found_error"),
        "context_length_exceeded": (400, "invalid_request_error"),
        "request_too_large": (413, "request_too_large"),
        "rate_limited": (429, "rate_limit_error"),
        "quota_exceeded": (400, "invalid_request_error"),
        "server_error": (500, "api_error"),
        "overloaded": (529, "overloaded_error"),
        "timeout": (504, "timeout_error"),
        "content_filter": (400, "invalid_request_error"),
    },
    "gemini": {
        "bad_request": (400, "INVALID_ARGUMENT"),
        "invalid_api_key": (400, "INVALID_ARGUMENT"),
        "permission_denied": (403, "PERMISSION_DENIED"),
        "not_found": (404, "NOT_FOUND"),
        "context_length_exceeded": (400, "INVALID_ARGUMENT"),
        "request_too_large": (400, "INVALID_ARGUMENT"),
        "rate_limited": (429, "RESOURCE_EXHAUSTED"),
        "quota_exceeded": (429, "RESOURCE_EXHAUSTED"),
        "server_error": (500, "INTERNAL"),
        "overloaded": (503, "UNAVAILABLE"),
        "timeout": (504, "DEADLINE_EXCEEDED"),
        "content_filter": (400, "INVALID_ARGUMENT"),
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
    "anthropic": {
        400: "BadRequestError", 401: "AuthenticationError", 402: "PaymentRequiredError", 403: "PermissionDeniedError",
        404: "NotFoundError", 413: "ContentTooLargeError", 429: "RateLimitError", 500: "InternalServerError",
        504: "GatewayTimeoutError", 529: "OverloadedError",
    },
    "gemini": {
        **dict.fromkeys((400, 403, 404, 429), "ClientError"), **dict.fromkeys((500, 503, 504), "ServerError"),
    },
}  # fmt: skip
RAISED["responses"] = RAISED["openai"]
"""What the provider's SDK raises for a status."""


OLDER = {
    "anthropic": {
        "ContentTooLargeError": "RequestTooLargeError", "PaymentRequiredError": "APIStatusError",
        "GatewayTimeoutError": "InternalServerError",
    },
}  # fmt: skip
"""What the SDKs of majors before the newest raise in place of these."""


def heard(client: Client, api: str, case: str) -> Heard:
    """What a program tells of a case."""
    if case in ERRORS:
        status, code = FAILED[api][case]
        return {"error": _raised(client, api, RAISED[api][status]), "status": status, "code": code}
    told = _answered(api, case)
    if case == "refusal" and api == "anthropic":
        told["text"] = told.pop("refusal")  # a reason to stop
    if case == "refusal" and api == "gemini":
        told["usage"] = [USAGE["input"], 0, USAGE["cached"]]  # the prompt was blocked
    return _by_vercel(api, case, told) if client.program == "vercel.mjs" else told


def beside(client: Client, api: str) -> Heard:
    """What a program tells of what stands beside the conversations."""
    vectors = {"cat": CAT, "lengths": [1.0, 1.0]}
    if client.program == "vercel.mjs":
        return vectors
    match api:
        case "openai":
            return {"models": MODELS, **vectors, "flagged": ["violence"]}
        case "gemini":
            return {"models": [f"models/{name}" for name in MODELS], **vectors, "tokens": True}
        case _:
            return {"models": MODELS, "tokens": True}


def _raised(client: Client, api: str, error: str) -> str:
    match client.program:
        case "vercel.mjs":
            return "APICallError"
        case "google.mjs":
            return "ApiError"
        case "openai.mjs" if error == "APIStatusError":
            return "APIError"
        case _ if client.environment in ("previous", "older"):
            return OLDER.get(api, {}).get(error, error)
        case _:
            return error


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
    """Words of its own for the finish, and a refusal is text."""
    found = {**told, "finish": VERCEL_FINISH.get(case, VERCEL_FINISH["call" if case in CALLS else ""])}
    refusal = found.pop("refusal", None)
    if api == "openai":
        found.pop("thinking", None)
    if refusal is not None and api != "gemini":
        found["text"] = refusal
    return found


VERCEL_FINISH = {
    "": "stop", "call": "tool-calls", "cut short": "length", "filtered": "content-filter", "refusal": "content-filter",
}  # fmt: skip
