"""When to come back: what is written into a head, and what is read in it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmposter.model import Failure
from llmposter.wire.headers import comes_back, told

NOW = 1_767_225_600.0
"""2026-01-01T00:00:00Z."""


@pytest.mark.parametrize(
    "headers, expected",
    [
        ({}, None),
        ({"Retry-After": "7"}, 7.0),
        ({"retry-after": "1.7"}, 1.7),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": "-7"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "1e999"}, None),
        ({"retry-after": "Thu, 01 Jan 2026 00:00:30 GMT"}, 30.0),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, None),
        ({"retry-after": "Thu, 01 Jan 99999 00:00:30 GMT"}, None),
        ({"retry-after-ms": "70", "retry-after": "7"}, 0.07),
        ({"retry-after-ms": "-70", "retry-after": "7"}, 7.0),
        ({"x-retry-after": "7"}, None),
    ],
)
def test_what_a_head_tells(headers: dict[str, str], expected: float | None) -> None:
    """Milliseconds before seconds, numbers and dates, and nothing where it says no time to come."""
    assert expected == told(headers.items(), NOW)


@given(st.floats(0, 10**8), st.booleans())
def test_what_is_written_is_read(seconds: float, date: bool) -> None:
    """What a failure tells is read again, rounded up to what its form can say."""
    read = told(comes_back(Failure(retry_after=seconds, retry_date=date), NOW), NOW)
    assert read is not None
    assert -1e-6 <= read - seconds <= 1
