"""Rate limits: what comes back and when, whose use is counted, and what who is above one is told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmposter.access import Limited, Window
from llmposter.core import rates
from llmposter.core.rates import Rates
from llmposter_dsl.program import Limit

ME = ("", "")
THREE = Limit("requests", 3, 60.0)
THOUSAND = Limit("tokens", 1000, 60.0)


def test_requests_come_back_one_by_one() -> None:
    """Three at once, then one every twenty seconds; who asks too early is told how long exactly."""
    limits = Rates([THREE])
    assert [None, None, None] == [limits.ask(ME, 5, 0.0) for _ in range(3)]
    refused = limits.ask(ME, 5, 5.0)
    assert refused is not None
    assert ("requests", 3, 60.0, 3, 1, 15.0) == tuple(getattr(refused, f) for f in Limited.__struct_fields__[:6])
    assert limits.ask(ME, 5, 19.999) is not None
    assert limits.ask(ME, 5, 20.0) is None
    assert limits.ask(ME, 5, 20.0) is not None
    assert [None, None, None] == [limits.ask(ME, 5, 1000.0) for _ in range(3)]


def test_tokens_are_those_of_the_request_and_of_its_answer() -> None:
    """An answer is counted once it is made, and may leave less than nothing."""
    limits = Rates([THOUSAND])
    assert limits.ask(ME, 100, 0.0) is None
    limits.spend(ME, 1500, 0.0)
    refused = limits.ask(ME, 100, 0.0)
    assert refused is not None
    assert (1600, 100, 42.0) == (refused.used, refused.asked, refused.wait)
    assert limits.ask(ME, 100, 42.0) is None


def test_what_a_request_turned_out_not_to_have_comes_back() -> None:
    """Usage that the scenario gives counts, where it is less than the estimate too; never above the limit."""
    limits = Rates([THOUSAND])
    limits.ask(ME, 600, 0.0)
    limits.spend(ME, -500, 0.0)
    assert (Window("tokens", 1000, 60.0, 900, 6.0),) == limits.windows(ME, 0.0)
    limits.spend(ME, -500, 0.0)
    assert (Window("tokens", 1000, 60.0, 1000, 0.0),) == limits.windows(ME, 0.0)


def test_a_request_larger_than_the_limit_is_never_let_in() -> None:
    """No time helps, and none is told."""
    refused = Rates([THREE, THOUSAND]).ask(ME, 1001, 0.0)
    assert refused is not None
    assert ("tokens", 1001, None) == (refused.what, refused.asked, refused.wait)


def test_who_is_refused_uses_nothing() -> None:
    """Neither of the limit that is full nor of the others."""
    limits = Rates([THREE, THOUSAND])
    assert limits.ask(ME, 900, 0.0) is None
    for _ in range(10):
        assert limits.ask(ME, 200, 0.0) is not None
    assert [2, 100] == [window.left for window in limits.windows(ME, 0.0)]


def test_the_longest_wait_is_told() -> None:
    """So that who waits as long is let in."""
    limits = Rates([Limit("requests", 1, 10.0), Limit("requests", 1, 60.0)])
    assert limits.ask(ME, None, 0.0) is None
    refused = limits.ask(ME, None, 0.0)
    assert refused is not None
    assert (60.0, 60.0) == (refused.per, refused.wait)
    assert limits.ask(ME, None, 60.0) is None


def test_of_two_limits_of_a_kind_the_tighter_is_told() -> None:
    """What is left where the least is left, and when all of that is back."""
    limits = Rates([Limit("requests", 10, 1.0), Limit("requests", 12, 60.0), Limit("tokens", 5, 1.0)])
    limits.ask(ME, 1, 0.0)
    assert (Window("requests", 10, 1.0, 9, 0.1), Window("tokens", 5, 1.0, 4, 0.2)) == limits.windows(ME, 0.0)
    limits.ask(ME, 1, 1.0)
    limits.ask(ME, 1, 2.0)
    assert 9 == limits.windows(ME, 2.0)[0].left


def test_each_owner_has_limits_of_its_own() -> None:
    """Another session and another credential are not in the way, and a reset is of one session."""
    limits = Rates([Limit("requests", 1, 60.0)])
    owners = [("", ""), ("a", ""), ("a", "short")]
    assert [None, None, None] == [limits.ask(owner, None, 0.0) for owner in owners]
    limits.reset("a")
    assert [False, True, True] == [limits.ask(owner, None, 0.0) is None for owner in owners]
    limits.reset()
    assert [None, None, None] == [limits.ask(owner, None, 0.0) for owner in owners]


def test_owners_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of too many, who asked longest ago begins anew."""
    monkeypatch.setattr(rates, "MOST_OWNERS", 2)
    limits = Rates([Limit("requests", 1, 60.0)])
    for name in ("a", "b", "a", "c"):
        limits.ask((name, ""), None, 0.0)
    assert [False, False, True] == [limits.ask((name, ""), None, 0.0) is None for name in ("a", "c", "b")]


@given(
    st.lists(st.tuples(st.integers(0, 300), st.floats(0, 30), st.integers(-50, 300)), max_size=30),
    st.integers(1, 200),
    st.floats(0.1, 100),
)
def test_who_waits_as_long_as_told_is_let_in(asked: list[tuple[int, float, int]], most: int, per: float) -> None:
    """Whatever was used before, and no sooner than that, but for a thousandth."""
    limits, now = Rates([Limit("tokens", most, per)]), 0.0
    for tokens, later, more in asked:
        now += later
        refused = limits.ask(ME, tokens, now)
        if refused is None:
            limits.spend(ME, more, now)
            continue
        if refused.wait is None:
            assert tokens > most
            continue
        assert limits.ask(ME, tokens, now + refused.wait * 0.999 - 0.001) is not None
        now += refused.wait
        assert limits.ask(ME, tokens, now) is None
