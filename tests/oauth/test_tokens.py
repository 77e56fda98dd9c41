"""The token endpoint: grants, lifetimes, rotation, and how tokens end."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from time import sleep
from typing import Any

import httpx
import jwt
import pytest

from llmposter.core.clock import ManualClock
from llmposter.server.running import MANUAL_START
from llmposter_dsl.companion import Client, TokenAnswer, User
from oauth import CALLBACK, CONFIDENTIAL, DEVICE, SECRET, OAuthClient, companion, given, redirected, refused


def verified(client: OAuthClient, token: str, audience: str) -> dict[str, Any]:
    keys = jwt.PyJWKClient(f"{client.base}/jwks.json")
    key = keys.get_signing_key_from_jwt(token)
    return jwt.decode(token, key, algorithms=["RS256"], audience=audience, issuer=client.base)


def test_tokens_are_verified_by_their_keys() -> None:
    """Access and id tokens are JWTs that PyJWT verifies against the JWK Set, with all that the RFCs ask for."""
    with companion() as client:
        told = client.tokens(scope="openid email")
        access = verified(client, told["access_token"], "llmposter")
        assert {"iss", "sub", "aud", "exp", "iat", "jti", "client_id", "scope"} == set(access)
        assert ("user-123", "openid email", 3600) == (access["sub"], access["scope"], access["exp"] - access["iat"])
        assert "at+jwt" == jwt.get_unverified_header(told["access_token"])["typ"]
        identity = verified(client, told["id_token"], "llmposter")
        assert ("user-123", "n-1", "user-123@example.com") == tuple(identity[k] for k in ("sub", "nonce", "email"))
        assert "name" not in identity
        assert ("Bearer", 3600, "openid email") == tuple(told[k] for k in ("token_type", "expires_in", "scope"))


def test_a_client_speaks_for_itself() -> None:
    """Client credentials give an access token and neither a refresh token nor an id token; each is another."""
    with companion() as client:
        told = [given(client.ask(grant_type="client_credentials")) for _ in range(3)]
        assert 3 == len({each["access_token"] for each in told})
        assert all({"access_token", "token_type", "expires_in", "scope"} == set(each) for each in told)
        assert [1, 2, 3] == [each["grant"] for each in client.companion.grants()]
        assert "llmposter" == verified(client, told[0]["access_token"], "llmposter")["sub"]


def test_a_refresh_counts_as_a_grant() -> None:
    """The first token of a consent is its grant 1, that of the first refresh grant 2, and of another consent 1."""
    with companion() as client:
        first = client.tokens()
        second = given(client.refresh(first["refresh_token"]))
        other = client.tokens()
        now = client.companion.clock.now()
        found = [client.credentials.find(each["access_token"], now) for each in (first, second, other)]
        assert [1, 2, 1] == [each.issued.grant for each in found if each is not None]
        assert ["user-123"] * 3 == [each.issued.name for each in found if each is not None]
        assert 1 == client.companion.state()["refreshes"]


def test_a_refresh_token_is_rotated() -> None:
    """A refresh gives another refresh token; the old one comes again, and with it all of the consent has ended."""
    with companion() as client:
        first = client.tokens()
        second = given(client.refresh(first["refresh_token"]))
        assert first["refresh_token"] != second["refresh_token"]
        assert client.good(first["access_token"])
        assert client.good(second["access_token"])
        assert "invalid_grant" == refused(client.refresh(first["refresh_token"]))
        assert "invalid_grant" == refused(client.refresh(second["refresh_token"]))
        for each in (first, second):
            assert not client.good(each["access_token"])
            assert {"active": False} == client.introspect(each["access_token"])
            assert {"active": False} == client.introspect(each["refresh_token"])


def test_a_rotated_token_of_another_client_ends_nothing() -> None:
    """Who brings a refresh token that is not its own is refused, and its owner goes on."""
    with companion() as client:
        stranger = client.register()
        told = client.tokens()
        assert "invalid_grant" == refused(stranger.refresh(told["refresh_token"]))
        given(client.refresh(told["refresh_token"]))


@pytest.mark.parametrize("refresh, given_first, given_again", [("keep", True, False), ("none", False, False)])
def test_refresh_tokens_as_the_scenario_has_them(refresh: Any, given_first: bool, given_again: bool) -> None:
    """``keep`` gives one that stays good; ``none`` gives none, and tells that there is no such grant."""
    with companion(refresh=refresh) as client:
        told = client.tokens()
        assert given_first == ("refresh_token" in told)
        grants = given(client.http.get(f"{client.base}/.well-known/openid-configuration"))["grant_types_supported"]
        assert given_first == ("refresh_token" in grants)
        if given_first:
            again = [given(client.refresh(told["refresh_token"])) for _ in range(3)]
            assert [given_again] * 3 == ["refresh_token" in each for each in again]
            assert [2, 3, 4] == [each["grant"] for each in client.companion.grants()[1:]]
        else:
            assert "unsupported_grant_type" == refused(client.refresh("rt-any"))


def test_a_scope_is_narrowed_for_one_token() -> None:
    """A refresh for less gives less; the next one for nothing gives all again, and one for more is refused."""
    with companion() as client:
        told = client.tokens(scope="openid email")
        narrow = given(client.refresh(told["refresh_token"], scope="email"))
        assert "email" == narrow["scope"]
        assert "id_token" not in narrow
        assert "openid email" == given(client.refresh(narrow["refresh_token"]))["scope"]
        again = client.tokens(scope="openid email")
        assert "invalid_scope" == refused(client.refresh(again["refresh_token"], scope="openid profile"))


def test_a_client_gets_the_scopes_that_it_registered() -> None:
    """A client that registered fewer scopes gets those for nothing, and no others, whatever it asks and how."""
    with companion() as client:
        grants = ["client_credentials", "authorization_code", "refresh_token", DEVICE]
        mine = client.register(scope="email profile", grant_types=grants)
        assert "email profile" == mine.tokens()["scope"]
        assert "email profile" == given(mine.ask(grant_type="client_credentials"))["scope"]
        assert "invalid_scope" == refused(mine.ask(grant_type="client_credentials", scope="openid"))
        assert "invalid_scope" == redirected(mine.authorize(scope="openid"))["error"]
        assert "invalid_scope" == refused(mine.post("/device_authorization", scope="openid"))


def test_a_device_that_asks_wrongly_may_ask_again() -> None:
    """A device code is used up by the tokens that it gave, and by nothing else."""
    with companion() as client:
        ask = {"grant_type": DEVICE, "device_code": given(client.post("/device_authorization"))["device_code"]}
        assert "invalid_target" == refused(client.ask(**ask, resource="none"))
        given(client.ask(**ask, resource="https://api.example"))
        assert "invalid_grant" == refused(client.ask(**ask))


def test_a_code_is_good_once() -> None:
    """A code that is used again ends what it gave (RFC 6749, section 4.1.2)."""
    with companion() as client:
        code = client.code()
        told = given(client.redeem(code))
        assert "invalid_grant" == refused(client.redeem(code))
        assert not client.good(told["access_token"])
        assert "invalid_grant" == refused(client.refresh(told["refresh_token"]))


REDEEMED_WRONGLY = [
    ("another redirect_uri", {"redirect_uri": "http://localhost:7778/callback"}, "invalid_grant"),
    ("no redirect_uri", {"redirect_uri": ""}, "invalid_grant"),
    ("another verifier", {"code_verifier": "w" * 64}, "invalid_grant"),
    ("no verifier", {"code_verifier": ""}, "invalid_request"),
    ("another code", {"code": "c"}, "invalid_grant"),
]


@pytest.mark.parametrize("fields, error", [each[1:] for each in REDEEMED_WRONGLY], ids=[e[0] for e in REDEEMED_WRONGLY])
def test_a_code_is_redeemed_as_it_was_asked_for(fields: dict[str, str], error: str) -> None:
    """Who redeems a code otherwise gets nothing."""
    with companion() as client:
        code = client.code()
        fields = {"code": code, "redirect_uri": CALLBACK, "code_verifier": "v" * 64} | fields
        assert error == refused(client.ask(grant_type="authorization_code", **fields))


def test_a_code_is_for_one_client() -> None:
    """A code is no good to another client, and stays good to its own."""
    with companion() as client:
        code = client.code()
        assert "invalid_grant" == refused(client.register().redeem(code))
        given(client.redeem(code))


def test_lifetimes_end_on_the_clock() -> None:
    """Codes, access tokens and refresh tokens end when their time is over, everywhere, and not a moment before."""
    clock = ManualClock(MANUAL_START)
    with companion(clock, access_lifetime=60.0, refresh_lifetime=600.0, code_lifetime=30.0) as client:
        code = client.code()
        clock.advance(29.9)
        told = given(client.redeem(code))
        late = client.code()
        clock.advance(30.0)
        assert "invalid_grant" == refused(client.redeem(late))
        clock.advance(29.9)
        assert client.introspect(told["access_token"])["active"]
        assert 200 == client.userinfo(told["access_token"]).status_code
        assert client.good(told["access_token"])
        clock.advance(0.1)
        assert {"active": False} == client.introspect(told["access_token"])
        answer = client.userinfo(told["access_token"])
        assert (401, "invalid_token") == (answer.status_code, refused(answer))
        assert not client.good(told["access_token"])
        clock.advance(539.9)
        assert client.introspect(told["refresh_token"])["active"]
        clock.advance(0.1)
        assert {"active": False} == client.introspect(told["refresh_token"])
        assert "invalid_grant" == refused(client.refresh(told["refresh_token"]))


def test_a_real_second_ends_a_token() -> None:
    """On the real clock a lifetime passes by itself."""
    with companion(access_lifetime=0.3) as client:
        token = client.tokens()["access_token"]
        assert client.good(token)
        sleep(0.35)
        assert not client.good(token)
        assert {"active": False} == client.introspect(token)


SCRIPTED: list[tuple[TokenAnswer, int, str | None]] = [
    (TokenAnswer(status=503), 503, "temporarily_unavailable"),
    (TokenAnswer(status=500), 500, "server_error"),
    (TokenAnswer(error="invalid_grant"), 400, "invalid_grant"),
    (TokenAnswer(error="invalid_client"), 401, "invalid_client"),
    (TokenAnswer(status=429, error="slow_down", description='"später"'), 429, "slow_down"),
]


def test_answers_come_as_they_are_scripted() -> None:
    """The next requests to the token endpoint get what was said, and use nothing up; then all is as usual."""
    with companion(answers=tuple(each[0] for each in SCRIPTED)) as client:
        code = client.code()
        for _, status, error in SCRIPTED:
            answer = client.redeem(code)
            assert (status, error) == (answer.status_code, refused(answer))
        told = given(client.redeem(code))
        client.companion.script([TokenAnswer(status=502)])
        assert "server_error" == refused(client.refresh(told["refresh_token"]))
        given(client.refresh(told["refresh_token"]))
        outcomes = [error for _, _, error in SCRIPTED] + ["ok", "server_error", "ok"]
        assert outcomes == [each["outcome"] for each in client.companion.grants()]


@pytest.mark.parametrize("settings, answer, told", [
    ({}, TokenAnswer(), 3600), ({}, TokenAnswer(expires_in=False), None), ({}, TokenAnswer(expires_in=5), 5),
    ({"expires_in": False}, TokenAnswer(), None), ({"expires_in": False}, TokenAnswer(expires_in=7), 7),
])  # fmt: skip
def test_expires_in_is_told_or_not(settings: dict[str, Any], answer: TokenAnswer, told: int | None) -> None:
    """A client may be told nothing of the lifetime, or what is not true; the token lives on as it would."""
    with companion(ManualClock(MANUAL_START), answers=(answer,), **settings) as client:
        given_ = client.tokens()
        assert told == given_.get("expires_in")
        client.companion.clock.advance(3599)  # type: ignore[attr-defined]
        assert client.good(given_["access_token"])


def test_a_token_dies_early() -> None:
    """With a `lifetime` of its own a token ends before it says that it will."""
    clock = ManualClock(MANUAL_START)
    with companion(clock, answers=(TokenAnswer(lifetime=10.0),)) as client:
        told = client.tokens()
        assert 3600 == told["expires_in"]
        clock.advance(10)
        assert not client.good(told["access_token"])
        assert {"active": False} == client.introspect(told["access_token"])
        assert client.good(given(client.refresh(told["refresh_token"]))["access_token"])


def test_a_slow_answer_waits_for_the_clock() -> None:
    """A delay passes on the server's clock: with a manual one the answer comes when that is moved."""
    clock = ManualClock(MANUAL_START)
    with companion(clock, answers=(TokenAnswer(delay=30.0),)) as client, ThreadPoolExecutor(1) as pool:
        asked = pool.submit(client.ask, grant_type="client_credentials")
        sleep(0.3)
        assert not asked.done()
        clock.advance(29)
        sleep(0.1)
        assert not asked.done()
        clock.advance(1)
        given(asked.result(5))


def test_who_leaves_before_a_slow_answer_is_granted_nothing() -> None:
    """A client that gives up and comes again has lost nothing: its refresh token was not rotated behind its back."""
    with companion() as client:
        told = client.tokens()
        client.companion.script([TokenAnswer(delay=60.0)])
        with pytest.raises(Exception, match="timed out"):
            client.http.post(f"{client.base}/token", data={"grant_type": "refresh_token"}, timeout=0.3)
        given(client.refresh(told["refresh_token"]))


def test_an_end_of_the_server_breaks_off_what_waits() -> None:
    """A slow answer does not hold up the end of the server, and is none; nothing is left behind."""
    with ThreadPoolExecutor(1) as pool:
        with companion(answers=(TokenAnswer(delay=600.0),)) as client:
            form = {"grant_type": "client_credentials"}
            asked = pool.submit(httpx.post, f"{client.base}/token", data=form, timeout=60)
            sleep(0.5)
            assert not asked.done()
        with pytest.raises(httpx.TransportError):
            asked.result(5)


def test_no_secret_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Whatever level is on, no code, token or secret stands whole in the log."""
    caplog.set_level(logging.DEBUG)
    with companion() as client:
        code = client.code()
        told = given(client.redeem(code))
        told |= {"new": given(client.refresh(told["refresh_token"]))["access_token"]}
        client.introspect(told["new"])
        secrets = [code, SECRET[1], told["access_token"], told["refresh_token"], told["new"], told["id_token"]]
    written = "\n".join(each.getMessage() for each in caplog.records if not each.name.startswith("http"))
    assert [] == [each for each in secrets if each in written]


def test_of_a_hundred_refreshes_with_one_token_one_is_granted() -> None:
    """Refreshes that race with one token look like theft: one is granted, and then all has ended."""
    with companion() as client:
        told = client.tokens()
        with ThreadPoolExecutor(20) as pool:
            answers = list(pool.map(lambda _: client.refresh(told["refresh_token"]), range(100)))
        assert [200] == [each.status_code for each in answers if each.status_code == 200]
        (won,) = (each.json() for each in answers if each.status_code == 200)
        assert not client.good(won["access_token"])
        assert 1 == client.companion.state()["refreshes"]


def test_a_hundred_clients_refresh_at_once() -> None:
    """A hundred consents that are refreshed at once get a hundred different tokens, each of grant 2."""
    with companion() as client:
        with ThreadPoolExecutor(20) as pool:
            first = list(pool.map(lambda _: client.tokens(), range(100)))
            second = list(pool.map(lambda each: given(client.refresh(each["refresh_token"])), first))
        assert 200 == len({each["access_token"] for each in (*first, *second)})
        refreshes = [each for each in client.companion.grants() if each["grant_type"] == "refresh_token"]
        assert [2] * 100 == [each["grant"] for each in refreshes]
        assert 100 == len({each["line"] for each in refreshes})


def test_a_device_waits_for_a_person() -> None:
    """A device is told to wait until somebody approves, and then gets tokens once (RFC 8628)."""
    clock = ManualClock(MANUAL_START)
    with companion(clock, approval="ask") as client:
        told = given(client.post("/device_authorization", scope="openid"))
        assert f"{client.base}/device" == told["verification_uri"]
        assert (600, 5) == (told["expires_in"], told["interval"])
        ask = {"grant_type": DEVICE, "device_code": told["device_code"]}
        assert "authorization_pending" == refused(client.ask(**ask))
        clock.advance(5)
        assert "authorization_pending" == refused(client.ask(**ask))
        assert [told["user_code"]] == [each["user_code"] for each in client.companion.state()["devices"]]
        assert client.companion.approve(told["user_code"].lower().replace("-", " "))
        assert not client.companion.approve(told["user_code"])
        tokens = given(client.ask(**ask))
        assert {"access_token", "refresh_token", "id_token"} < set(tokens)
        assert "invalid_grant" == refused(client.ask(**ask))
        given(client.refresh(tokens["refresh_token"]))


def test_a_device_that_comes_too_early_is_told_to_slow_down() -> None:
    """Who comes before the interval is over has to stay away five seconds longer from then on."""
    clock = ManualClock(MANUAL_START)
    with companion(clock, approval="ask", device_interval=5.0) as client:
        ask = {"grant_type": DEVICE, "device_code": given(client.post("/device_authorization"))["device_code"]}
        told = []
        for seconds in (0, 4.9, 9.9, 15, 14.9, 20):
            clock.advance(seconds)
            told.append(refused(client.ask(**ask)))
        pending, slow = "authorization_pending", "slow_down"
        assert [pending, slow, slow, pending, slow, pending] == told


@pytest.mark.parametrize(
    "how, error", [("deny", "access_denied"), ("expire", "expired_token"), ("other", "invalid_grant")]
)
def test_a_device_gets_nothing(how: str, error: str) -> None:
    """A device whose code was denied, has expired or is of another client is told so."""
    clock = ManualClock(MANUAL_START)
    with companion(clock, approval="ask") as client:
        told = given(client.post("/device_authorization"))
        if how == "deny":
            assert client.companion.deny(told["user_code"])
        clock.advance(600 if how == "expire" else 0)
        assert (how == "other") == client.companion.approve(told["user_code"])
        asks = client.register(grant_types=[DEVICE], redirect_uris=[]) if how == "other" else client
        assert error == refused(asks.ask(grant_type=DEVICE, device_code=told["device_code"]))


def test_a_public_client_needs_no_secret() -> None:
    """A client without a secret has all flows in which a person consents, and cannot speak for itself."""
    with companion(client=Client("app", None, ("http://127.0.0.1/callback",)), approval="auto") as client:
        told = given(client.redeem(client.code(redirect_uri="http://127.0.0.1:9/callback"),
                                   redirect_uri="http://127.0.0.1:9/callback"))  # fmt: skip
        told = given(client.refresh(told["refresh_token"]))
        device = given(client.post("/device_authorization"))
        given(client.ask(grant_type=DEVICE, device_code=device["device_code"]))
        assert "invalid_client" == refused(client.ask(grant_type="client_credentials"))
        assert "invalid_client" == refused(client.post("/introspect", token=told["access_token"]))
        assert 200 == client.post("/revoke", token=told["refresh_token"]).status_code
        assert not client.good(told["access_token"])


def test_resources_are_the_audience() -> None:
    """What a client asks for by `resource` is the `aud` of its tokens; it is narrowed but not widened (RFC 8707)."""
    mail, files = "https://api.example/mail", "https://api.example/files"
    with companion() as client:
        told = given(client.redeem(client.code(resource=[mail, files])))
        both = jwt.decode(told["access_token"], options={"verify_signature": False})
        assert [mail, files] == both["aud"]
        one = given(client.refresh(told["refresh_token"], resource=mail))
        assert mail == jwt.decode(one["access_token"], options={"verify_signature": False})["aud"]
        assert mail == client.introspect(one["access_token"])["aud"]
        assert "invalid_target" == refused(client.refresh(one["refresh_token"], resource="https://other.example"))
        assert "invalid_target" == refused(client.ask(grant_type="client_credentials", resource="no-uri"))
        assert "invalid_target" == redirected(client.authorize(resource="https://a.example/#part"))["error"]
        given(client.refresh(one["refresh_token"]))


def test_revocation_ends_what_it_is_asked_to() -> None:
    """An access token ends alone, a refresh token with all of its consent; what nobody knows is no error (RFC 7009)."""
    with companion() as client:
        told = client.tokens()
        for hint in ({}, {"token_type_hint": "refresh_token"}, {"token_type_hint": "strange"}):
            assert 200 == client.post("/revoke", token="nobody-knows", **hint).status_code
        assert 200 == client.post("/revoke", token=told["access_token"], token_type_hint="refresh_token").status_code
        assert not client.good(told["access_token"])
        again = given(client.refresh(told["refresh_token"]))
        other = client.register()
        assert 400 == other.post("/revoke", token=again["refresh_token"]).status_code
        assert 200 == client.post("/revoke", token=again["refresh_token"]).status_code
        assert not client.good(again["access_token"])
        assert "invalid_grant" == refused(client.refresh(again["refresh_token"]))
        assert "invalid_request" == refused(client.post("/revoke"))


def test_sessions_have_issuers_of_their_own() -> None:
    """Tokens of ``/@ID`` are good in that session alone, those of ``/`` in all; neither knows the other's clients."""
    with companion() as client:
        mine = client.at("mine")
        token = mine.tokens()["access_token"]
        assert mine.base == verified(mine, token, "llmposter")["iss"]
        assert [True, False, False] == [client.good(token, each) for each in ("mine", "", "other")]
        everywhere = client.tokens()["access_token"]
        assert [True, True, True] == [client.good(everywhere, each) for each in ("mine", "", "other")]
        assert {"active": False} == client.introspect(token)
        assert [2, 2] == [len(client.companion.grants(each)) + 1 for each in ("", "mine")]
        registered = mine.register()
        assert "invalid_client" == refused(
            client.http.post(
                f"{client.base}/token",
                data={"grant_type": "client_credentials"},
                auth=(registered.id, str(registered.secret)),
            )
        )


def test_reset_begins_anew() -> None:
    """`reset` ends all tokens, forgets clients and grants, and has the scripted answers to come again."""
    with companion(answers=(TokenAnswer(status=503),)) as client:
        assert 503 == client.ask(grant_type="client_credentials").status_code
        elsewhere = client.at("other")
        assert 503 == elsewhere.ask(grant_type="client_credentials").status_code
        told, other = client.tokens(), elsewhere.tokens()
        mine = client.register()
        client.companion.reset("")
        assert not client.good(told["access_token"])
        assert [] == client.companion.grants()
        assert 503 == client.ask(grant_type="client_credentials").status_code
        assert "invalid_client" == refused(mine.ask(grant_type="client_credentials"))
        assert "invalid_grant" == refused(client.refresh(told["refresh_token"]))
        assert client.good(other["access_token"], "other")
        client.companion.reset()
        assert not client.good(other["access_token"], "other")


def test_a_user_is_as_the_test_has_it() -> None:
    """Consents are for whoever is signed in, with the claims that the scopes let through, and those of one's own."""
    user = User("ada", (("email", "ada@example.org"), ("groups", ["testers"])))
    with companion(client=CONFIDENTIAL) as client:
        client.companion.sign_in(user)
        token = client.tokens(scope="openid email")["access_token"]
        told = given(client.userinfo(token))
        assert {"sub": "ada", "email": "ada@example.org", "email_verified": True, "groups": ["testers"]} == told


def test_the_same_run_gives_the_same_codes() -> None:
    """With a manual clock codes and user codes are the same in every run, and never twice the same in one."""
    runs = []
    for _ in range(2):
        with companion(ManualClock(MANUAL_START), approval="ask") as client:
            runs.append([given(client.post("/device_authorization"))["user_code"] for _ in range(3)])
    assert runs[0] == runs[1]
    assert 3 == len(set(runs[0]))
