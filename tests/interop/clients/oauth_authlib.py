"""Authlib's client, in its flavours for `requests` and for `httpx`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import requests
from authlib.common.security import generate_token
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import OAuth2Client
from authlib.integrations.requests_client import OAuth2Session
from oauth_playing import (
    CALLBACK,
    DEVICE,
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
from playing import run

FLAVOURS = {"httpx": OAuth2Client, "requests": OAuth2Session}


class Authlib:
    """With PKCE, and the secret in the header."""

    def __init__(self, url: str, flavour: str, **said: Any) -> None:
        self.issuer = discovered(url)
        said = {"client_id": ID, "client_secret": SECRET, "redirect_uri": CALLBACK, "scope": SCOPE} | said
        self.id = said["client_id"]
        self.client = FLAVOURS[flavour](
            **said, code_challenge_method="S256", token_endpoint=self.issuer["token_endpoint"]
        )

    def begin(self) -> tuple[str, str]:
        nonce, self._verifier = generate_token(), generate_token(48)
        address, self._state = self.client.create_authorization_url(
            self.issuer["authorization_endpoint"], code_verifier=self._verifier, nonce=nonce
        )
        return address, nonce

    def redeem(self, redirected: str) -> Token:
        return self.client.fetch_token(
            authorization_response=redirected, state=self._state, code_verifier=self._verifier
        )

    def refresh(self, token: Token) -> Token:
        return self.client.refresh_token(refresh_token=token["refresh_token"])

    def introspect(self, value: str) -> dict[str, Any]:
        return self.client.introspect_token(self.issuer["introspection_endpoint"], token=value).json()

    def revoke(self, value: str, hint: str) -> int:
        return self.client.revoke_token(self.issuer["revocation_endpoint"], value, hint).status_code

    def userinfo(self, token: Token) -> dict[str, Any]:
        self.client.token = token
        return self.client.get(self.issuer["userinfo_endpoint"]).json()

    def by_itself(self) -> Token:
        return self.client.fetch_token(grant_type="client_credentials")

    def shown(self) -> dict[str, Any]:
        address = self.issuer["device_authorization_endpoint"]
        return requests.post(address, {"scope": SCOPE}, auth=(ID, SECRET)).json()

    def poll(self, code: str) -> Token:
        return self.client.fetch_token(grant_type=DEVICE, device_code=code)


def refused(ask: Callable[[], Any]) -> str:
    try:
        ask()
    except OAuthError as error:
        return str(error.error)
    return "nothing"


def without_secret(url: str, flavour: str, _: bool) -> Heard:
    """A client that registered without a secret, which tells nobody but itself."""
    metadata = {"redirect_uris": [CALLBACK], "token_endpoint_auth_method": "none", "client_name": "An app"}
    made = requests.post(discovered(url)["registration_endpoint"], json=metadata).json()
    return public(Authlib(url, flavour, client_id=made["client_id"], client_secret=None), url)


def by_its_clock(url: str, flavour: str, _: bool) -> Heard:
    """The session that refreshes by itself, a minute before the time that the token told."""
    library = Authlib(url, flavour)
    told: list[Token] = []
    library.client.update_token = lambda token, **_: told.append(dict(token))
    return early(library, url, lambda token: library.userinfo(token) and told[-1])


flow = {
    "code": lambda url, flavour, _: life(Authlib(url, flavour), url, refused),
    "public": without_secret,
    "itself": lambda url, flavour, _: itself(Authlib(url, flavour), url),
    "device": lambda url, flavour, _: device(Authlib(url, flavour), url, refused),
    "early": by_its_clock,
}
run(flow=flow)
