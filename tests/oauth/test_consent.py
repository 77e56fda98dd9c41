"""The authorization endpoint and the pages: what goes to the client, what is shown, and who may send a form."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from llmposter.core.clock import ManualClock
from llmposter.server.running import MANUAL_START
from oauth import CALLBACK, DEVICE, OAuthClient, companion, field, given, redirected, refused


def test_consent_is_given_at_once() -> None:
    """With `auto` the browser goes straight on with a code, its state and who answered (RFC 9207)."""
    with companion() as client:
        told = redirected(client.authorize())
        assert {"code", "state", "iss"} == set(told)
        assert ("st", client.base) == (told["state"], told["iss"])
        assert {"code", "iss"} == set(redirected(client.authorize(state=None)))


SENT_BACK: list[tuple[str, dict[str, Any], str]] = [
    ("no challenge", {"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
    ("plain", {"code_challenge_method": "plain"}, "invalid_request"),
    ("no method, which means plain", {"code_challenge_method": None}, "invalid_request"),
    ("a challenge too short", {"code_challenge": "short"}, "invalid_request"),
    ("a strange scope", {"scope": "openid everything"}, "invalid_scope"),
    ("a token", {"response_type": "token"}, "unsupported_response_type"),
    ("a strange response", {"response_type": 'x"\\'}, "unsupported_response_type"),
    ("no response type", {"response_type": None}, "invalid_request"),
    ("a fragment", {"response_mode": "fragment"}, "invalid_request"),
    ("a request object", {"request": "ey"}, "request_not_supported"),
    ("a request by reference", {"request_uri": "https://a.example/r"}, "request_uri_not_supported"),
    ("two prompts of which one is none", {"prompt": "none login"}, "invalid_request"),
]


@pytest.mark.parametrize("fields, error", [each[1:] for each in SENT_BACK], ids=[each[0] for each in SENT_BACK])
def test_the_client_is_told_what_is_wrong(fields: dict[str, Any], error: str) -> None:
    """A mistake of a known client goes back to it, with its state and who answered."""
    with companion() as client:
        told = redirected(client.authorize(**fields))
        assert (error, "st", client.base) == (told["error"], told["state"], told["iss"])
        assert told["error_description"]
        assert not set(told["error_description"]) & set('"\\')


SHOWN: list[tuple[str, dict[str, Any], str]] = [
    ("a strange client", {"client_id": "nobody"}, "invalid_client"),
    ("no client", {"client_id": None}, "invalid_client"),
    ("another address", {"redirect_uri": "http://localhost:7777/other"}, "invalid_request"),
    ("another host", {"redirect_uri": "http://evil.example/callback"}, "invalid_request"),
    ("a host that looks alike", {"redirect_uri": "http://localhost:7777@evil.example/callback"}, "invalid_request"),
    ("a longer path", {"redirect_uri": "http://localhost:7777/callback/.."}, "invalid_request"),
    ("a quote in it", {"redirect_uri": 'http://localhost:7777/"<script>'}, "invalid_request"),
    ("another name of the same host", {"redirect_uri": "http://127.0.0.1:7777/callback"}, "invalid_request"),
    ("two addresses", {"redirect_uri": [CALLBACK, "http://evil.example/"]}, "invalid_request"),
    ("two scopes", {"scope": ["openid", "email"]}, "invalid_request"),
    ("a token for an address that is not its own", {"response_type": "token", "redirect_uri": "http://e.example/"},
     "invalid_request"),
]  # fmt: skip


@pytest.mark.parametrize("fields, error", [each[1:] for each in SHOWN], ids=[each[0] for each in SHOWN])
def test_nobody_is_sent_where_nobody_registered(fields: dict[str, Any], error: str) -> None:
    """Where client or address is in doubt, the browser stays and the error is shown (RFC 6749, section 4.1.2.1)."""
    with companion() as client:
        answer = client.authorize(**fields)
        assert 400 == answer.status_code
        assert "location" not in answer.headers
        assert f"<code>{error}</code>" in answer.text
        assert "<script>" not in answer.text


def test_a_client_with_one_address_need_not_say_it() -> None:
    """Without `redirect_uri` the only one that is registered counts, and the code is redeemed without it."""
    with companion() as client:
        answer = client.authorize(redirect_uri=None)
        assert answer.headers["location"].startswith("http://localhost/callback?")
        code = redirected(answer)["code"]
        given(client.ask(grant_type="authorization_code", code=code, code_verifier="v" * 64))
        several = client.register(redirect_uris=[CALLBACK, "https://app.example/cb"])
        assert 400 == several.authorize(redirect_uri=None).status_code


def test_a_request_may_come_as_a_form() -> None:
    """The authorization endpoint takes a POST as well (OpenID Connect Core, section 3.1.2.1)."""
    with companion() as client:
        query = client.authorize().request.url.query
        kind = {"content-type": "application/x-www-form-urlencoded"}
        answer = client.http.post(f"{client.base}/authorize", content=query, headers=kind)
        assert "code" in redirected(answer)


@pytest.mark.parametrize("decision, key", [("approve", "code"), ("deny", "error")])
def test_a_person_decides(decision: str, key: str) -> None:
    """With `ask` a page asks; what is clicked goes to the client, and clicked twice it is one answer."""
    with companion(approval="ask") as client:
        page = client.authorize()
        assert 200 == page.status_code
        assert all(f"<code>{each}</code>" in page.text for each in ("openid", "email", CALLBACK))
        form = {"ticket": field(page.text, "ticket"), "decision": decision}
        headers = {"origin": client.companion.url}
        answer = client.http.post(f"{client.base}/authorize/decision", data=form, headers=headers)
        told = redirected(answer)
        assert {key, "state", "iss"} <= set(told)
        assert told.get("error", "access_denied") == "access_denied"
        again = client.http.post(f"{client.base}/authorize/decision", data=form, headers=headers)
        assert answer.headers["location"] == again.headers["location"]
        other = form | {"decision": "deny" if decision == "approve" else "approve"}
        again = client.http.post(f"{client.base}/authorize/decision", data=other, headers=headers)
        assert (400, False) == (again.status_code, "location" in again.headers)


def test_a_question_is_not_open_for_ever() -> None:
    """A page that was left open too long gives nothing any more."""
    clock = ManualClock(MANUAL_START)
    with companion(clock, approval="ask", code_lifetime=60.0) as client:
        ticket = field(client.authorize().text, "ticket")
        clock.advance(60)
        form = {"ticket": ticket, "decision": "approve"}
        assert 400 == client.http.post(f"{client.base}/authorize/decision", data=form).status_code


def test_no_person_may_be_asked() -> None:
    """``prompt=none`` where a person would have to consent is told to the client."""
    with companion(approval="ask") as client:
        assert "consent_required" == redirected(client.authorize(prompt="none"))["error"]
    with companion() as client:
        assert "code" in redirected(client.authorize(prompt="none"))


@pytest.mark.parametrize("path", ["/authorize/decision", "/device", "/logout"])
@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:1"])
def test_no_other_site_sends_a_form(path: str, origin: str) -> None:
    """A form that another site sends is refused before it is read."""
    with companion(approval="ask") as client:
        answer = client.http.post(client.base + path, data={"decision": "approve"}, headers={"origin": origin})
        assert 403 == answer.status_code
        assert "access-control-allow-origin" not in answer.headers


PAGES = ("/device", "/device?user_code=NO-CODE", "/logout", "/logout?id_token_hint=x", "/authorize/decision",
         "/@a%20b/device")  # fmt: skip


def pages(client: OAuthClient) -> list[httpx.Response]:
    others = [client.http.get(client.base + path) for path in PAGES]
    return [client.authorize(), client.authorize(client_id="nobody"), *others]


def test_pages_are_safe() -> None:
    """No page runs a script, loads anything, is framed, kept, or read by another site; each has title and language."""
    with companion(approval="ask") as client:
        assert [200, 400, 200, 404, 200, 400, 405, 400] == [page.status_code for page in pages(client)]
        for page in pages(client):
            policy = page.headers["content-security-policy"]
            assert all(part in policy for part in ("default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"))
            assert ("no-store", "DENY", "nosniff") == tuple(
                page.headers[name] for name in ("cache-control", "x-frame-options", "x-content-type-options")
            )
            assert "access-control-allow-origin" not in page.headers
            assert "<script" not in page.text
            assert ("<title>" in page.text, '<html lang="en">' in page.text) == (True, True)
        share = client.http.get(f"{client.base}/device", headers={"origin": "http://localhost:3000"})
        assert "access-control-allow-origin" not in share.headers


def test_what_a_client_calls_itself_is_text() -> None:
    """A name with markup in it is shown as it is written."""
    with companion(approval="ask") as client:
        named = client.register(client_name='<script>alert("x")</script>')
        page = named.authorize().text
        assert "<script" not in page
        assert "&lt;script&gt;" in page


def test_a_device_is_connected_on_a_page() -> None:
    """A person enters the code, sees who asks for what, and says yes; then the device has its tokens."""
    with companion(approval="ask") as client:
        told = given(client.post("/device_authorization", scope="openid"))
        entry = client.http.get(told["verification_uri"]).text
        assert '<label for="user_code">' in entry
        wrong = client.http.get(told["verification_uri"], params={"user_code": "<b>"})
        assert (404, True) == (wrong.status_code, "&lt;b&gt;" in wrong.text)
        page = client.http.get(told["verification_uri_complete"]).text
        assert told["user_code"] == field(page, "user_code")
        form = {"user_code": told["user_code"], "decision": "approve"}
        assert 400 == client.http.post(told["verification_uri"], data=form | {"decision": "perhaps"}).status_code
        assert "Access was given" in client.http.post(told["verification_uri"], data=form).text
        given(client.ask(grant_type=DEVICE, device_code=told["device_code"]))
        assert "Access was given" in client.http.post(told["verification_uri"], data=form).text
        assert "invalid_grant" == refused(client.ask(grant_type=DEVICE, device_code=told["device_code"]))
        again = client.http.post(told["verification_uri"], data=form | {"decision": "deny"})
        assert (404, True) == (again.status_code, "was answered before" in again.text)


def test_a_device_is_refused_on_a_page() -> None:
    """A person says no, and the device is told so."""
    with companion(approval="ask") as client:
        told = given(client.post("/device_authorization"))
        form = {"user_code": told["user_code"], "decision": "deny"}
        assert "Access was refused" in client.http.post(told["verification_uri"], data=form).text
        assert "access_denied" == refused(client.ask(grant_type=DEVICE, device_code=told["device_code"]))


def test_logout_ends_what_the_client_was_granted() -> None:
    """With its id token a client ends all that it was granted, and the browser goes where it registered."""
    after = "https://app.example/bye"
    with companion() as client:
        mine = client.register(post_logout_redirect_uris=[after])
        told, other = mine.tokens(), client.tokens()
        asked = {"id_token_hint": told["id_token"], "post_logout_redirect_uri": after, "state": "s"}
        answer = client.http.get(f"{client.base}/logout", params=asked)
        assert (303, f"{after}?state=s") == (answer.status_code, answer.headers["location"])
        assert not client.good(told["access_token"])
        assert "invalid_grant" == refused(mine.refresh(told["refresh_token"]))
        assert client.good(other["access_token"])
        asked["post_logout_redirect_uri"] = "https://evil.example/"
        answer = client.http.get(f"{client.base}/logout", params=asked)
        assert (200, False) == (answer.status_code, "location" in answer.headers)


def test_a_client_may_send_its_user_by_a_form() -> None:
    """A form of the client's own page ends the session too, with the id token that proves whose (section 2)."""
    with companion() as client:
        told = client.tokens()
        form, headers = {"id_token_hint": told["id_token"]}, {"origin": "http://localhost:3000"}
        assert "You are logged out" in client.http.post(f"{client.base}/logout", data=form, headers=headers).text
        assert not client.good(told["access_token"])
        asked = client.http.post(f"{client.base}/logout", data={"state": "s"}, headers=headers)
        assert (200, True) == (asked.status_code, "Log out?" in asked.text)


def test_logout_without_proof_is_confirmed() -> None:
    """Without an id token a person has to confirm; then all of the user has ended."""
    with companion() as client:
        told = client.tokens()
        page = client.http.get(f"{client.base}/logout", params={"state": "<"})
        assert "Log out?" in page.text
        assert client.good(told["access_token"])
        done = client.http.post(f"{client.base}/logout", data={"decision": "approve", "state": "<"})
        assert "You are logged out" in done.text
        assert not client.good(told["access_token"])


def test_an_id_token_of_another_issuer_ends_nothing() -> None:
    """The id token of one session is none in another, although both have one key; and one made up is none anywhere."""
    with companion() as client:
        other, told = client.at("other").tokens(), client.tokens()
        for hint in (other["id_token"], "ey.made.up", other["id_token"][:-4] + "AAAA"):
            answer = client.http.get(f"{client.base}/logout", params={"id_token_hint": hint})
            assert 400 == answer.status_code
        assert client.good(told["access_token"])
        assert client.good(other["access_token"], "other")
