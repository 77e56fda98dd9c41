"""How Gemini's API lets requests in: where the key stands, and what it says to a bad one and above a limit.

A bad key is a 400 there, none at all a 403, and only a bad bearer token, as Vertex AI takes them, a 401.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, assert_never

from llmposter.wire import gemini_errors
from llmposter.wire.headers import span

if TYPE_CHECKING:
    from llmposter.access import Access, Limited, Rejected, Window
    from llmposter.model import Response
    from llmposter.wire.headers import Headers

_MISSING: Final = (
    "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other "
    "form of API consumer identity to call this API."
)
_EXPIRED: Final = "API key expired. Please renew the API key."
_METRICS: Final = {
    "requests": ("generate_content_free_tier_requests", "GenerateRequestsPer{}PerProjectPerModel-FreeTier"),
    "tokens": (
        "generate_content_free_tier_input_token_count",
        "GenerateContentInputTokensPerModelPer{}-FreeTier",
    ),
}


class GeminiAccess:
    """The one of the Gemini API, and of Vertex AI's Gemini."""

    # google/genai/_api_client.py: a key goes out as `x-goog-api-key`, credentials as a bearer token.
    keys: tuple[str, ...] = ("x-goog-api-key", "?key", "authorization")

    def rejected(self, rejected: Rejected, now: float) -> Response:  # noqa: ARG002 - the protocol's
        if rejected.why == "missing":
            return gemini_errors.answer(403, "PERMISSION_DENIED", _MISSING)
        if rejected.bearer:
            reason = "ACCESS_TOKEN_EXPIRED" if rejected.why in ("expired", "spent") else "ACCESS_TOKEN_TYPE_UNSUPPORTED"
            return gemini_errors.unauthenticated(reason)
        match rejected.why:
            case "expired" | "spent":
                return gemini_errors.bad_key(_EXPIRED)
            case "unknown" | "revoked":
                return gemini_errors.bad_key()
            case _:
                assert_never(rejected.why)

    def limited(self, limited: Limited, model: str, now: float) -> Response:  # noqa: ARG002 - the protocol's
        metric, id_ = _METRICS[limited.what]
        unit = span(limited.per).title().replace(" ", "")
        return gemini_errors.spent(metric, id_.format(unit), limited.most, model, limited.wait)

    def standing(self, windows: tuple[Window, ...], now: float) -> Headers:  # noqa: ARG002 - it has none
        return ()


ACCESS: Final[Access] = GeminiAccess()
