"""The clock, the tokens and the chaos of a server, moved and ended by a test."""

from __future__ import annotations

import threading
from datetime import timedelta

import httpx
import pytest
from agents import posted

from llmposter import Server

HELLO = '[[states.talk]]\nreply = "Hello!"\n'
SLOW = '[[states.talk]]\nreply = "Hello!"\nlatency = "15m"\n'
KEYS = '[auth]\ntokens = [{ name = "first", value = "sk-first" }]\n' + HELLO


@pytest.mark.parametrize("by", ["15m", 900, 900.0, timedelta(minutes=15)], ids=str)
def test_a_manual_clock_moves_when_it_is_told(by: str | float | timedelta) -> None:
    """By a duration of the language, by seconds or by a `timedelta`; an answer that waits goes out."""
    with Server(SLOW, clock="manual") as server:
        began = server.clock.now
        asks = threading.Thread(target=posted, args=(server.openai_url, "hi"))
        asks.start()
        while not server.requests:
            pass
        assert "pending" == server.requests[0].how
        assert began + 900 == server.clock.advance(by) == server.session("s").clock.now
        asks.join(10)
        # An answer may go out the 10 microseconds before its time that take up what floats round off.
        assert ("complete", pytest.approx(900.0, abs=1e-4)) == (server.requests[0].how, server.requests[0].seconds)


MOVED_WRONGLY = {
    "no duration": ("manual", "soon", ValueError, '"soon" is no duration'),
    "back": ("manual", -1, ValueError, "it only goes forward"),
    "the real one": ("real", "1s", RuntimeError, "the clock is the real one and moves by itself"),
}


@pytest.mark.parametrize("name", MOVED_WRONGLY)
def test_a_clock_that_cannot_be_moved_says_why(name: str) -> None:
    """With what would be right."""
    clock, by, kind, message = MOVED_WRONGLY[name]
    with Server(HELLO, clock=clock) as server, pytest.raises(kind, match=message):
        server.clock.advance(by)


def status(server, key: str) -> int:
    body = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
    headers = {"authorization": f"Bearer {key}"}
    return httpx.post(f"{server.openai_url}/chat/completions", json=body, headers=headers).status_code


def test_tokens_are_issued_and_ended() -> None:
    """In a session they are good there alone."""
    with Server(KEYS, clock="manual") as server:
        session = server.session("one")
        assert (200, 401) == (status(session, "sk-first"), status(session, "sk-other"))
        key = session.tokens.issue("short", uses=1)
        assert (401, 200, 401) == (status(server, key), status(session, key), status(session, key))
        everywhere = server.tokens.issue("long", value="sk-long", lifetime="1h")
        assert ("sk-long", 200) == (everywhere, status(session, everywhere))
        server.clock.advance("1h")
        assert 401 == status(session, everywhere)
        assert 1 == session.tokens.revoke("first")
        assert (401, 200) == (status(session, "sk-first"), status(server, "sk-first"))
        assert 2 == server.tokens.expire("first", after="1 uses")
        assert (200, 401) == (status(server, "sk-first"), status(server, "sk-first"))
        listed = {each.name: (each.state, each.uses, each.session) for each in session.tokens.list()}
        assert {"first": ("revoked", 1, "one"), "short": ("spent", 1, "one"), "long": ("expired", 1, None)} == listed
        assert all("…" in each.value for each in session.tokens.list())


TOKENS_WRONG = {
    "no such name": (KEYS, lambda t: t.revoke("other"), 'there is no token "other"; the names are: first'),
    "no end": (KEYS, lambda t: t.expire("first", after="soon"), '"after" is "soon" and should be like "2 uses"'),
    "no bound": (KEYS, lambda t: t.issue("x", uses=0), '"uses" should be a whole number from 1 on'),
    "none is needed": (HELLO, lambda t: t.issue("x"), "in Python with `tokens=`"),
}


@pytest.mark.parametrize("name", TOKENS_WRONG)
def test_tokens_that_cannot_be_had_say_why(name: str) -> None:
    """As the admin API does."""
    scenario, do, message = TOKENS_WRONG[name]
    with Server(scenario) as server, pytest.raises(ValueError, match=message):
        do(server.tokens)


def test_chaos_is_set_and_taken_back() -> None:
    """For a session or for all."""
    with Server(HELLO) as server:
        one, other = server.session("one"), server.session("other")
        one.set_chaos(1, errors=["overloaded"])
        assert (503, 200) == (status(one, "k"), status(other, "k"))
        assert "overloaded" == one.requests[0].answer.error
        one.clear_chaos()
        server.set_chaos(1.0, errors=[500])
        assert (500, 500) == (status(one, "k"), status(other, "k"))
        server.clear_chaos()
        assert 200 == status(one, "k")
        with pytest.raises(ValueError, match=r"rate: `rate` is `2`, expected a number from 0 to 1"):
            server.set_chaos(2, errors=[500])
        with pytest.raises(ValueError, match=r"unknown fault"):
            server.set_chaos(0.5, faults="explode")


def test_a_reset_forgets() -> None:
    """Of a session alone, or of all."""
    with Server(KEYS) as server:
        one = server.session("one")
        one.tokens.revoke("first")
        assert 401 == status(one, "sk-first")
        one.reset()
        assert ((), 200) == (one.requests, status(one, "sk-first"))
        server.reset()
        assert () == server.requests


OAUTH = '[auth.oauth]\napproval = "ask"\nuser = { sub = "alice" }\n' + HELLO


def renewed(url: str, **fields: str) -> httpx.Response:
    return httpx.post(f"{url}/token", data=fields, auth=("llmposter", "llmposter-secret"))


def test_the_oauth_server_is_in_the_hand_of_a_test() -> None:
    """What it was asked, what it answers next, and which devices it lets in; each session has an issuer of its own."""
    with Server(OAUTH, clock="manual") as server:
        one = server.session("one")
        assert (server.oauth.url, f"{server.oauth_url}/@one") == (server.oauth_url, one.oauth_url)
        one.oauth.script(503, "ok")
        asked = [renewed(one.oauth_url, grant_type="client_credentials") for _ in range(2)]
        assert [503, 200] == [each.status_code for each in asked]
        key = asked[1].json()["access_token"]
        assert (200, 401) == (status(one, key), status(server, key))
        assert [("client_credentials", 503), ("client_credentials", 200)] == [
            (each.grant_type, each.status) for each in one.oauth.grants
        ]
        assert ((), 0) == (server.oauth.grants, one.oauth.refreshes)
        for decide, expected in ((one.oauth.approve, 200), (one.oauth.deny, 400)):
            told = httpx.post(f"{one.oauth_url}/device_authorization", data={"client_id": "llmposter"}, auth=SECRET)
            code = told.json()
            assert (code["user_code"],) == one.oauth.devices
            decide(code["user_code"])
            grant = "urn:ietf:params:oauth:grant-type:device_code"
            answer = renewed(one.oauth_url, grant_type=grant, device_code=code["device_code"])
            assert expected == answer.status_code


def test_a_test_says_who_consents() -> None:
    """From then on, with claims of its choice."""
    with Server(OAUTH) as server:
        server.oauth.sign_in("bob", nickname="Bob")
        told = httpx.post(f"{server.oauth_url}/device_authorization", auth=SECRET).json()
        server.oauth.approve(told["user_code"])
        grant = "urn:ietf:params:oauth:grant-type:device_code"
        token = renewed(server.oauth_url, grant_type=grant, device_code=told["device_code"]).json()["access_token"]
        claims = httpx.get(f"{server.oauth_url}/userinfo", headers={"authorization": f"Bearer {token}"}).json()
        assert ("bob", "Bob") == (claims["sub"], claims["nickname"])


SECRET = ("llmposter", "llmposter-secret")
OAUTH_WRONG = {
    "there is none": (HELLO, lambda s: s.oauth_url, "in Python with `oauth=True`"),
    "no such device": (OAUTH, lambda s: s.oauth.approve("AAAA"), 'no device waits with the user code "AAAA"'),
    "nobody": (OAUTH, lambda s: s.oauth.sign_in(""), "`sub` is empty"),
    "no such answer": (OAUTH, lambda s: s.oauth.script(200), "answers"),
}


@pytest.mark.parametrize("name", OAUTH_WRONG)
def test_what_the_oauth_server_cannot_do_is_told(name: str) -> None:
    """As the admin API does."""
    scenario, do, message = OAUTH_WRONG[name]
    with Server(scenario) as server, pytest.raises(ValueError, match=message):
        do(server)


def test_an_oauth_server_leaves_nothing() -> None:
    """It ends with the server beside which it is."""
    with Server(OAUTH) as server:
        httpx.get(f"{server.oauth_url}/.well-known/openid-configuration").raise_for_status()
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{server.oauth_url}/.well-known/openid-configuration")


def test_a_server_may_ask_for_keys_whatever_it_serves() -> None:
    """As `run --token` and `run --oauth` do."""
    with Server(HELLO, tokens=["sk-twice:uses=2", "sk-b"], oauth=True) as server:
        assert [200, 200, 401] == [status(server, "sk-twice") for _ in range(3)]
        assert (200, 401) == (status(server, "sk-b"), status(server, "sk-c"))
        key = renewed(server.oauth_url, grant_type="client_credentials").json()["access_token"]
        assert 200 == status(server, key)
    with pytest.raises(ValueError, match='"soon" is no number of uses'):
        Server(HELLO, tokens=["sk:uses=soon"])
