"""`requests-oauthlib`, and oauthlib below it."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import requests
from oauth_playing import (
    CALLBACK,
    ID,
    SCOPE,
    SECRET,
    Heard,
    Token,
    device,
    discovered,
    early,
    itself,
    life,
    public,
)
from oauthlib.oauth2 import BackendApplicationClient, DeviceClient, OAuth2Error
from playing import run
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session

# oauthlib takes no `http`, not even that of this machine; and a scope in another order for another scope.
os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"
SCOPES = SCOPE.split()


class Oauthlib:
    """With PKCE, and the secret in the header; without one the client names itself in the body."""

    def __init__(self, url: str, client_id: str = ID, secret: str | None = SECRET) -> None:
        self.issuer, self.id = discovered(url), client_id
        self._auth = None if secret is None else HTTPBasicAuth(client_id, secret)
        self._named = {"client_id": client_id} if secret is None else {}
        self.session = OAuth2Session(client_id, scope=SCOPES, redirect_uri=CALLBACK, pkce="S256")

    def begin(self) -> tuple[str, str]:
        nonce = os.urandom(8).hex()
        address, _ = self.session.authorization_url(self.issuer["authorization_endpoint"], nonce=nonce)
        return address, nonce

    def redeem(self, redirected: str) -> Token:
        return self.session.fetch_token(
            self.issuer["token_endpoint"], authorization_response=redirected, auth=self._auth,
            include_client_id=self._auth is None,
        )  # fmt: skip

    def refresh(self, token: Token) -> Token:
        return self.session.refresh_token(
            self.issuer["token_endpoint"], refresh_token=token["refresh_token"], auth=self._auth, **self._named
        )

    def introspect(self, value: str) -> dict[str, Any]:
        return requests.post(self.issuer["introspection_endpoint"], {"token": value}, auth=self._auth).json()

    def revoke(self, value: str, hint: str) -> int:
        address, headers, body = self.session._client.prepare_token_revocation_request(
            self.issuer["revocation_endpoint"], value, hint, **self._named
        )
        return requests.post(address, body, headers=headers, auth=self._auth).status_code

    def userinfo(self, token: Token) -> dict[str, Any]:
        self.session.token = token
        return self.session.get(self.issuer["userinfo_endpoint"]).json()

    def by_itself(self) -> Token:
        session = OAuth2Session(client=BackendApplicationClient(ID))
        return session.fetch_token(self.issuer["token_endpoint"], auth=self._auth)

    def shown(self) -> dict[str, Any]:
        self._device = OAuth2Session(client=DeviceClient(ID), scope=SCOPES)
        address = self.issuer["device_authorization_endpoint"]
        return requests.post(address, {"scope": SCOPE}, auth=self._auth).json()

    def poll(self, code: str) -> Token:
        return self._device.fetch_token(self.issuer["token_endpoint"], device_code=code, auth=self._auth)


def refused(ask: Callable[[], Any]) -> str:
    try:
        ask()
    except OAuth2Error as error:
        return str(error.error)
    return "nothing"


def without_secret(url: str, _: str, _stream: bool) -> Heard:
    metadata = {"redirect_uris": [CALLBACK], "token_endpoint_auth_method": "none"}
    made = requests.post(discovered(url)["registration_endpoint"], json=metadata).json()
    return public(Oauthlib(url, made["client_id"], None), url)


def by_its_clock(url: str, _: str, _stream: bool) -> Heard:
    """The session that refreshes by itself once the time is over that the token told."""
    library = Oauthlib(url)
    told: list[Token] = []

    def ask(token: Token) -> Token:
        session = OAuth2Session(
            ID, token=token, auto_refresh_url=library.issuer["token_endpoint"], token_updater=told.append
        )
        session.get(library.issuer["userinfo_endpoint"], client_id=ID, client_secret=SECRET).raise_for_status()
        return told[-1]

    return early(library, url, ask)


flow = {
    "code": lambda url, *_: life(Oauthlib(url), url, refused),
    "public": without_secret,
    "itself": lambda url, *_: itself(Oauthlib(url), url),
    "device": lambda url, *_: device(Oauthlib(url), url, refused),
    "early": by_its_clock,
}
run(flow=flow)
