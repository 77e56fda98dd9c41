"""Headers of requests and answers, as all providers need them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from llmposter.model import Failure, Request

Headers: TypeAlias = tuple[tuple[str, str], ...]

JSON: Final = "application/json"
LAST_SECOND: Final = 253402300799
"""Of the year 9999, after which no date is written."""


def merged(ours: Headers, given: Headers) -> Headers:
    """Our headers and the author's; his stand in place of ours of the same name, whatever its case."""
    if not given:
        return ours
    names = {name.lower() for name, _ in given}
    if "retry-after" in names:
        names.add("retry-after-ms")  # it says the same, and clients that read it would not look at the author's
    return (*(header for header in ours if header[0] not in names), *given)


def span(seconds: float, words: Mapping[str, str] = MappingProxyType({})) -> str:
    """A length of time as a limit is told by: ``minute``, ``10 seconds``; *words* has others for the units."""
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1)):
        if seconds and seconds % length == 0:
            count = int(seconds // length)
            return words.get(unit, unit) if count == 1 else f"{count} {unit}s"
    return f"{seconds:g} seconds"


def retries(request: Request) -> int | None:
    """How often the SDK says that it has tried before; those of OpenAI and Anthropic do."""
    count = request.headers.get("x-stainless-retry-count")
    return int(count) if count and count.isascii() and count.isdigit() and len(count) < 10 else None


def rounded_up(value: float) -> int:
    """The next whole number, but for what floating point itself put on top: 0.07 s is 70 ms."""
    return math.ceil(round(value, 6))


def comes_back(failed: Failure, now: float) -> Headers:
    """When a client may try again, as a rule has it told."""
    if failed.retry_date and failed.retry_after is not None:
        return (("retry-after", date(now + failed.retry_after)),)
    return retry_after(failed.retry_after)


def date(seconds: float) -> str:
    """A Unix time as HTTP writes it (RFC 9110, section 5.6.7), rounded up, so that nobody comes back too early."""
    from email.utils import formatdate

    return formatdate(min(max(rounded_up(seconds), 0), LAST_SECOND), usegmt=True)


def retry_after(seconds: float | None) -> Headers:
    """When to come back, in whole seconds (RFC 9110, section 10.2.3), below one second in milliseconds too."""
    if seconds is None:
        return ()
    whole = (("retry-after", str(rounded_up(seconds))),)
    return (*whole, ("retry-after-ms", str(rounded_up(seconds * 1000)))) if seconds < 1 else whole


def told(headers: Iterable[tuple[str, str]], now: float) -> float | None:
    """In how many seconds the headers of an error tell a client to come back; None where they tell nothing.

    As SDKs read them: `retry-after-ms` before `retry-after`, and that as a number or as a date that is not past.
    """
    said = {name.lower(): value.strip() for name, value in headers if name.lower().startswith("retry-after")}
    if (milliseconds := _number(said.get("retry-after-ms", ""))) is not None:
        return milliseconds / 1000
    text = said.get("retry-after", "")
    return seconds if (seconds := _number(text)) is not None else _until(text, now)


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 else None


def _until(text: str, now: float) -> float | None:
    from email.utils import parsedate_to_datetime

    try:
        left = parsedate_to_datetime(text).timestamp() - now
    except (ValueError, OverflowError):
        return None
    return left if left >= 0 else None
