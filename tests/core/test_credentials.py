"""Credentials: their uses, their lifetimes, their ends, and the sessions that they belong to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmposter.core import credentials
from llmposter.core.credentials import Credential, Credentials, Issued
from llmposter.core.masking import hidden

GIVEN = (Issued("short", "sk-short", uses=2), Issued("timed", "sk-timed", lifetime=60.0), Issued("free", "sk-free"))


def found(store: Credentials, value: str, now: float = 0.0, session: str = "") -> Credential:
    credential = store.find(value, now, session)
    assert credential is not None
    return credential


@pytest.mark.parametrize(
    "issued, used, now, state",
    [
        (Issued("a", "a"), 10**9, 10.0**9, "good"),
        (Issued("a", "a", uses=2), 1, 0.0, "good"),
        (Issued("a", "a", uses=2), 2, 0.0, "spent"),
        (Issued("a", "a", uses=0), 0, 0.0, "spent"),
        (Issued("a", "a", lifetime=60.0), 5, 1059.9, "good"),
        (Issued("a", "a", lifetime=60.0), 0, 1060.0, "expired"),
        (Issued("a", "a", lifetime=60.0, uses=1), 1, 1060.0, "expired"),
        (Issued("a", "a", lifetime=0.0), 0, 1000.0, "expired"),
    ],
)
def test_a_credential_is_good_until_its_uses_or_its_time_are_over(
    issued: Issued, used: int, now: float, state: str
) -> None:
    """It expires at the end of its lifetime, not after it; time has the word where both are over."""
    credential = Credential.of(issued, 1000.0)
    credential.used = used
    assert state == credential.state(now)


@pytest.mark.parametrize(
    "how, later, uses, state",
    [
        ({}, 0.0, 0, "expired"),
        ({"uses": 2}, 0.0, 1, "good"),
        ({"uses": 2}, 0.0, 2, "spent"),
        ({"seconds": 30.0}, 29.0, 9, "good"),
        ({"seconds": 30.0}, 30.0, 0, "expired"),
    ],
)
def test_a_rule_ends_a_credential_now_after_uses_or_after_a_time(
    how: dict[str, float], later: float, uses: int, state: str
) -> None:
    """Uses and time are counted from then on."""
    credential = Credential.of(Issued("a", "a"), 0.0)
    credential.used = 7
    credential.expire(100.0, **how)  # type: ignore[arg-type]
    credential.used += uses
    assert state == credential.state(100.0 + later)


def test_an_end_is_never_put_off() -> None:
    """Neither by a later end nor by a revocation that came before."""
    credential = Credential.of(Issued("a", "a", uses=1, lifetime=10.0), 0.0)
    credential.expire(0.0, uses=5)
    credential.expire(0.0, seconds=50.0)
    assert (1, 10.0) == (credential.most, credential.until)
    credential.revoke()
    credential.expire(0.0)
    assert "revoked" == credential.state(0.0)


def test_each_session_has_counts_of_its_own() -> None:
    """What one session uses up is good in another, and in the first again once that was reset."""
    store = Credentials(GIVEN, 0.0)
    found(store, "sk-short", session="a").used = 2
    states = [found(store, "sk-short", session=name).state(0.0) for name in ("a", "b", "")]
    assert ["spent", "good", "good"] == states
    store.reset(0.0, "a")
    assert "good" == found(store, "sk-short", session="a").state(0.0)


def test_a_lifetime_begins_with_its_session() -> None:
    """The session without a name begins with the server, and anew where it is reset; any other when first asked."""
    store = Credentials(GIVEN, 1000.0)
    assert "expired" == found(store, "sk-timed", 1060.0).state(1060.0)
    assert "good" == found(store, "sk-timed", 1060.0, "a").state(1060.0)
    assert 1060.0 == found(store, "sk-timed", 1070.0, "a").since
    store.reset(1080.0, "")
    assert 1080.0 == found(store, "sk-timed", 1090.0).since
    store.reset(1100.0)
    assert (1100.0, 1120.0) == (found(store, "sk-timed", 1120.0).since, found(store, "sk-timed", 1120.0, "a").since)


def test_what_is_issued_for_all_sessions_is_one_credential() -> None:
    """Its uses are counted together, and it is forgotten when all are reset, not when one is."""
    store = Credentials(on=True)
    made = store.issue(Issued("oauth", "at-1", grant=1), 0.0)
    assert made is found(store, "at-1", session="a") is found(store, "at-1", session="b")
    store.reset(0.0, "a")
    assert made is found(store, "at-1", session="a")
    store.reset(0.0)
    assert store.find("at-1", 0.0, "a") is None


def test_what_is_issued_in_a_session_is_good_there_only() -> None:
    """And stands before one of the same value that is good in all."""
    store = Credentials(on=True)
    everywhere, here = store.issue(Issued("x", "v"), 0.0), store.issue(Issued("y", "v"), 0.0, "a")
    assert (here, everywhere) == (found(store, "v", session="a"), found(store, "v", session="b"))


def test_issuing_a_value_again_begins_it_anew() -> None:
    """Whatever became of it before."""
    store = Credentials(GIVEN, 0.0)
    found(store, "sk-free").revoke()
    store.issue(Issued("free", "sk-free"), 5.0, "")
    assert "good" == found(store, "sk-free").state(5.0)
    assert 3 == len(store.listed(5.0, ""))


@given(st.text(), st.text())
def test_a_value_is_found_by_all_of_itself(value: str, other: str) -> None:
    """Nothing but the very same text finds a credential."""
    store = Credentials((Issued("a", value),), 0.0)
    assert (store.find(other, 0.0) is not None) == (other == value)


@given(st.text(st.characters(exclude_characters=" ")))
def test_a_list_shows_no_secret(value: str) -> None:
    """At most three characters of a long one, nothing of a short one."""
    (row,) = Credentials((Issued("a", value),), 0.0).listed(0.0)
    assert hidden(value) == row["value"]
    assert len(row["value"]) <= 4
    assert len(value) > 8 or row["value"] == "…"


def test_a_list_tells_what_became_of_each() -> None:
    """Of one session with what is good in all; for none, of every session that there is."""
    store = Credentials(GIVEN[:1], 10.0)
    found(store, "sk-short", 10.0, "a").used = 2
    store.issue(Issued("oauth", "at-00000001", lifetime=5.0, grant=1), 11.0)
    own = {"name": "short", "value": "…", "most": 2, "until": None, "grant": None, "since": 10.0}
    shared = {"name": "oauth", "value": "at-…", "most": None, "until": 16.0, "grant": 1, "since": 11.0}
    a = {**own, "session": "a", "state": "spent", "uses": 2}
    default = {**own, "session": "", "state": "good", "uses": 0}
    everywhere = {**shared, "session": None, "uses": 0}
    assert [a, {**everywhere, "state": "expired"}] == store.listed(16.0, "a")
    assert [default, a, {**everywhere, "state": "good"}] == store.listed(12.0)


def test_those_of_a_name_are_found_in_one_session_or_in_all() -> None:
    """So that a test can end them without knowing their values."""
    store = Credentials(GIVEN, 0.0)
    found(store, "sk-free", session="a")
    assert 1 == len(store.named("free", 0.0, "a"))
    assert 2 == len(store.named("free", 0.0))
    assert [] == store.named("nobody", 0.0)


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of too many credentials the oldest goes, of too many sessions the one that was asked longest ago."""
    monkeypatch.setattr(credentials, "MOST_ISSUED", 3)
    monkeypatch.setattr(credentials, "MOST_SESSIONS", 2)
    store = Credentials(on=True)
    for number in range(5):
        store.issue(Issued("oauth", f"at-{number}"), 0.0)
    assert [None, None, 2, 3, 4] == [None if store.find(f"at-{n}", 0.0) is None else n for n in range(5)]
    store = Credentials(GIVEN, 0.0)
    for session in ("a", "b", "", "c"):
        found(store, "sk-short", session=session).used += 1
    assert [1, 1, 0] == [found(store, "sk-short", session=name).used for name in ("c", "", "b")]


@pytest.mark.parametrize("given_, on, wanted", [((), False, False), ((), True, True), (GIVEN, False, True)])
def test_requests_need_a_credential_only_where_somebody_asks_for_one(
    given_: tuple[Issued, ...], on: bool, wanted: bool
) -> None:
    """Without tokens and without OAuth any key is as good as none."""
    assert wanted == Credentials(given_, on=on).on
