"""Random walks through grants, time and ends: what holds after each step, whatever came before."""

from __future__ import annotations

import os
from base64 import b64encode
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from hypothesis import given, settings
from hypothesis import strategies as st

from llmposter.core.clock import ManualClock
from llmposter.core.credentials import Credentials
from llmposter.oauth.answering import beside
from llmposter.oauth.asked import Answer, Asked
from llmposter.oauth.ids import Ids
from llmposter.oauth.provider import Provider
from llmposter_dsl.companion import OAuth, TokenAnswer
from llmposter_dsl.program import TokenEnd
from oauth import CALLBACK, CHALLENGE, SECRET, VERIFIER

MANY = 2_000 if os.environ.get("LLMPOSTER_SOAK") else 40
ISSUER = "http://localhost"
BASIC = {"Authorization": f"Basic {b64encode(':'.join(SECRET).encode()).decode()}"}


class Walk:
    """A provider without sockets, and what its client holds."""

    def __init__(self, **said: Any) -> None:
        self.clock = ManualClock(1e9)
        self.credentials = Credentials(on=True)
        self.provider = Provider(OAuth(**said), self.clock, self.credentials, Ids("walk"))
        self.access: list[str] = []
        self.refreshes: list[str] = []
        self.codes: list[str] = []

    def asked(self, method: str = "POST", headers: dict[str, str] | None = None, **fields: str) -> Asked:
        return Asked(method, ISSUER, BASIC if headers is None else headers, urlencode(fields))

    def ask(self, **fields: str) -> Answer:
        answer = self.provider.token(self.asked(**fields), TokenAnswer())
        if answer.status == 200:
            assert answer.body is not None
            self.access.append(answer.body["access_token"])
            self.refreshes += [answer.body["refresh_token"]] if "refresh_token" in answer.body else []
        return answer

    def consent(self, _: int) -> None:
        found = self.provider.authorize(
            self.asked("GET", response_type="code", client_id=SECRET[0], redirect_uri=CALLBACK,
                       code_challenge=CHALLENGE, code_challenge_method="S256")
        )  # fmt: skip
        assert isinstance(found, Answer)
        self.codes.append(dict(parse_qsl(urlsplit(str(found.location)).query))["code"])

    def redeem(self, which: int) -> None:
        if self.codes:
            code = self.codes[which % len(self.codes)]
            self.ask(grant_type="authorization_code", code=code, redirect_uri=CALLBACK, code_verifier=VERIFIER)

    def refresh(self, which: int) -> None:
        if self.refreshes:
            self.ask(grant_type="refresh_token", refresh_token=self.refreshes[which % len(self.refreshes)])

    def revoke(self, which: int) -> None:
        if held := self.access + self.refreshes:
            beside(self.provider, "/revoke", self.asked(token=held[which % len(held)]))

    def expire(self, which: int) -> None:
        """As a rule of a scenario does."""
        if self.access:
            self.credentials.end(self.access[which % len(self.access)], TokenEnd("expire"), self.clock.now())

    def advance(self, seconds: int) -> None:
        self.clock.advance(seconds * 7)

    def alone(self, _: int) -> None:
        self.ask(grant_type="client_credentials")

    def reset(self, _: int) -> None:
        self.provider.reset()

    def introspected(self, token: str) -> bool:
        told = beside(self.provider, "/introspect", self.asked(token=token)).body
        assert told is not None
        return bool(told["active"])

    def let_in(self, token: str) -> bool:
        found = self.credentials.find(token, self.clock.now())
        return found is not None and found.state(self.clock.now()) == "good"

    def known(self, token: str) -> bool:
        """To userinfo, which says `insufficient_scope` of a good one of a client that speaks for itself."""
        headers = {"Authorization": f"Bearer {token}"}
        return beside(self.provider, "/userinfo", self.asked("GET", headers)).status in (200, 403)


STEPS = [Walk.consent, Walk.redeem, Walk.refresh, Walk.refresh, Walk.revoke, Walk.expire, Walk.advance, Walk.alone,
         Walk.reset]  # fmt: skip
WALKS = st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 20)), max_size=15)


@settings(deadline=None, max_examples=MANY)
@given(WALKS, st.sampled_from(["rotate", "keep"]))
def test_a_token_is_good_everywhere_or_nowhere(steps: list[tuple[Any, int]], refresh: str) -> None:
    """Introspection, userinfo and the endpoints of providers always agree; a refresh token is never let in."""
    walk = Walk(access_lifetime=60.0, refresh_lifetime=200.0, code_lifetime=90.0, refresh=refresh)
    for step, number in steps:
        step(walk, number)
        for token in walk.access:
            good = walk.let_in(token)
            assert [good, good] == [walk.introspected(token), walk.known(token)]
        for token in walk.refreshes:
            assert [False, False] == [walk.let_in(token), walk.known(token)]


@settings(deadline=None, max_examples=MANY)
@given(WALKS)
def test_no_token_comes_twice_and_one_of_a_consent_is_alive(steps: list[tuple[Any, int]]) -> None:
    """Every grant gives another token, and with rotation a consent has at most one refresh token that is good."""
    walk = Walk(access_lifetime=60.0, refresh_lifetime=200.0, code_lifetime=90.0)
    for step, number in steps:
        step(walk, number)
        now = walk.clock.now()
        alive = [each.line.number for each in walk.provider.store.refreshes.values() if each.alive(now)]
        assert len(alive) == len(set(alive))
    assert len(walk.access) == len(set(walk.access))
    assert len(walk.refreshes) == len(set(walk.refreshes))
