"""How OpenAI's API lets requests in: where the key stands, and what it says to a bad one and above a limit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, assert_never

from llmposter.model import Failure
from llmposter.wire import openai_errors
from llmposter.wire.headers import merged, span
from llmposter.wire.openai_headers import reset, untouched

if TYPE_CHECKING:
    from llmposter.access import Access, Limited, Rejected, Window
    from llmposter.model import Response
    from llmposter.wire.headers import Headers

_HELP: Final = "https://platform.openai.com"
_MISSING: Final = (
    "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth "
    "(i.e. Authorization: Bearer YOUR_KEY), or as the password field (with blank username) if you're accessing the API "
    "from your browser and are prompted for a username and password. You can obtain an API key from "
    f"{_HELP}/account/api-keys."
)
_EXPIRED: Final = "Provided authentication token is expired. Please try signing in again."
_INVALID: Final = f"You can find your API key at {_HELP}/account/api-keys."
_SHORT: Final = {"min": "M", "hour": "H", "day": "D", "sec": "S"}


class OpenAIAccess:
    """Of all its formats."""

    # Azure OpenAI has a header of its own (openai/lib/azure.py).
    keys: tuple[str, ...] = ("authorization", "api-key")

    def rejected(self, rejected: Rejected, now: float) -> Response:
        match rejected.why:
            case "missing":
                # The one of the three that has no code.
                bad = openai_errors.body(_MISSING, openai_errors.INVALID, None, None)
                return openai_errors.told(401, bad, now)
            case "expired" | "spent":
                failed = Failure("invalid_api_key", code="token_expired", message=_EXPIRED)
            case "unknown" | "revoked":
                stars = f"{rejected.shown.removesuffix('…')}********"
                failed = Failure("invalid_api_key", message=f"Incorrect API key provided: {stars}. {_INVALID}")
            case _:
                assert_never(rejected.why)
        return openai_errors.failure(failed, now)

    def limited(self, limited: Limited, model: str, now: float) -> Response:
        what, unit = limited.what, span(limited.per, {"minute": "min", "second": "sec"})
        short = f" ({what[0].upper()}P{_SHORT[unit]})" if unit in _SHORT else ""
        where = f"{f' for {model}' if model else ''} in organization org-llmposter on {what} per {unit}{short}"
        if limited.wait is None:
            said = f"Request too large{where}: Limit {limited.most}, Requested {limited.asked}. The input or output "
            said += "tokens must be reduced in order to run successfully."
        else:
            said = f"Rate limit reached{where}: Limit {limited.most}, Used {limited.used}, Requested {limited.asked}. "
            said += f"Please try again in {reset(limited.wait)}."
        message = f"{said} Visit {_HELP}/account/rate-limits to learn more."
        headers = merged(untouched(), self.standing(limited.windows, now))
        failed = Failure("rate_limited", type=what, message=message, retry_after=limited.wait, headers=headers)
        return openai_errors.failure(failed, now)

    def standing(self, windows: tuple[Window, ...], now: float) -> Headers:  # noqa: ARG002 - the protocol's
        told: list[tuple[str, str]] = []
        for each in windows:
            told += (
                (f"x-ratelimit-limit-{each.what}", str(each.most)),
                (f"x-ratelimit-remaining-{each.what}", str(each.left)),
                (f"x-ratelimit-reset-{each.what}", reset(each.reset)),
            )
        return tuple(told)


ACCESS: Final[Access] = OpenAIAccess()
