"""The small forms of delivery: durations, delays, chunks, paces. A text that is none of them gives None.

Numbers are bounded here, so that nothing later waits for ever or runs out of range.
"""

from __future__ import annotations

import re
from typing import Final, Literal, cast

from llmposter_dsl.program import Chunk, Duration, Latency, Pace

LONGEST: Final = 366 * 86400.0
"""Seconds that a duration may last: a leap year."""

_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_NUMBER: Final = r"[0-9]{1,12}(?:\.[0-9]{1,12})?"
_TIME: Final = rf"{_NUMBER}(?:ms|s|m|h|d)"
DURATION: Final = re.compile(rf"({_NUMBER})(ms|s|m|h|d)")
_AS_DATE: Final = re.compile(r"\s+as\s+date$")
LATENCY: Final = re.compile(
    rf"""(?P<fixed>{_TIME})(?:\s*(?:±|\+-|\+/-)\s*(?P<percent>{_NUMBER})\s*%)?
    |(?P<kind>uniform|normal|lognormal)\s*\(\s*(?P<a>{_TIME})\s*,\s*(?P<b>{_NUMBER}(?:ms|s|m|h|d)?)
     (?:\s*,\s*max\s+(?P<most>{_TIME}))?\s*\)""",
    re.VERBOSE,
)
CHUNK: Final = re.compile(r"([0-9]{1,7})\s+(character|token|word)s?")
RATE: Final = re.compile(rf"({_NUMBER})\s*(token|word|character)s?\s*/\s*s")
JITTER: Final = re.compile(rf"(?:±|\+-|\+/-)\s*({_NUMBER})\s*%")

LATENCY_FORMS: Final = (
    'write `"800ms"`, `"800ms ±20%"`, `"uniform(200ms, 2s)"`, '
    '`"normal(800ms, 100ms)"` or `"lognormal(800ms, 0.4, max 5s)"`'
)
CHUNK_FORMS: Final = 'write `"20 characters"`, `"4 tokens"`, `"2 words"` or `"whole"`'
PACE_FORMS: Final = (
    'write `"50 tokens/s"`, `"2 words/s"` or `"200 characters/s"`, or `"40ms"`, the time from one chunk to the next'
)
JITTER_FORMS: Final = 'write `"±20%"`'
DURATION_FORMS: Final = "write a number and a unit: ms, s, m, h or d"
RETRY_FORMS: Final = f'{DURATION_FORMS}; or `"30s as date"`'


def duration(text: str) -> Duration | None:
    """``250ms``, ``2s``, ``1.5m`` as seconds; at most a leap year."""
    found = DURATION.fullmatch(text.strip())
    if found is None:
        return None
    # In milliseconds first: 20ms is 0.02 and not 0.02 with a tail.
    number = float(found[1])
    seconds = number / 1000 if found[2] == "ms" else number * _UNITS[found[2]]
    return Duration(seconds) if seconds <= LONGEST else None


def retry_after(text: str) -> tuple[Duration, bool] | None:
    """``2s``, or ``2s as date``; and whether it is told as a date."""
    written = _AS_DATE.sub("", text.strip())
    found = duration(written)
    return None if found is None else (found, written != text.strip())


def latency(text: str) -> Latency | str:
    """One of the forms of `latency`; or what is wrong with it, in a sentence without its subject."""
    found = LATENCY.fullmatch(text.strip())
    if found is None:
        return "is no delay"
    if found["fixed"] is not None:
        return _around(found["fixed"], found["percent"])
    return _drawn(found["kind"], found["a"], found["b"], found["most"])


def _around(middle: str, percent: str | None) -> Latency | str:
    seconds = duration(middle)
    if seconds is None:
        return "is longer than a year"
    if percent is None:
        return Latency("fixed", float(seconds))
    share = float(percent) / 100
    if share > 1:
        return "varies by more than 100%"
    return Latency("uniform", round(seconds * (1 - share), 9), round(seconds * (1 + share), 9))


def _drawn(kind: str, a: str, b: str, most: str | None) -> Latency | str:
    first, last = duration(a), None if most is None else duration(most)
    if first is None or (most is not None and last is None):
        return "is longer than a year"
    if kind == "lognormal":
        if not b[-1].isdigit() or float(b) > 10:
            return "takes a spread between 0 and 10, without a unit"
        return Latency("lognormal", float(first), float(b), last)
    second = duration(b)
    if second is None:
        return "takes two durations"
    if kind == "uniform" and second < first:
        return "ends before it begins"
    return Latency("uniform" if kind == "uniform" else "normal", float(first), float(second), last)


def chunk(text: str) -> Chunk | None:
    """``20 characters``, ``1 word``, ``whole``."""
    text = text.strip()
    if text == "whole":
        return Chunk(1, "whole")
    found = CHUNK.fullmatch(text)
    if found is None or int(found[1]) < 1:
        return None
    unit = found[2]
    return Chunk(int(found[1]), "characters" if unit == "character" else "tokens" if unit == "token" else "words")


def pace(text: str) -> Pace | str:
    """``50 tokens/s``, ``2 words/s`` or ``40ms`` a chunk; or what is wrong with it, a sentence without its subject."""
    text = text.strip()
    gap = duration(text)
    if gap is not None:
        return Pace(float(gap), "chunk")
    found = RATE.fullmatch(text)
    if found is None:
        return "is longer than a year" if DURATION.fullmatch(text) else "is no pace"
    rate = float(found[1])
    # Slower than one a year is no pace; zero would stand still.
    if rate * LONGEST < 1:
        return "says nothing within a year" if rate else "stands still"
    return Pace(1 / rate, cast("Literal['token', 'word', 'character']", found[2]))


def jitter(text: str) -> float | str:
    """``±20%`` as a share; or what is wrong with it, in a sentence without its subject."""
    found = JITTER.fullmatch(text.strip())
    if found is None:
        return "is no jitter"
    share = float(found[1]) / 100
    return share if share <= 1 else "varies by more than 100%"
