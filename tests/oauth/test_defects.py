"""What the OAuth server of the original got wrong, and this one does not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from llmposter.core.clock import ManualClock
from llmposter.server.running import MANUAL_START
from llmposter_dsl.companion import Client, User
from oauth import CALLBACK, DEVICE, SECRET, OAuthClient, companion, field, given, redirected, refused


def metadata(client: OAuthClient) -> dict[str, object]:
    return given(client.http.get(f"{client.base}/.well-known/openid-configuration"))


def forward(client: OAuthClient, seconds: float) -> None:
    assert isinstance(client.companion.clock, ManualClock)
    client.companion.clock.advance(seconds)


def keys_say_use(client: OAuthClient) -> None:
    (key,) = given(client.http.get(f"{client.base}/jwks.json"))["keys"]
    assert ("sig", False) == (key["use"], "use_" in key)


def introspection_knows_the_time(client: OAuthClient) -> None:
    token = client.tokens()["access_token"]
    forward(client, 3600)
    assert {"active": False} == client.introspect(token)


def userinfo_knows_the_time(client: OAuthClient) -> None:
    token = client.tokens()["access_token"]
    assert 200 == client.userinfo(token).status_code
    forward(client, 3600)
    assert 401 == client.userinfo(token).status_code


def codes_expire(client: OAuthClient) -> None:
    code = client.code()
    forward(client, 600)
    assert "invalid_grant" == refused(client.redeem(code))


def a_refresh_token_is_no_access_token(client: OAuthClient) -> None:
    token = client.tokens()["refresh_token"]
    assert 401 == client.userinfo(token).status_code
    assert not client.good(token)
    assert "Bearer" != client.introspect(token)["token_type"]


def secrets_are_checked_everywhere(client: OAuthClient) -> None:
    code, told = client.code(), client.tokens()
    device = given(client.post("/device_authorization"))["device_code"]
    client.secret = "wrong"
    answers = [
        client.redeem(code), client.refresh(told["refresh_token"]), client.ask(grant_type=DEVICE, device_code=device),
        client.ask(grant_type="client_credentials"), client.post("/introspect", token=told["access_token"]),
        client.post("/revoke", token=told["access_token"]),
    ]  # fmt: skip
    assert ["invalid_client"] * 6 == [refused(each) for each in answers]
    assert client.good(told["access_token"])


def public_clients_get_tokens(client: OAuthClient) -> None:
    mine = client.register(token_endpoint_auth_method="none")
    assert mine.secret is None
    assert "access_token" in mine.tokens()


def only_the_client_that_was_named_is_there(client: OAuthClient) -> None:
    with companion(client=Client("mine", "secret", (CALLBACK,))) as other:
        assert "access_token" in other.tokens()
        for name in (SECRET[0], "mock-client"):
            answer = other.http.post(
                f"{other.base}/token", data={"grant_type": "client_credentials"}, auth=(name, SECRET[1])
            )
            assert "invalid_client" == refused(answer)
    assert "access_token" in client.tokens()


def what_is_told_is_what_is_there(client: OAuthClient) -> None:
    told = metadata(client)
    assert ["code"] == told["response_types_supported"]
    assert "unsupported_response_type" == redirected(client.authorize(response_type="token"))["error"]
    for grant in told["grant_types_supported"]:  # type: ignore[attr-defined]
        assert refused(client.ask(grant_type=grant, scope="x")) != "unsupported_grant_type"


def clients_register(client: OAuthClient) -> None:
    assert str(metadata(client)["registration_endpoint"]) == f"{client.base}/register"
    assert "access_token" in client.register(token_endpoint_auth_method="none").tokens()


def sessions_end(client: OAuthClient) -> None:
    told = client.tokens()
    client.http.get(str(metadata(client)["end_session_endpoint"]), params={"id_token_hint": told["id_token"]})
    assert not client.good(told["access_token"])


def oauth_metadata_is_there(client: OAuthClient) -> None:
    assert metadata(client) == given(client.http.get(f"{client.base}/.well-known/oauth-authorization-server"))


def a_device_has_its_page(client: OAuthClient) -> None:
    with companion(approval="ask") as asking:
        told = given(asking.post("/device_authorization"))
        page = asking.http.get(told["verification_uri_complete"])
        assert (200, told["user_code"]) == (page.status_code, field(page.text, "user_code"))
    assert 200 == client.http.get(f"{client.base}/device").status_code


def consent_is_asked_and_denied_over_http(client: OAuthClient) -> None:
    with companion(approval="ask") as asking:
        form = {"ticket": field(asking.authorize().text, "ticket"), "decision": "deny"}
        assert "access_denied" == redirected(asking.http.post(f"{asking.base}/authorize/decision", data=form))["error"]
    assert "code" in redirected(client.authorize())


def denial_and_users_are_at_hand(client: OAuthClient) -> None:
    with companion(approval="ask") as asking:
        told = given(asking.post("/device_authorization"))
        assert asking.companion.deny(told["user_code"])
        assert "access_denied" == refused(asking.ask(grant_type=DEVICE, device_code=told["device_code"]))
    client.companion.sign_in(User("ada"))
    assert "ada" == given(client.userinfo(client.tokens()["access_token"]))["sub"]


def codes_repeat_from_run_to_run(client: OAuthClient) -> None:
    with companion(ManualClock(MANUAL_START)) as again:
        assert client.code() == again.code()


def an_unknown_grant_is_unsupported(client: OAuthClient) -> None:
    assert "unsupported_grant_type" == refused(client.ask(grant_type="password"))


def introspection_tells_of_the_token_itself(client: OAuthClient) -> None:
    mine = client.register(token_endpoint_auth_method="none")
    told = client.introspect(mine.tokens(scope="email")["access_token"])
    assert (mine.id, "email", "user-123") == (told["client_id"], told["scope"], told["sub"])


def slow_down_comes_of_haste_alone(client: OAuthClient) -> None:
    with companion(ManualClock(MANUAL_START), approval="ask") as asking:
        code = given(asking.post("/device_authorization"))["device_code"]
        told = []
        for seconds in (5, 5, 5, 5, 1):
            forward(asking, seconds)
            told.append(refused(asking.ask(grant_type=DEVICE, device_code=code)))
        assert ["authorization_pending"] * 4 + ["slow_down"] == told
    assert "access_token" in client.tokens()


def no_scope_is_all_scopes(client: OAuthClient) -> None:
    assert "openid profile email offline_access" == client.tokens()["scope"]


def lifetimes_are_as_they_are_set(client: OAuthClient) -> None:
    with companion(ManualClock(MANUAL_START), access_lifetime=90.0) as short:
        told = short.tokens()
        seen = short.introspect(told["access_token"])
        assert (90, 90) == (told["expires_in"], seen["exp"] - seen["iat"])
    assert 3600 == client.tokens()["expires_in"]


DEFECTS: list[tuple[str, Callable[[OAuthClient], None]]] = [
    ("keys had `use_` in place of `use`", keys_say_use),
    ("introspection called tokens active that had expired", introspection_knows_the_time),
    ("userinfo took tokens that had expired", userinfo_knows_the_time),
    ("codes never expired", codes_expire),
    ("a refresh token was taken as an access token", a_refresh_token_is_no_access_token),
    ("the secret was checked for one grant only", secrets_are_checked_everywhere),
    ("a public client got no tokens", public_clients_get_tokens),
    ("a client of the server's own stood beside the one that was asked for", only_the_client_that_was_named_is_there),
    ("a response type was told that was refused", what_is_told_is_what_is_there),
    ("no client could register", clients_register),
    ("no session could be ended", sessions_end),
    ("there was no metadata of RFC 8414", oauth_metadata_is_there),
    ("the page that devices name was not there", a_device_has_its_page),
    ("nobody could be asked for consent, or refuse it", consent_is_asked_and_denied_over_http),
    ("a test could neither deny nor choose the user", denial_and_users_are_at_hand),
    ("codes were others in every run", codes_repeat_from_run_to_run),
    ("an unknown grant type was an invalid request", an_unknown_grant_is_unsupported),
    ("introspection told one client and all scopes of every token", introspection_tells_of_the_token_itself),
    ("every third poll of a device was told to slow down", slow_down_comes_of_haste_alone),
    ("a request without scopes was refused", no_scope_is_all_scopes),
    ("lifetimes were always the same", lifetimes_are_as_they_are_set),
]


@pytest.mark.parametrize("shown", [each[1] for each in DEFECTS], ids=[each[0] for each in DEFECTS])
def test_a_defect_of_the_original_is_none_here(shown: Callable[[OAuthClient], None]) -> None:
    """What the table says of the original does not hold here."""
    with companion(ManualClock(MANUAL_START)) as client:
        shown(client)
