"""What stands beside the token endpoint: revocation, introspection, device authorization, userinfo, end of a session.

Each is made for one request, and asks the credential of a token whether that is still good.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import urlsplit

from authlib.oauth2.rfc6749 import InvalidRequestError, InvalidScopeError, UnauthorizedClientError
from authlib.oauth2.rfc6750 import BearerTokenValidator, InsufficientScopeError, InvalidTokenError
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7662 import IntrospectionEndpoint
from authlib.oauth2.rfc8628 import DeviceAuthorizationEndpoint
from authlib.oidc.rpinitiated import EndSessionEndpoint

from llmposter.oauth.keys import ALGORITHM, key_set
from llmposter.oauth.mint import one_or_all
from llmposter.oauth.records import DEVICE, METHODS, SECRET_METHODS, Access, Device, Refresh
from llmposter.oauth.users import claims

if TYPE_CHECKING:
    from joserfc.jwk import KeySet

    from llmposter.oauth.asked import Asked
    from llmposter.oauth.provider import Provider
    from llmposter.oauth.records import Registered

_REALM: Final = "llmposter"


@dataclass(frozen=True, slots=True)
class Held:
    """A token as Authlib asks about it, at one moment."""

    token: Access | Refresh
    state: str

    @classmethod
    def of(cls, server: Provider, value: str) -> Held | None:
        """An access token or a refresh token, whatever a hint says (RFC 7009, section 2.1)."""
        now, store = server.now(), server.store
        if (access := store.tokens.get(value)) is not None:
            return cls(access, store.state(access, now))
        if (refresh := store.refreshes.get(value)) is not None:
            return cls(refresh, "good" if refresh.alive(now) else "revoked")
        return None

    def check_client(self, client: Registered) -> bool:
        return self.token.line.client == client.id

    def get_scope(self) -> str:
        return self.token.scope if isinstance(self.token, Access) else self.token.get_scope()

    def is_expired(self) -> bool:
        return self.state != "good"

    def is_revoked(self) -> bool:
        return self.state == "revoked"


class Revocation(RevocationEndpoint):  # type: ignore[misc]
    """RFC 7009: an access token ends alone, a refresh token with all of its consent."""

    CLIENT_AUTH_METHODS = METHODS

    def check_params(self, request: Asked, client: Registered) -> None:  # noqa: ARG002 - Authlib's
        if "token" not in request.form:
            raise InvalidRequestError("token is missing")

    def query_token(self, token_string: str, token_type_hint: str | None) -> Held | None:  # noqa: ARG002 - Authlib's
        return Held.of(self.server, token_string)

    def revoke_token(self, token: Held, request: Asked) -> None:  # noqa: ARG002 - Authlib's
        store, now = self.server.store, self.server.now()
        if isinstance(token.token, Access):
            store.revoke(token.token.value, now)
        else:
            token.token.state = "revoked"
            store.end(token.token.line, now)


class Introspection(IntrospectionEndpoint):  # type: ignore[misc]
    """RFC 7662, for clients with a secret; of a refresh token only whose it is learns anything."""

    CLIENT_AUTH_METHODS = SECRET_METHODS
    check_params = Revocation.check_params
    query_token = Revocation.query_token

    def check_permission(self, token: Held, client: Registered, request: Asked) -> bool:  # noqa: ARG002 - Authlib's
        return isinstance(token.token, Access) or token.check_client(client)

    def authenticate_token(self, request: Asked, client: Registered) -> Held | None:
        self.issuer = request.issuer
        return super().authenticate_token(request, client)  # type: ignore[no-any-return]

    def introspect_token(self, token: Held) -> dict[str, Any]:
        line = token.token.line
        told: dict[str, Any] = {
            "active": True, "iss": self.issuer, "client_id": line.client, "sub": line.subject,
            "scope": token.get_scope(),
        }  # fmt: skip
        match token.token:
            case Access() as access:
                told |= {"token_type": "Bearer", "jti": access.id, "iat": access.since, "exp": access.until}
                told["aud"] = one_or_all(access.audience)
            case Refresh() as refresh:
                told |= {"token_type": "refresh_token"}
                told |= {} if refresh.until is None else {"exp": int(refresh.until)}
        return told


class DeviceAuthorization(DeviceAuthorizationEndpoint):  # type: ignore[misc]
    """RFC 8628, section 3.1."""

    CLIENT_AUTH_METHODS = METHODS

    def __init__(self, server: Provider, asked: Asked) -> None:
        super().__init__(server)
        self._issuer = asked.issuer
        self.EXPIRES_IN = _number(server.settings.device_lifetime)
        self.INTERVAL = _number(server.settings.device_interval)

    def authenticate_client(self, request: Asked) -> Registered:
        client: Registered = super().authenticate_client(request)
        if not client.check_grant_type(DEVICE):
            raise UnauthorizedClientError("the client has not registered this grant type")
        if client.get_allowed_scope(request.payload.scope) is None:
            raise InvalidScopeError
        return client

    def generate_user_code(self) -> str:
        return cast("str", self.server.ids.user_code())

    def generate_device_code(self) -> str:
        return cast("str", self.server.ids.value())

    def get_verification_uri(self) -> str:
        return f"{self._issuer}/device"

    def save_device_credential(self, client_id: str, scope: str | None, data: dict[str, Any]) -> None:
        server: Provider = self.server
        client = server.store.clients[client_id]
        until = server.now() + server.settings.device_lifetime
        allowed = client.get_allowed_scope(scope) or ""
        made = Device(
            data["device_code"], data["user_code"], client_id, allowed, until, server.settings.device_interval
        )
        if server.settings.approval == "auto":
            made.state, made.user = "approved", server.user
        server.store.devices.put(made.value, made)


class _Bearer(BearerTokenValidator):  # type: ignore[misc]
    def __init__(self, server: Provider) -> None:
        super().__init__(realm=_REALM)
        self._server = server

    def authenticate_token(self, token_string: str) -> Held | None:
        found = Held.of(self._server, token_string)
        return found if found is not None and isinstance(found.token, Access) else None


def userinfo(server: Provider, asked: Asked) -> tuple[int, dict[str, Any], list[tuple[str, str]]]:
    """OpenID Connect Core, section 5.3. Raises an error of RFC 6750."""
    scheme, _, value = asked.headers.get("Authorization", "").partition(" ")
    presented = value.strip() if scheme.lower() == "bearer" else asked.form.get("access_token", "")
    if not presented:
        raise _MissingError(realm=_REALM)
    bearer = _Bearer(server)
    token = bearer.authenticate_token(presented)
    bearer.validate_token(token, ["openid"], asked)
    assert token is not None
    if (user := token.token.line.user) is None:
        raise InsufficientScopeError
    return 200, claims(user, token.get_scope()), []


class _MissingError(InvalidTokenError):  # type: ignore[misc]
    """Who comes with no token is told of no error (RFC 6750, section 3.1)."""

    def get_headers(self) -> list[tuple[str, str]]:
        return [("WWW-Authenticate", f'Bearer realm="{self.realm}"')]


class EndSession(EndSessionEndpoint):  # type: ignore[misc]
    """RP-initiated logout: what this client, or without one what the user, was granted has ended."""

    def validate_request(self, request: Asked) -> Any:
        """Raises an error also for an id token of another issuer, which has the same key."""
        found = super().validate_request(request)
        if found.id_token_claims is not None and _where(found.id_token_claims.get("iss")) != _where(request.issuer):
            raise InvalidRequestError("the id token is of another issuer")
        return found

    def get_server_jwks(self) -> KeySet:
        return key_set()

    def get_algorithms(self) -> list[str]:
        return [ALGORITHM]

    def end_session(self, end_session_request: Any) -> None:
        server: Provider = self.server
        subject = (end_session_request.id_token_claims or {}).get("sub", server.user.subject)
        client, now = end_session_request.client, server.now()
        for line in server.store.lines():
            if line.subject == subject and (client is None or client.id == line.client):
                server.store.end(line, now)


def _where(issuer: object) -> tuple[str, int | None, str]:
    """An issuer, whichever name of this host stands in it."""
    parts = urlsplit(str(issuer))
    return parts.scheme, parts.port, parts.path


def _number(seconds: float) -> float | int:
    return int(seconds) if seconds == int(seconds) else seconds
