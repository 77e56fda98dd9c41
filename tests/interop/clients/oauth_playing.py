"""What every program of an OAuth library shares: the life of its tokens, and what is done with them beside the library.

Access and id tokens are verified by PyJWT, and the endpoints of a provider are asked by the `openai` SDK.
"""

import json
import time
import urllib.request
from collections.abc import Callable
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

import jwt
import openai
import requests

ID, SECRET = "agent", "s3cret"
CALLBACK = "http://localhost:7777/callback"
SCOPE = "openid email"
OVER = 1.7
"""Seconds after which a token that told one second is over for every library: oauthlib rounds to whole ones."""
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
TOOLS = [{"type": "function", "function": {"name": "report", "parameters": {"type": "object"}}}]

Heard = dict[str, Any]
Token = dict[str, Any]
Refused = Callable[[Callable[[], Any]], str]
"""The error that something ends with, as the library tells it."""


class Library(Protocol):
    """A client as its library has it; *issuer* is the metadata of the server, *id* that of the client."""

    issuer: dict[str, Any]
    id: str

    def begin(self) -> tuple[str, str]:
        """Where the browser is sent, and the nonce that was sent along."""

    def redeem(self, redirected: str) -> Token: ...

    def refresh(self, token: Token) -> Token: ...

    def introspect(self, value: str) -> dict[str, Any]: ...

    def revoke(self, value: str, hint: str) -> int:
        """The status."""

    def userinfo(self, token: Token) -> dict[str, Any]: ...

    def by_itself(self) -> Token:
        """By client credentials."""

    def shown(self) -> dict[str, Any]:
        """What a device is told to show."""

    def poll(self, code: str) -> Token:
        """With the device code."""


def admin(url: str, path: str, body: Any = None) -> Any:
    """The admin API, in the session of the base URL."""
    data = None if body is None else json.dumps(body).encode()
    asked = urllib.request.Request(f"{url}/_llmposter/{path}", data, {"content-type": "application/json"})
    return json.load(urllib.request.urlopen(asked))


def discovered(url: str) -> dict[str, Any]:
    """The metadata of the server that gives tokens for this base URL."""
    issuer = admin(url, "health")["oauth_url"]
    return json.load(urllib.request.urlopen(f"{issuer}/.well-known/openid-configuration"))


def browse(address: str) -> str:
    """Where a browser is sent on to."""
    answer = requests.get(address, allow_redirects=False)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def expire(url: str, name: str = "alice") -> None:
    """The end of all tokens of a name, before the time that they told."""
    admin(url, "tokens/expire", {"name": name})


def verified(issuer: dict[str, Any], token: str, audience: str = ID) -> dict[str, Any]:
    key = jwt.PyJWKClient(issuer["jwks_uri"]).get_signing_key_from_jwt(token)
    return jwt.decode(token, key, algorithms=["RS256"], audience=audience, issuer=issuer["issuer"])


def let_in(url: str, token: str) -> str:
    """What the official SDK makes of a token: ``yes``, or the code of its error."""
    try:
        openai.OpenAI(base_url=f"{url}/v1", api_key=token, max_retries=0).models.list()
    except openai.AuthenticationError as error:
        return str(error.code)
    return "yes"


class Agent:
    """One conversation, in which a tool runs; a key is asked for at each request."""

    def __init__(self, url: str, key: Callable[[], str]) -> None:
        self._client = openai.OpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0)
        self._messages: list[Any] = [{"role": "user", "content": "Run the report."}]

    def ask(self) -> str:
        """What is said, or the tool that is called."""
        answer = self._client.chat.completions.create(model="gpt-4o", messages=self._messages, tools=TOOLS)
        message = answer.choices[0].message
        self._messages.append(message)
        for call in message.tool_calls or ():
            self._messages.append({"role": "tool", "tool_call_id": call.id, "content": '{"rows": 12}'})
            return call.function.name
        return str(message.content)


def worked(url: str, token: Token, again: Callable[[Token], Token], name: str = "alice") -> tuple[list[str], Token]:
    """A loop whose token ends while the tool runs: the 401 makes the application get another one, and ask again."""
    agent = Agent(url, lambda: token["access_token"])
    said = [agent.ask()]
    expire(url, name)
    try:
        said.append(agent.ask())
    except openai.AuthenticationError as error:
        said.append(str(error.code))
        token = again(token)
    return [*said, agent.ask()], token


def life(library: Library, url: str, refused: Refused) -> Heard:
    """All that becomes of three consents: one is revoked, of one a refresh token is used twice, one is logged out."""
    issuer, (first, nonce) = library.issuer, _consented(library)
    access, identity = verified(issuer, first["access_token"]), verified(issuer, first["id_token"])
    assert identity["nonce"] == nonce
    userinfo = library.userinfo(first)
    loop, second = worked(url, first, library.refresh)
    active = library.introspect(second["access_token"])["active"]
    assert library.revoke(second["refresh_token"], "refresh_token") == 200
    third, _ = _consented(library)
    fourth = dict(library.refresh(third))
    fifth, _ = _consented(library)
    logged_out = requests.get(issuer["end_session_endpoint"], params={"id_token_hint": fifth["id_token"]})
    return {
        "access": [access[name] for name in ("sub", "client_id", "scope")],
        "identity": [identity[name] for name in ("sub", "email")],
        "userinfo": userinfo,
        "loop": loop,
        "rotated": first["refresh_token"] != second["refresh_token"],
        "revoked": [active, library.introspect(second["access_token"]), let_in(url, second["access_token"])],
        "reused": [refused(lambda used=each: library.refresh(used)) for each in (third, fourth)],
        "after reuse": library.introspect(fourth["access_token"]),
        "logged out": [logged_out.status_code, library.introspect(fifth["access_token"])],
    }


def public(library: Library, url: str) -> Heard:
    """A client without a secret: its code, its loop, and the end that it puts to its tokens."""
    (first, _) = _consented(library)
    access = verified(library.issuer, first["access_token"], library.id)
    loop, second = worked(url, first, library.refresh)
    assert library.revoke(second["refresh_token"], "refresh_token") == 200
    return {"access": access["sub"], "loop": loop, "revoked": let_in(url, second["access_token"])}


def itself(library: Library, url: str) -> Heard:
    """A client that speaks for itself, and asks again in place of a refresh."""
    token = dict(library.by_itself())
    access = verified(library.issuer, token["access_token"])
    loop, _ = worked(url, token, lambda _: dict(library.by_itself()), ID)
    return {"access": access["sub"], "refresh": "refresh_token" in token, "loop": loop}


def device(library: Library, url: str, refused: Refused) -> Heard:
    """A device that asks too early, is let in by somebody, and goes on as others do; and one that is refused."""
    shown, denied = library.shown(), library.shown()
    early = [refused(lambda: library.poll(shown["device_code"])) for _ in range(2)]
    admin(url, "oauth/approve", {"user_code": shown["user_code"]})
    admin(url, "oauth/deny", {"user_code": denied["user_code"]})
    loop, _ = worked(url, dict(library.poll(shown["device_code"])), library.refresh)
    late = [refused(lambda code=each["device_code"]: library.poll(code)) for each in (denied, shown)]
    return {"early": early, "loop": loop, "late": late}


def early(library: Library, url: str, ask: Callable[[Token], Token]) -> Heard:
    """A library that goes by the time that a token told: it has another one before anybody answers with a 401.

    Args:
        ask: any request, which has the library refresh.
    """
    admin(url, "oauth/answers", {"answers": [{"expires_in": 1}]})
    first, _ = _consented(library)
    agent = Agent(url, lambda: token["access_token"])
    token = first
    said = [agent.ask()]
    time.sleep(OVER)
    expire(url)
    token = ask(first)
    return {"loop": [*said, agent.ask()], "rotated": token["refresh_token"] != first["refresh_token"]}


def _consented(library: Library) -> tuple[Token, str]:
    address, nonce = library.begin()
    return dict(library.redeem(browse(address))), nonce


def query(address: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(address).query))
