"""The tokens that are given: JWTs of RFC 9068 and OpenID Connect, refresh tokens, and what a client is told of them.

Each is another, and an access token is a credential of the server from its making on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from authlib.oidc.core.util import create_half_hash

from llmposter.oauth.asked import resources
from llmposter.oauth.keys import ALGORITHM, signed
from llmposter.oauth.records import Access, Refresh
from llmposter.oauth.users import claims

if TYPE_CHECKING:
    from llmposter.oauth.asked import Asked
    from llmposter.oauth.ids import Ids
    from llmposter.oauth.records import Line
    from llmposter.oauth.store import Store
    from llmposter_dsl.companion import OAuth, TokenAnswer


class Mint:
    """Makes all tokens of one issuer."""

    def __init__(self, settings: OAuth, store: Store, ids: Ids) -> None:
        self._settings, self._store, self._ids = settings, store, ids

    def tokens(self, asked: Asked, line: Line, scope: str, now: float, *, refresh: bool) -> dict[str, Any]:
        """The answer to a request that is granted; *refresh*: as far as the grant goes, with a refresh token."""
        audience = resources(asked, line.resources) or (line.client,)
        line.granted += 1
        asked.line = line
        access = self._access(asked, line, scope, audience, int(now))
        lifetime = asked.scripted.lifetime
        self._store.issue(access, self._settings.access_lifetime if lifetime is None else lifetime, now)
        told: dict[str, Any] = {"access_token": access.value, "token_type": "Bearer", "scope": scope}
        told |= self._expires_in(asked.scripted)
        if refresh and self._settings.refresh != "none" and asked.client.check_grant_type("refresh_token"):
            told["refresh_token"] = self._refresh(line, now)
        if line.user is not None and "openid" in scope.split():
            told["id_token"] = self._id_token(asked, line, claims(line.user, scope), access)
        return told

    def _expires_in(self, said: TokenAnswer) -> dict[str, int]:
        if said.expires_in is False or (said.expires_in is True and not self._settings.expires_in):
            return {}
        return {"expires_in": whole(self._settings.access_lifetime) if said.expires_in is True else said.expires_in}

    def _refresh(self, line: Line, now: float) -> str:
        value, lifetime = self._ids.value("rt-"), self._settings.refresh_lifetime
        self._store.refreshes.put(value, Refresh(value, line, None if lifetime is None else now + lifetime))
        return value

    def _access(self, asked: Asked, line: Line, scope: str, audience: tuple[str, ...], since: int) -> Access:
        """What it says of its end is what would be usual: one that dies early does not tell."""
        lifetime = max(self._settings.access_lifetime, asked.scripted.lifetime or 0)
        until, number = since + whole(lifetime), self._ids.value()
        said = {
            "iss": asked.issuer, "sub": line.subject, "aud": one_or_all(audience),
            "exp": until, "iat": since, "jti": number, "client_id": line.client, "scope": scope,
        }  # fmt: skip
        return Access(signed(said, "at+jwt"), line, scope, audience, number, since, until)

    def _id_token(self, asked: Asked, line: Line, told: dict[str, Any], access: Access) -> str:
        """OpenID Connect Core, section 2; a refreshed one has no nonce (section 12.2)."""
        said = told | {
            "iss": asked.issuer, "aud": line.client, "exp": access.until, "iat": access.since,
            "auth_time": int(line.signed_in), "at_hash": create_half_hash(access.value, ALGORITHM).decode(),
        }  # fmt: skip
        if line.nonce is not None and line.granted == 1:
            said["nonce"] = line.nonce
        return signed(said)


def one_or_all(audience: tuple[str, ...]) -> str | list[str]:
    """As it stands in a token (RFC 7519, section 4.1.3)."""
    return audience[0] if len(audience) == 1 else list(audience)


def whole(seconds: float) -> int:
    """As clients expect to read them: rounded up, so that a short one is not told as none."""
    return -int(-seconds // 1)
