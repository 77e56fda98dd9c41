"""When to come back is told alike by every wire, and what the author writes by hand stands in place of it."""

from __future__ import annotations

from email.utils import parsedate_to_datetime

import pytest

from llmposter.model import Failure
from llmposter.wire import load

WIRES = sorted(load())
MOMENT = 1_000_000_000.25


def told(wire: str, now: float, failure: Failure) -> tuple[str | None, str | None]:
    """`retry-after` and `retry-after-ms`."""
    headers = {name.lower(): value for name, value in load()[wire].failure(failure, now).headers}
    return headers.get("retry-after"), headers.get("retry-after-ms")


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("seconds, later", [(0.0, 1), (0.02, 1), (0.75, 1), (0.76, 2), (30.0, 31), (86400.0, 86401)])
def test_a_date_is_never_too_early(wire: str, seconds: float, later: int) -> None:
    """It is the next whole second after the time, by the server's clock; and no milliseconds stand beside it."""
    date, milliseconds = told(wire, MOMENT, Failure(name="rate_limited", retry_after=seconds, retry_date=True))
    assert (1_000_000_000 + later, None) == (parsedate_to_datetime(date or "").timestamp(), milliseconds)
    assert (date or "").endswith(" GMT")


@pytest.mark.parametrize("wire", WIRES)
def test_a_date_has_an_end(wire: str) -> None:
    """After the year 9999 no other is written."""
    failure = Failure(name="rate_limited", retry_after=86400.0, retry_date=True)
    assert "Fri, 31 Dec 9999 23:59:59 GMT" == told(wire, 253402300799.0, failure)[0]


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize(
    "by_hand, expected",
    [
        ({"Retry-After": "1.7"}, ("1.7", None)),
        ({"retry-after-ms": "-70"}, ("1", "-70")),
        ({"RETRY-AFTER": "soon", "Retry-After-Ms": "70"}, ("soon", "70")),
    ],
)
def test_what_is_written_by_hand_stands_in_place_of_ours(
    wire: str, by_hand: dict[str, str], expected: tuple[str, str | None]
) -> None:
    """Under any case; milliseconds of ours would be read before a `retry-after` of the author's."""
    failure = Failure(name="rate_limited", retry_after=0.02, headers=tuple(by_hand.items()))
    assert expected == told(wire, 0.0, failure)
