"""A server with an OAuth server beside it: who starts one, what its endpoints tell of it, what a test asks of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count
from typing import Any
from urllib.parse import urlsplit

import anthropic
import httpx
import openai
import pytest
from google import genai
from google.genai import types
from google.oauth2.credentials import Credentials
from raw_http import CHAT, Raw, chat, text
from serving import serving

from llmposter.server import Running
from llmposter_dsl.companion import Client, OAuth
from oauth import CALLBACK, DEVICE, OAuthClient

pytestmark = pytest.mark.usefixtures("transport")

PLAIN = '[[states.s]]\nreply = "ok"\n'
SCENARIO = """
[auth.oauth]
redirect_uris = ["http://localhost:7777/callback"]
access_lifetime = "1m"
user = { sub = "alice", email = "alice@example.com" }

[[states.s]]
reply = "${token.name} ${token.grant}"
"""
NUMBERS = count()
METADATA = "/.well-known/oauth-protected-resource"


@pytest.fixture
def server() -> Iterator[Running]:
    with serving(SCENARIO, clock="manual") as running:
        yield running


@pytest.fixture
def asking() -> Iterator[tuple[Raw, OAuthClient]]:
    """Of a server that asks a person for consent."""
    scenario = SCENARIO.replace("user =", 'approval = "ask"\nuser =')
    with serving(scenario, clock="manual") as server, httpx.Client(timeout=20) as http, Raw(server.url) as raw:
        yield raw, beside(server, http)


@pytest.fixture
def raw(server: Running) -> Iterator[Raw]:
    with Raw(server.url) as connection:
        yield connection


@pytest.fixture
def client(server: Running) -> Iterator[OAuthClient]:
    with httpx.Client(timeout=20) as http:
        yield beside(server, http)


def beside(server: Running, http: httpx.Client) -> OAuthClient:
    assert server.oauth is not None
    return OAuthClient(http, server.oauth.url, server.oauth, server.mock.admission.credentials)


def ask(raw: Raw, token: str, session: str = "") -> tuple[int, str]:
    # One that asked the same before would be heard as a retry, and be told the same.
    said = chat(f"hi {next(NUMBERS)}")
    answer = raw.ask("POST", f"{session and f'/@{session}'}{CHAT}", said, authorization=f"Bearer {token}")
    return answer.status, text(answer) if answer.status == 200 else answer.json["error"]["code"]


# --- tokens -----------------------------------------------------------------------------------------------------------


def test_a_token_of_every_grant_is_good_and_counted_until_its_time_is_over(
    server: Running, raw: Raw, client: OAuthClient
) -> None:
    """`token.grant` counts the tokens of one consent, and `token.name` is whom it is of."""
    first = client.tokens()
    assert (200, "alice 1") == ask(raw, first["access_token"])
    server.clock.advance(59)  # type: ignore[attr-defined]
    assert (200, "alice 1") == ask(raw, first["access_token"])
    server.clock.advance(1)  # type: ignore[attr-defined]
    assert (401, "token_expired") == ask(raw, first["access_token"])
    second = client.refresh(first["refresh_token"]).json()
    assert (200, "alice 2") == ask(raw, second["access_token"])
    assert (401, "invalid_api_key") == ask(raw, second["refresh_token"])
    assert (200, "llmposter 1") == ask(raw, client.ask(grant_type="client_credentials").json()["access_token"])


def test_every_official_sdk_is_let_in_by_an_access_token(server: Running, client: OAuthClient) -> None:
    """As the key of OpenAI's, as the auth token of Anthropic's, as the credentials of Google's for Vertex AI."""
    token = client.tokens()["access_token"]
    with ExitStack() as stack:
        chats = stack.enter_context(openai.OpenAI(base_url=server.openai_url, api_key=token, max_retries=0))
        made = chats.chat.completions.create(model="m", messages=[{"role": "user", "content": "hi"}])
        assert "alice 1" == made.choices[0].message.content
        assert "alice 1" == chats.responses.create(model="m", input="hi").output_text
        messages = stack.enter_context(anthropic.Anthropic(base_url=server.url, auth_token=token, max_retries=0))
        said = messages.messages.create(model="m", max_tokens=9, messages=[{"role": "user", "content": "hi"}])
        assert "alice 1" == said.content[0].text  # type: ignore[union-attr]
        there = types.HttpOptions(base_url=server.url)
        google = genai.Client(
            vertexai=True, project="p", location="l", http_options=there, credentials=Credentials(token)
        )
        stack.callback(google.close)
        assert "alice 1" == google.models.generate_content(model="m", contents="hi").text


def test_tokens_of_a_session_are_good_in_it_alone(raw: Raw, client: OAuthClient) -> None:
    """And those of no session in all, so that tests in parallel may share a server or not."""
    mine, everywhere = client.at("mine").tokens()["access_token"], client.tokens()["access_token"]
    assert [200, 401, 401] == [ask(raw, mine, session)[0] for session in ("mine", "", "other")]
    assert [200, 200, 200] == [ask(raw, everywhere, session)[0] for session in ("mine", "", "other")]


@pytest.mark.parametrize(
    "session, left", [(None, []), ("mine", ["everywhere", "other"]), ("other", ["everywhere", "mine"])]
)
def test_a_reset_ends_what_was_given(
    session: str | None, left: list[str], server: Running, raw: Raw, client: OAuthClient
) -> None:
    """In one session, or all of it; what the client then presents nobody knows, and it begins with its first grant."""
    held = {name: client.at(name).tokens() for name in ("mine", "other")} | {"everywhere": client.tokens()}
    raw.ask("POST", f"{f'/@{session}' if session else ''}/_llmposter/reset")
    where = {"everywhere": "third"}
    good = [name for name, each in held.items() if ask(raw, each["access_token"], where.get(name, name))[0] == 200]
    assert left == sorted(good)
    again = client.at(session) if session else client
    assert (200, "alice 1") == ask(raw, again.tokens()["access_token"], session or "")


# --- who starts one ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scenario", [PLAIN, "[auth]\ntokens = []\n" + PLAIN])
def test_the_settings_start_one_where_no_scenario_does(scenario: str) -> None:
    """Requests need a token of it then."""
    with (
        serving(scenario, oauth=OAuth(client=Client("mine", "s3cret"))) as server,
        httpx.Client() as http,
        Raw(server.url) as raw,
    ):
        client = beside(server, http)
        client.id, client.secret = "mine", "s3cret"
        assert 401 == raw.ask("POST", CHAT, chat("hi")).status
        assert (200, "ok") == ask(raw, client.ask(grant_type="client_credentials").json()["access_token"])


def test_what_a_scenario_says_holds_before_the_settings() -> None:
    """`run --oauth` changes nothing for a scenario that has a server of its own."""
    with serving(PLAIN, SCENARIO, oauth=OAuth(access_lifetime=5.0)) as server:
        assert server.oauth is not None
        assert 60.0 == server.oauth.settings.access_lifetime


def test_there_is_none_unless_somebody_asks() -> None:
    """No metadata, no address, and an admin API that says how to have one."""
    with serving('[auth]\ntokens = [{ name = "sk-good" }]\n' + PLAIN) as server, Raw(server.url) as raw:
        assert server.oauth is None
        assert 'Bearer realm="llmposter"' == raw.ask("POST", CHAT, chat("hi")).headers["www-authenticate"]
        assert 404 == raw.ask("GET", METADATA).status
        assert raw.ask("GET", "/_llmposter/health").json["oauth_url"] is None
        for method, path in (("GET", ""), ("POST", "/approve"), ("POST", "/deny"), ("POST", "/answers")):
            answer = raw.ask(method, f"/_llmposter/oauth{path}", {})
            assert (409, True) == (answer.status, "start llmposter with `--oauth`" in answer.message)


# --- what the endpoints tell of it ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path, resource, issuer",
    [
        (METADATA, "", ""),
        (f"{METADATA}/", "", ""),
        (f"{METADATA}/v1", "/v1", ""),
        (f"{METADATA}/v1/chat/completions", "/v1/chat/completions", ""),
        (f"{METADATA}/@a", "/@a", "/@a"),
        (f"{METADATA}/@a/v1", "/@a/v1", "/@a"),
        (f"/@a{METADATA}", "/@a", "/@a"),
        (f"/@a{METADATA}/v1", "/@a/v1", "/@a"),
        (f"{METADATA}/a%20b", "/a%20b", ""),
    ],
)
def test_the_metadata_of_a_resource_names_it_and_its_server(
    path: str, resource: str, issuer: str, server: Running, raw: Raw
) -> None:
    """RFC 9728: wherever a client looks, with the session of its base URL."""
    assert server.oauth is not None
    answer = raw.ask("GET", path)
    assert (200, "application/json") == (answer.status, answer.headers["content-type"])
    assert {
        "resource": f"{server.url}{resource}",
        "authorization_servers": [f"{server.oauth.url}{issuer}"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "bearer_methods_supported": ["header"],
        "resource_name": "llmposter",
    } == answer.json
    assert b"" == raw.ask("HEAD", path).body
    assert [] == server.mock.journal()["entries"]


@pytest.mark.parametrize("path", [f"{METADATA}s", f"{METADATA}-a", "/.well-known/oauth-authorization-server"])
def test_nothing_else_is_such_metadata(path: str, raw: Raw) -> None:
    """A path beside it is a path that nobody answers."""
    assert 404 == raw.ask("GET", path).status
    assert 404 == raw.ask("POST", METADATA, {}).status


HOSTS = [("localhost", "localhost"), ("agent.localhost", "agent.localhost"), ("[::1]", "[::1]")]


@pytest.mark.parametrize("host, named", [*HOSTS, ("evil.example", "127.0.0.1"), ('a" b', "127.0.0.1")])
def test_a_resource_is_named_as_its_client_reached_it(host: str, named: str, server: Running, raw: Raw) -> None:
    """The OAuth server too, if that is a name that it has."""
    assert server.oauth is not None
    answer = raw.ask("GET", METADATA, host=f"{host}:1234").json
    assert [f"http://{named}:{server.oauth.port}"] == answer["authorization_servers"]
    assert (f"http://{host}:1234" if '"' not in host else server.url) == answer["resource"]


@pytest.mark.parametrize(
    "path, headers, where",
    [
        (CHAT, {}, ""),
        (f"/@a{CHAT}", {}, "/@a"),
        (CHAT, {"x_llmposter_session": "a"}, ""),
        (f"/@a{CHAT}", {"x_llmposter_session": "b"}, "/@a"),
        ("/@a/v1/embeddings", {}, "/@a"),
    ],
)
def test_a_401_says_where_the_metadata_stands(
    path: str, headers: dict[str, str], where: str, server: Running, raw: Raw
) -> None:
    """A client that follows it gets to the server whose tokens are good there."""
    answer = raw.ask("POST", path, chat("hi"), **headers)
    metadata = f"{server.url}{METADATA}{where}"
    assert f'Bearer realm="llmposter", resource_metadata="{metadata}"' == answer.headers["www-authenticate"]
    told = httpx.get(metadata).json()
    assert path.startswith(told["resource"].removeprefix(server.url))
    (issuer,) = told["authorization_servers"]
    # RFC 8414, section 3.1: the path of an issuer stands behind the well-known one.
    described = urlsplit(issuer)._replace(path=f"/.well-known/oauth-authorization-server{where}")
    assert issuer == httpx.get(described.geturl()).json()["issuer"]


def test_a_bad_token_is_told_with_its_error_too(server: Running, raw: Raw) -> None:
    """RFC 6750 before RFC 9728."""
    headers = raw.ask("POST", CHAT, chat("hi"), authorization="Bearer nobody-knows-it").headers
    error = 'error="invalid_token", error_description="The access token is not known"'
    expected = f'Bearer realm="llmposter", {error}, resource_metadata="{server.url}{METADATA}"'
    assert expected == headers["www-authenticate"]


@pytest.mark.parametrize("origin, may", [("http://localhost:3000", True), ("https://evil.example", False)])
def test_pages_of_this_machine_may_read_it(origin: str, may: bool, raw: Raw) -> None:
    """The metadata, and the challenge of a 401."""
    for answer in (raw.ask("GET", METADATA, origin=origin), raw.ask("POST", CHAT, chat("hi"), origin=origin)):
        assert may == (answer.headers.get("access-control-allow-origin") == origin)
    assert not may or "www-authenticate" in answer.headers["access-control-expose-headers"]


# --- the admin API ----------------------------------------------------------------------------------------------------


def admin(raw: Raw, path: str, body: object = None) -> tuple[int, Any]:
    answer = raw.ask("GET" if body is None else "POST", path, body)
    return answer.status, answer.json


def test_what_was_asked_of_it_is_told(server: Running, raw: Raw, client: OAuthClient) -> None:
    """Each request to the token endpoint with what came of it, refreshes counted, and no token."""
    assert server.oauth is not None
    first = client.tokens()
    client.refresh(first["refresh_token"])
    client.refresh("nonsense")
    told = raw.ask("GET", "/_llmposter/oauth").json
    assert (server.oauth.url, 1) == (told["url"], told["refreshes"])
    assert [("authorization_code", "ok", 1), ("refresh_token", "ok", 2), ("refresh_token", "invalid_grant", None)] == [
        (each["grant_type"], each["outcome"], each["grant"]) for each in told["grants"]
    ]
    assert first["access_token"] not in str(told)
    assert first["refresh_token"] not in str(told)
    assert [] == raw.ask("GET", "/@other/_llmposter/oauth").json["grants"]
    assert server.oauth.url == raw.ask("GET", "/_llmposter/health").json["oauth_url"]
    assert f"{server.oauth.url}/@a" == raw.ask("GET", "/@a/_llmposter/health").json["oauth_url"]


def test_a_test_says_what_the_next_token_requests_get(raw: Raw, client: OAuthClient) -> None:
    """In the forms of `answers` in a scenario, in one session or none."""
    answers = [503, "invalid_grant", {"error": "slow_down", "status": 429}, "ok"]
    assert (200, {"ok": True, "session": None, "answers": 4}) == admin(
        raw, "/_llmposter/oauth/answers", {"answers": answers}
    )
    asked = [client.ask(grant_type="client_credentials") for _ in answers]
    assert [503, 400, 429, 200] == [each.status_code for each in asked]
    assert ["invalid_grant", "slow_down"] == [each.json()["error"] for each in asked[1:3]]
    assert (200, {"ok": True, "session": "a", "answers": 1}) == admin(
        raw, "/@a/_llmposter/oauth/answers", {"answers": ["invalid_client"]}
    )
    assert 200 == client.ask(grant_type="client_credentials").status_code
    assert "invalid_client" == client.at("a").ask(grant_type="client_credentials").json()["error"]


@pytest.mark.parametrize("verb, status, expected", [("approve", 200, ""), ("deny", 400, "access_denied")])
def test_a_test_decides_for_a_device(verb: str, status: int, expected: str, asking: tuple[Raw, OAuthClient]) -> None:
    """In place of the person who would type the code."""
    raw, client = asking
    begun = client.post("/device_authorization").json()
    told = {"ok": True, "user_code": begun["user_code"], "approved": verb == "approve"}
    assert (200, told) == admin(raw, f"/_llmposter/oauth/{verb}", {"user_code": begun["user_code"]})
    answer = client.ask(grant_type=DEVICE, device_code=begun["device_code"])
    assert (status, expected) == (answer.status_code, answer.json().get("error", ""))
    again = admin(raw, f"/_llmposter/oauth/{verb}", {"user_code": begun["user_code"]})
    assert (404, True) == (again[0], again[1]["error"]["message"].endswith("there wait: none"))


def test_a_test_says_who_consents(raw: Raw, client: OAuthClient) -> None:
    """From then on, in one session or none: whose tokens there are already they stay; a reset has the first again."""
    before, there = client.tokens(scope="openid email"), client.at("a")
    bob = {"sub": "bob", "email": "bob@example.com"}
    assert (200, {"ok": True, "session": None, "subject": "bob"}) == admin(raw, "/_llmposter/oauth/user", bob)
    after = client.tokens(scope="openid email")
    assert ["alice", "bob"] == [client.userinfo(each["access_token"]).json()["sub"] for each in (before, after)]
    assert "bob@example.com" == client.userinfo(after["access_token"]).json()["email"]
    assert [(200, "alice 1"), (200, "bob 1")] == [ask(raw, each["access_token"]) for each in (before, after)]
    assert (200, "alice 2") == ask(raw, client.refresh(before["refresh_token"]).json()["access_token"])
    assert (200, "alice 1") == ask(raw, there.tokens()["access_token"], "a")
    assert (200, {"ok": True, "session": "a", "subject": "eve"}) == admin(
        raw, "/@a/_llmposter/oauth/user", {"sub": "eve"}
    )
    assert (200, "eve 1") == ask(raw, there.tokens()["access_token"], "a")
    raw.ask("POST", "/_llmposter/reset")
    assert (200, "alice 1") == ask(raw, client.tokens()["access_token"])


WRONG = [
    ("answers", {}, 400, 'the body says not which answers: send {"answers": [503, "invalid_grant", "ok"]}'),
    ("answers", {"answers": ["ok", 200]}, 400, "answers[1]: `200` is no status of an error; a status of an error"),
    ("answers", {"answers": [{"lifetime": "soon"}]}, 400, "answers[0].lifetime: `soon` is no duration; write a number"),
    ("answers", {"answer": []}, 400, 'nobody knows "answer" here: send {"answers"'),
    ("approve", {}, 400, 'the body says not which device: send {"user_code": "BCDF-GHJK"}'),
    ("approve", {"user_code": 3}, 400, "the body says not which device"),
    ("user", {"email": "bob@example.com"}, 400, 'the body says not whom: send {"sub": "bob"'),
    ("user", {"sub": 7}, 400, "sub: `sub` is a number, expected a text"),
    ("user", {"sub": " "}, 400, "sub: `sub` is empty"),
    ("user", {"sub": "bob", "iss": "me"}, 400, "iss: the claim `iss` is the server's own; take it out"),
    ("user", ["bob"], 400, "the body is no object"),
    ("deny", {"user_code": "nope"}, 404, 'no device waits with the user code "nope"; there wait: '),
]


@pytest.mark.parametrize("path, body, status, said", WRONG)
def test_what_the_admin_api_cannot_do_is_told(
    path: str, body: object, status: int, said: str, asking: tuple[Raw, OAuthClient]
) -> None:
    """With what would be right; nothing of it is done."""
    raw, client = asking
    waiting = client.post("/device_authorization").json()["user_code"]
    answer = admin(raw, f"/_llmposter/oauth/{path}", body)
    assert (status, True) == (answer[0], answer[1]["error"]["message"].startswith(said))
    assert status != 404 or waiting in answer[1]["error"]["message"]
    assert 0 == raw.ask("GET", "/_llmposter/oauth").json["answers"]


def test_the_callback_of_the_scenario_is_the_only_one(client: OAuthClient) -> None:
    """What `[auth.oauth]` says is what the server does."""
    assert client.authorize(redirect_uri=CALLBACK).is_redirect
    assert 400 == client.authorize(redirect_uri="http://localhost:7777/elsewhere").status_code
    told = client.userinfo(client.tokens()["access_token"]).json()
    assert ("alice", "alice@example.com") == (told["sub"], told["email"])
