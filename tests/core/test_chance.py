"""Chance is drawn by hash: it repeats where it must, and differs where it must."""

from __future__ import annotations

from statistics import mean, median
from uuid import UUID

import pytest
from msgspec.structs import replace

from llmposter.core.chance import Chance
from llmposter.core.conversation import Moment
from llmposter_dsl.program import Latency

BASE = Moment(5.0, attempt=1, session="s", number=0, fingerprint="ab", conversation="c1")


def test_the_same_place_draws_the_same() -> None:
    """Time, the conversation's id and a replay change no draw."""
    drawn = Chance(1, BASE).unit("here")
    same = replace(BASE, now=99.0, conversation="c2", replayed=True)
    assert drawn == Chance(1, BASE).unit("here") == Chance(1, same).unit("here")


@pytest.mark.parametrize(
    "seed, moment, place",
    [
        (2, BASE, "here"),
        (1, BASE, "there"),
        (1, replace(BASE, attempt=2), "here"),
        (1, replace(BASE, number=1), "here"),
        (1, replace(BASE, session="t"), "here"),
        (1, replace(BASE, fingerprint="ac"), "here"),
    ],
)
def test_everything_else_draws_anew(seed: int, moment: Moment, place: str) -> None:
    """Another seed, session, history, attempt, number or place in the file gives another draw, id and UUID."""
    here, there = Chance(1, BASE), Chance(seed, moment)
    assert here.unit("here") != there.unit(place)
    assert here.name("here") != there.name(place)
    assert here.uuid("here") != there.uuid(place)


def test_ids_of_two_scenarios_differ() -> None:
    """Two scenarios on one server, asked the same with the same seed, give out different ids but equal draws."""
    one, two = Chance(0, BASE, "one"), Chance(0, BASE, "two")
    assert one.name("reply") != two.name("reply")
    assert one.unit("x") == two.unit("x")


def test_ids_and_uuids_are_well_formed() -> None:
    """An id is 24 ASCII letters and digits; a UUID is of version 4."""
    names = {Chance(0, replace(BASE, number=n)).name("reply") for n in range(1000)}
    assert len(names) == 1000
    assert all(len(name) == 24 and name.isascii() and name.isalnum() for name in names)
    assert UUID(Chance(0, BASE).uuid("x")).version == 4


def draws(latency: Latency, count: int = 2000) -> list[float]:
    return [Chance(0, replace(BASE, number=n)).seconds(latency, "latency") for n in range(count)]


def test_no_latency_is_none() -> None:
    """Without a latency there is nothing to wait for."""
    assert Chance(0, BASE).seconds(None, "latency") == 0.0


def test_fixed_latency() -> None:
    """A fixed delay is what it says."""
    assert {0.8} == set(draws(Latency("fixed", 0.8)))


def test_uniform_latency() -> None:
    """A uniform delay stays between its bounds and fills them."""
    found = draws(Latency("uniform", 0.2, 2.0))
    assert min(found) >= 0.2
    assert max(found) < 2.0
    assert mean(found) == pytest.approx(1.1, abs=0.05)


def test_normal_latency() -> None:
    """A normal delay has its mean, and is never negative."""
    assert mean(draws(Latency("normal", 0.8, 0.1))) == pytest.approx(0.8, abs=0.02)
    assert min(draws(Latency("normal", 0.1, 5.0))) == 0.0


def test_lognormal_latency() -> None:
    """A log-normal delay has its median, and ends at its most."""
    found = draws(Latency("lognormal", 0.8, 0.4, most=1.5))
    assert median(found) == pytest.approx(0.8, abs=0.05)
    assert max(found) == 1.5
    assert all(value >= 0 for value in draws(Latency("lognormal", 1.0, 1e6, most=3.0)))


def test_draws_are_even() -> None:
    """A probability is met: of many conversations, that share."""
    hits = sum(Chance(0, replace(BASE, number=n)).unit("x") < 0.3 for n in range(5000))
    assert hits == pytest.approx(1500, abs=120)
