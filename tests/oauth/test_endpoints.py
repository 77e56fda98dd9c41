"""What stands beside the grants: metadata, registration, authentication of clients, bounds, and who may read it."""

from __future__ import annotations

import base64
import re
import socket
import subprocess
import sys
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from authlib.oidc.discovery import OpenIDProviderMetadata
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st

from oauth import CALLBACK, DEVICE, SECRET, companion, given, redirected, refused

FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"])
@pytest.mark.parametrize("session", ["", "one", "a:b~1"])
def test_metadata_is_found_and_true(path: str, session: str) -> None:
    """Both well-known documents are valid, also of an issuer with a path, and all endpoints they name are there."""
    with companion() as client:
        issuer = client.companion.session_url(session)
        where = [issuer + path] + ([f"{client.base}{path}/@{session}"] if session else [])
        told = [given(client.http.get(each)) for each in where]
        assert all(each == told[0] for each in told)
        assert issuer == told[0]["issuer"]
        AuthorizationServerMetadata(told[0]).validate()
        OpenIDProviderMetadata(told[0]).validate()
        for name, url in told[0].items():
            if name.endswith("_endpoint") or name == "jwks_uri":
                assert 404 != client.http.get(url).status_code, name


def test_the_issuer_is_what_the_client_calls_it() -> None:
    """Who comes by `localhost` finds an issuer of that name: clients compare both."""
    with companion() as client:
        base = client.base.replace("127.0.0.1", "localhost")
        assert base == given(client.http.get(f"{base}/.well-known/openid-configuration"))["issuer"]


def test_keys_are_public_and_for_signatures() -> None:
    """The JWK Set has one key with `use`, `alg` and `kid`, and nothing that is private."""
    with companion() as client:
        (key,) = given(client.http.get(f"{client.base}/jwks.json"))["keys"]
        assert {"kty": "RSA", "use": "sig", "alg": "RS256"}.items() <= key.items()
        assert {"kty", "use", "alg", "kid", "n", "e"} == set(key)


@pytest.mark.parametrize("method, has_secret", [(None, True), ("client_secret_post", True), ("none", False)])
def test_clients_register_themselves(method: str | None, has_secret: bool) -> None:
    """A client registers with or without a secret, authenticates as it said, and is told what it may (RFC 7591)."""
    with companion() as client:
        said: dict[str, Any] = {"redirect_uris": [CALLBACK], "client_name": "Tést", "strange": {"a": 1}}
        said |= {} if method is None else {"token_endpoint_auth_method": method}
        answer = client.http.post(f"{client.base}/register", json=said)
        made = answer.json()
        assert 201 == answer.status_code
        assert has_secret == ("client_secret" in made) == ("client_secret_expires_at" in made)
        assert ("Tést", [CALLBACK], ["code"]) == (made["client_name"], made["redirect_uris"], made["response_types"])
        assert ["authorization_code", "refresh_token"] == made["grant_types"]
        assert (method or "client_secret_basic") == made["token_endpoint_auth_method"]
        assert "strange" not in made
        mine = client.register(**said)
        code = mine.code()
        asked = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": "v" * 64,
            "client_id": mine.id,
        }  # fmt: skip
        if method == "client_secret_post":
            asked["client_secret"] = str(mine.secret)
        auth = (mine.id, str(mine.secret)) if method is None else None
        given(client.http.post(f"{client.base}/token", data=asked, auth=auth))  # type: ignore[arg-type]


UNREGISTERED: list[tuple[Any, str]] = [
    ({}, "invalid_redirect_uri"),
    ({"redirect_uris": []}, "invalid_redirect_uri"),
    ({"redirect_uris": ["/callback"]}, "invalid_redirect_uri"),
    ({"redirect_uris": ["http://a.example/#part"]}, "invalid_redirect_uri"),
    ({"redirect_uris": ["javascript:alert(1)"]}, "invalid_redirect_uri"),
    ({"redirect_uris": ["http://a.example/\r\nx: y"]}, "invalid_redirect_uri"),
    ({"redirect_uris": ["http://[broken/"]}, "invalid_redirect_uri"),
    ({"redirect_uris": [CALLBACK], "post_logout_redirect_uris": ["data:x"]}, "invalid_redirect_uri"),
    ({"redirect_uris": CALLBACK}, "invalid_client_metadata"),
    ({"redirect_uris": [5]}, "invalid_client_metadata"),
    ({"redirect_uris": [CALLBACK], "grant_types": ["password"]}, "invalid_client_metadata"),
    ({"redirect_uris": [CALLBACK], "response_types": ["token"]}, "invalid_client_metadata"),
    ({"redirect_uris": [CALLBACK], "token_endpoint_auth_method": "private_key_jwt"}, "invalid_client_metadata"),
    ({"redirect_uris": [CALLBACK], "scope": "openid everything"}, "invalid_client_metadata"),
    ({"redirect_uris": [CALLBACK], "client_uri": "no uri"}, "invalid_client_metadata"),
    ([], "invalid_client_metadata"), (None, "invalid_client_metadata"), ('"\\', "invalid_client_metadata"),
]  # fmt: skip


@pytest.mark.parametrize("said, error", UNREGISTERED)
def test_a_client_that_is_none_is_not_registered(said: Any, error: str) -> None:
    """What cannot be is refused with the error of RFC 7591, whatever its kind."""
    with companion() as client:
        answer = client.http.post(f"{client.base}/register", json=said)
        assert (400, error) == (answer.status_code, refused(answer))
        assert answer.json()["error_description"]


@pytest.mark.parametrize("uri", ["com.example.app:/callback", "cursor://anysphere.cursor-retrieval/oauth/cb",
                                 "http://[::1]/cb", "https://app.example/cb?tenant=1"])  # fmt: skip
def test_apps_register_addresses_of_their_own(uri: str) -> None:
    """Private schemes and addresses with a query are kept as they are (RFC 8252)."""
    with companion() as client:
        mine = client.register(redirect_uris=[uri], token_endpoint_auth_method="none")
        location = mine.authorize(redirect_uri=uri).headers["location"]
        assert location.startswith(uri)
        assert "code=" in location


def test_registration_can_be_off() -> None:
    """Where nobody may register there is no such endpoint, and none is told."""
    with companion(registration=False) as client:
        assert 404 == client.http.post(f"{client.base}/register", json={"redirect_uris": [CALLBACK]}).status_code
        told = given(client.http.get(f"{client.base}/.well-known/openid-configuration"))
        assert "registration_endpoint" not in told


GRANTS = [
    {"grant_type": "client_credentials"}, {"grant_type": "authorization_code", "code": "c"},
    {"grant_type": "refresh_token", "refresh_token": "r"}, {"grant_type": DEVICE, "device_code": "d"},
]  # fmt: skip
WRONG: list[tuple[str, dict[str, str], tuple[str, str] | None]] = [
    ("a wrong secret", {}, (SECRET[0], "wrong")),
    ("a wrong secret in the form", {"client_id": SECRET[0], "client_secret": "wrong"}, None),
    ("no secret", {"client_id": SECRET[0]}, None),
    ("an empty secret", {"client_id": SECRET[0], "client_secret": ""}, None),
    ("a strange client", {}, ("nobody", SECRET[1])),
    ("nobody", {}, None),
]


@pytest.mark.parametrize("grant", GRANTS, ids=[each["grant_type"][-12:] for each in GRANTS])
@pytest.mark.parametrize("fields, auth", [each[1:] for each in WRONG], ids=[each[0] for each in WRONG])
def test_the_secret_is_asked_for_at_every_grant(
    grant: dict[str, str], fields: dict[str, str], auth: tuple[str, str] | None
) -> None:
    """Without its secret a client gets `invalid_client`, a 401 and a challenge, whatever it asks for."""
    with companion() as client:
        answer = client.http.post(f"{client.base}/token", data=grant | fields, auth=auth)  # type: ignore[arg-type]
        assert (401, "invalid_client") == (answer.status_code, refused(answer))
        assert 'Basic realm="llmposter"' == answer.headers["www-authenticate"]
        for path in ("/introspect", "/revoke", "/device_authorization"):
            beside = client.http.post(client.base + path, data={"token": "t"} | fields, auth=auth)  # type: ignore[arg-type]
            assert (401, "invalid_client") == (beside.status_code, refused(beside))


MISTAKES: list[tuple[str, dict[str, Any], str]] = [
    ("no grant type", {}, "invalid_request"),
    ("a strange one", {"grant_type": "password"}, "unsupported_grant_type"),
    ("a quote in it", {"grant_type": '"\\ü'}, "unsupported_grant_type"),
    ("given twice", {"grant_type": ["client_credentials", "refresh_token"]}, "invalid_request"),
    ("a strange scope", {"grant_type": "client_credentials", "scope": "all"}, "invalid_scope"),
    ("two ways to authenticate", {"grant_type": "client_credentials", "client_secret": SECRET[1]}, "invalid_request"),
    ("two clients at once", {"grant_type": "client_credentials", "client_id": "other"}, "invalid_request"),
    ("no code", {"grant_type": "authorization_code"}, "invalid_request"),
    ("no refresh token", {"grant_type": "refresh_token"}, "invalid_request"),
    ("a refresh token that is none", {"grant_type": "refresh_token", "refresh_token": "x"}, "invalid_grant"),
    ("no device code", {"grant_type": DEVICE}, "invalid_request"),
]


@pytest.mark.parametrize("fields, error", [each[1:] for each in MISTAKES], ids=[each[0] for each in MISTAKES])
def test_mistakes_have_the_errors_of_the_rfc(fields: dict[str, Any], error: str) -> None:
    """Each mistake at the token endpoint has its own error, in words that RFC 6749 lets stand there."""
    with companion() as client:
        answer = client.ask(**fields)
        assert (400, error) == (answer.status_code, refused(answer))
        assert "no-store" == answer.headers["cache-control"]
        assert re.fullmatch(r"[ !#-\[\]-~]+", answer.json()["error_description"])


def test_json_is_no_form() -> None:
    """A token request in JSON is told what would be right."""
    with companion() as client:
        answer = client.http.post(f"{client.base}/token", json={"grant_type": "client_credentials"}, auth=SECRET)
        assert "application/x-www-form-urlencoded" in answer.json()["error_description"]


USERINFO: list[tuple[dict[str, str], int, str | None]] = [
    ({}, 401, None), ({"authorization": "Bearer nobody"}, 401, "invalid_token"),
    ({"authorization": "Basic eDp5"}, 401, None),
]  # fmt: skip


@pytest.mark.parametrize("headers, status, error", USERINFO)
def test_userinfo_wants_a_good_token(headers: dict[str, str], status: int, error: str | None) -> None:
    """Who brings none is told of no error, who brings a bad one is (RFC 6750)."""
    with companion() as client:
        answer = client.http.get(f"{client.base}/userinfo", headers=headers)
        assert status == answer.status_code
        assert answer.headers["www-authenticate"].startswith('Bearer realm="llmposter"')
        assert (error is not None) == (f'error="{error}"' in answer.headers["www-authenticate"])


def test_userinfo_is_for_those_who_asked_for_openid() -> None:
    """A token without `openid`, or of a client that speaks for itself, is not enough; a form may carry one."""
    with companion() as client:
        for token in (client.tokens(scope="email"), given(client.ask(grant_type="client_credentials"))):
            answer = client.userinfo(token["access_token"])
            assert (403, "insufficient_scope") == (answer.status_code, refused(answer))
        token = client.tokens()["access_token"]
        told = given(client.http.post(f"{client.base}/userinfo", data={"access_token": token}))
        assert ("user-123", "Test User") == (told["sub"], told["name"])


def test_introspection_tells_what_the_token_is() -> None:
    """A resource server learns whose a token is and how long; of a refresh token only its owner learns anything."""
    with companion() as client:
        told = client.tokens(scope="openid")
        access = client.introspect(told["access_token"])
        want = {"active": True, "iss": client.base, "client_id": "llmposter", "sub": "user-123", "scope": "openid",
                "token_type": "Bearer", "aud": "llmposter"}  # fmt: skip
        assert want.items() <= access.items()
        assert 3600 == access["exp"] - access["iat"]
        assert "refresh_token" == client.introspect(told["refresh_token"])["token_type"]
        other = client.register()
        assert other.introspect(told["access_token"])["active"]
        assert {"active": False} == other.introspect(told["refresh_token"])
        assert {"active": False} == client.introspect("nobody-knows")
        assert "invalid_request" == refused(client.post("/introspect"))


def test_pages_of_this_machine_may_call_it() -> None:
    """A web page of a loopback origin may use all that a client uses, and one from elsewhere none of it."""
    with companion() as client:
        for path in ("/token", "/userinfo", "/jwks.json", "/.well-known/openid-configuration", "/register", "/revoke"):
            asked = {"origin": "http://localhost:3000", "access-control-request-method": "POST",
                     "access-control-request-headers": "authorization"}  # fmt: skip
            answer = client.http.options(client.base + path, headers=asked)
            assert (204, "http://localhost:3000") == (
                answer.status_code, answer.headers["access-control-allow-origin"],
            )  # fmt: skip
            assert "authorization" == answer.headers["access-control-allow-headers"]
            foreign = client.http.options(client.base + path, headers=asked | {"origin": "https://evil.example"})
            assert "access-control-allow-origin" not in foreign.headers
        read = client.http.get(f"{client.base}/jwks.json", headers={"origin": "http://localhost:3000"})
        assert "http://localhost:3000" == read.headers["access-control-allow-origin"]


NAMES = [
    ("evil.example", 403), ("evil.example:80", 403), ("", 403), ("x.localhost", 200), ("LOCALHOST:1", 200),
    ("[::1]:1", 200),
]  # fmt: skip


@pytest.mark.parametrize("host, status", NAMES)
def test_it_answers_to_its_own_names(host: str, status: int) -> None:
    """A web page cannot reach it by a name of its own choosing."""
    with companion() as client:
        answer = client.http.get(f"{client.base}/jwks.json", headers={"host": host})
        assert status == answer.status_code


def test_bodies_are_bounded() -> None:
    """A body of which nobody reads the end, or a form of too many fields, is refused, and the server goes on."""
    with companion() as client:
        url = urlsplit(client.companion.url)
        with socket.create_connection((url.hostname, url.port), timeout=10) as line:
            line.sendall(b"POST /token HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000000\r\n\r\n")
            assert line.recv(1000).startswith(b"HTTP/1.1 413 ")
        many = client.http.post(f"{client.base}/token", content=b"a=1&" * 200, headers=FORM)
        assert (400, "invalid_request") == (many.status_code, refused(many))
        given(client.ask(grant_type="client_credentials"))


def test_a_session_has_a_name() -> None:
    """What is no session id is told so, and makes no issuer."""
    with companion() as client:
        for path in ("/@a%20b/token", "/@%3Cb%3E/jwks.json", f"/@{'x' * 200}/jwks.json"):
            answer = client.http.get(client.base + path)
            assert (400, True) == (answer.status_code, "is no session id" in answer.json()["error_description"])


OTHERS = [
    ("GET", "/", 404), ("GET", "/token", 405), ("GET", "/revoke", 405), ("POST", "/jwks.json", 405),
    ("GET", "/@a/x", 404), ("DELETE", "/x", 405), ("GET", "/.well-known/oauth-protected-resource", 404),
]  # fmt: skip


def test_other_paths_and_methods_are_errors_in_json() -> None:
    """What there is not is told in JSON."""
    with companion() as client:
        for method, path, status in OTHERS:
            answer = client.http.request(method, client.base + path)
            assert (status, "invalid_request") == (answer.status_code, refused(answer)), path


WORDS = st.sampled_from([
    "grant_type", "code", "client_id", "client_secret", "redirect_uri", "scope", "state", "token", "authorization_code",
    "refresh_token", "client_credentials", DEVICE, "device_code", "resource", "response_type", "code_challenge", "S256",
    *SECRET, CALLBACK, "openid", "id_token_hint", "user_code", "decision", "approve", "ticket", "prompt", "nonce",
])  # fmt: skip
BODIES = st.lists(st.tuples(WORDS | st.text(max_size=8), WORDS | st.text(max_size=8)), max_size=8)
PATHS = ("/token", "/revoke", "/introspect", "/device_authorization", "/authorize", "/device", "/logout", "/userinfo",
         "/authorize/decision", "/register")  # fmt: skip


def test_nothing_that_is_sent_breaks_it() -> None:
    """Whatever parameters, bytes and credentials come, no answer is a 5xx."""
    with companion(approval="ask") as client:

        @settings(deadline=None)
        @drawn(st.sampled_from(PATHS), BODIES | st.binary(max_size=40), st.none() | st.binary(min_size=1, max_size=12))
        def asks(path: str, body: Any, basic: bytes | None) -> None:
            headers = dict(FORM)
            if basic is not None:
                headers["authorization"] = "Basic " + base64.b64encode(basic).decode()
            content = body if isinstance(body, bytes) else str(httpx.QueryParams(body)).encode()
            assert client.http.post(client.base + path, content=content, headers=headers).status_code < 500
            query = content.decode("latin-1")
            if query.isascii() and query.isprintable():
                assert client.http.get(f"{client.base}{path}?{query}", headers=headers).status_code < 500

        asks()


def test_a_server_without_it_pays_nothing() -> None:
    """What a server without OAuth imports has none of Authlib, of joserfc or of the companion."""
    code = (
        "import sys, llmposter.server, llmposter.cli; "
        "print([m for m in sys.modules if m.split('.')[0] in ('authlib', 'joserfc') or 'oauth' in m])"
    )
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert "[]" == told.stdout.strip()


def test_a_loopback_address_may_have_any_port() -> None:
    """A port is chosen when the client starts (RFC 8252, section 7.3); any other address has its own alone."""
    with companion() as client:
        for port in (1, 65535):
            assert "code" in redirected(client.authorize(redirect_uri=f"http://localhost:{port}/callback"))
        fixed = client.register(redirect_uris=["https://app.example:8443/cb"])
        assert 400 == fixed.authorize(redirect_uri="https://app.example:8444/cb").status_code
        assert 400 == fixed.authorize(redirect_uri="https://app.example/cb").status_code


@pytest.mark.parametrize("path", ["/token", "/register", "/introspect", "/device"])
def test_a_body_that_is_too_large_is_told_so(path: str) -> None:
    """In the form of the endpoint, and the connection goes on; the largest that is taken is read as any other."""
    with companion() as client:
        sent = [b"state=" + b"x" * (size - 6) for size in (64 * 1024, 64 * 1024 + 1, 1024 * 1024 + 1, 3 << 20)]
        kind = {"content-type": "application/x-www-form-urlencoded"}
        answers = [client.http.post(client.base + path, content=each, headers=kind) for each in sent]
        assert [False, True, True, True] == [each.status_code == 413 for each in answers]
        told = "the body has more than 65536 bytes"
        assert all(told in each.text for each in answers[1:])
        if path != "/device":
            assert [{"error": "invalid_request", "error_description": told}] * 3 == [
                each.json() for each in answers[1:]
            ]
