"""The OAuth companion on a real socket, and a client that does what one has to, by hand."""

from __future__ import annotations

import asyncio
import re
import threading
from base64 import urlsafe_b64encode
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import httpx

from llmposter.core.clock import Clock, RealClock
from llmposter.core.credentials import Credentials
from llmposter.server.oauth import Companion
from llmposter_dsl.companion import Client, OAuth

if TYPE_CHECKING:
    from collections.abc import Iterator

CALLBACK = "http://localhost:7777/callback"
VERIFIER = "v" * 64
CHALLENGE = urlsafe_b64encode(sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
SECRET = ("llmposter", "llmposter-secret")
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
CONFIDENTIAL = Client("llmposter", "llmposter-secret", ("http://localhost/callback",))


@dataclass(slots=True)
class OAuthClient:
    """A client of one issuer; `id` and `secret` as it sends them."""

    http: httpx.Client
    base: str
    companion: Companion
    credentials: Credentials
    id: str = SECRET[0]
    secret: str | None = SECRET[1]

    def ask(self, **fields: Any) -> httpx.Response:
        """A request to the token endpoint; a public client only names itself."""
        return self.post("/token", **fields)

    def post(self, path: str, **fields: Any) -> httpx.Response:
        auth = None if self.secret is None else (self.id, self.secret)
        fields |= {"client_id": self.id} if auth is None else {}
        return self.http.post(self.base + path, data=fields, auth=auth)  # type: ignore[arg-type]

    def authorize(self, **fields: Any) -> httpx.Response:
        """The browser at the authorization endpoint; a field that is None is left out."""
        usual = {
            "response_type": "code", "client_id": self.id, "redirect_uri": CALLBACK, "state": "st",
            "code_challenge": CHALLENGE, "code_challenge_method": "S256", "nonce": "n-1",
        }  # fmt: skip
        asked = {name: value for name, value in (usual | fields).items() if value is not None}
        return self.http.get(f"{self.base}/authorize", params=asked)

    def code(self, **fields: Any) -> str:
        return redirected(self.authorize(**fields))["code"]

    def redeem(self, code: str, **fields: Any) -> httpx.Response:
        asked = {"redirect_uri": CALLBACK, "code_verifier": VERIFIER} | fields
        return self.ask(grant_type="authorization_code", code=code, **asked)

    def tokens(self, **fields: Any) -> dict[str, Any]:
        """What a whole consent gives."""
        return given(self.redeem(self.code(**fields)))

    def refresh(self, token: str, **fields: Any) -> httpx.Response:
        return self.ask(grant_type="refresh_token", refresh_token=token, **fields)

    def introspect(self, token: str) -> dict[str, Any]:
        return given(self.post("/introspect", token=token))

    def userinfo(self, token: str) -> httpx.Response:
        return self.http.get(f"{self.base}/userinfo", headers={"authorization": f"Bearer {token}"})

    def good(self, token: str, session: str = "") -> bool:
        """Whether the endpoints of providers let it in."""
        now = self.companion.clock.now()
        found = self.credentials.find(token, now, session)
        return found is not None and found.state(now) == "good"

    def register(self, **metadata: Any) -> OAuthClient:
        """A client of its own."""
        said = {"redirect_uris": [CALLBACK]} | metadata
        answer = self.http.post(f"{self.base}/register", json=said)
        assert answer.status_code == 201, answer.text
        made = answer.json()
        return OAuthClient(
            self.http, self.base, self.companion, self.credentials, made["client_id"], made.get("client_secret")
        )

    def at(self, session: str) -> OAuthClient:
        """The same one at the issuer of a session."""
        base = f"{self.companion.url}/@{session}"
        return OAuthClient(self.http, base, self.companion, self.credentials, self.id, self.secret)


def redirected(answer: httpx.Response) -> dict[str, str]:
    """What the browser brings to the client."""
    assert answer.status_code == 303, answer.text
    return dict(parse_qsl(urlsplit(answer.headers["location"]).query))


def given(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    return answer.json()  # type: ignore[no-any-return]


def refused(answer: httpx.Response) -> str:
    """The error."""
    assert answer.status_code >= 400, answer.text
    return str(answer.json()["error"])


def field(page: str, name: str) -> str:
    """The value of a hidden field."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found is not None, page
    return found[1]


@contextmanager
def companion(clock: Clock | None = None, **settings: Any) -> Iterator[OAuthClient]:
    """One that runs, as its client sees it."""
    clock, credentials = clock or RealClock(), Credentials(on=True)
    made = Companion(OAuth(**settings), clock, credentials)
    with _running(made), httpx.Client(timeout=20, verify=False) as http:
        said = made.settings.client
        yield OAuthClient(http, made.url, made, credentials, said.id, said.secret)


@contextmanager
def _running(made: Companion) -> Iterator[None]:
    ready, stop = threading.Event(), threading.Event()

    async def main() -> None:
        await made.open()
        ready.set()
        await asyncio.get_running_loop().run_in_executor(None, stop.wait)
        await made.close()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left, left

    failed: list[BaseException] = []

    def run() -> None:
        try:
            asyncio.run(main())
        except BaseException as error:
            failed.append(error)
            ready.set()
            raise

    thread = threading.Thread(target=run)
    thread.start()
    ready.wait()
    try:
        yield
    finally:
        stop.set()
        thread.join()
    assert not failed, failed
