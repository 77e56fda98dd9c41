"""The four grants, on Authlib's, which checks what the RFCs say; here stands what it leaves open.

Every one of them authenticates the client, and tells why it gives nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from authlib.oauth2.rfc6749 import InvalidGrantError, InvalidRequestError, InvalidScopeError, grants
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc8628 import DeviceCodeGrant, ExpiredTokenError
from authlib.oidc.core.errors import ConsentRequiredError, RequestNotSupportedError, RequestURINotSupportedError

from llmposter.oauth.asked import resources
from llmposter.oauth.records import DEVICE, METHODS, SECRET_METHODS, Code, Device, Line, Refresh

if TYPE_CHECKING:
    from llmposter.oauth.asked import Asked
    from llmposter.oauth.provider import Provider
    from llmposter.oauth.records import Registered
    from llmposter_dsl.companion import User

SLOWER: Final = 5.0
"""Seconds by which a device that came too early has to stay away longer from then on (RFC 8628, section 3.5)."""


class _Minting:
    """The token is made by the provider, which knows its line."""

    server: Provider
    request: Any
    TOKEN_ENDPOINT_AUTH_METHODS = METHODS

    def line(self) -> Line:
        raise AssertionError  # each grant has its own

    def authenticate_token_endpoint_client(self) -> Registered:
        self.request.client = self.server.authenticate_client(self.request, self.TOKEN_ENDPOINT_AUTH_METHODS)
        return self.request.client  # type: ignore[no-any-return]

    def generate_token(
        self, *, user: object = None, scope: str | None = None, include_refresh_token: bool = True, **_: object
    ) -> dict[str, Any]:
        del user  # the line knows whom it is for
        line, server = self.line(), self.server
        if (allowed := self.request.client.get_allowed_scope(scope or line.scope)) is None:
            raise InvalidScopeError("the client has not registered this scope")
        return server.mint.tokens(self.request, line, allowed, server.now(), refresh=include_refresh_token)

    def save_token(self, token: dict[str, Any]) -> None:
        """It is kept from its making on."""


class Proof(CodeChallenge):  # type: ignore[misc]
    """PKCE, of every client (RFC 9700, section 2.1.1), and S256 alone: `plain` is no proof to who saw the request."""

    SUPPORTED_CODE_CHALLENGE_METHOD = ("S256",)

    def validate_code_challenge(self, grant: Any, redirect_uri: str) -> None:
        """Raises an error that goes to the client."""
        data = grant.request.payload.data
        if "code_challenge" not in data:
            raise InvalidRequestError("PKCE is required: send code_challenge and code_challenge_method=S256")
        if data.get("code_challenge_method") != "S256":
            raise InvalidRequestError("code_challenge_method must be S256; left out it means plain")
        super().validate_code_challenge(grant, redirect_uri)


class Particulars:
    """What else an authorization request may ask for, and this server grants or refuses by name."""

    def __call__(self, grant: Any) -> None:
        """Takes part, as Authlib's extensions do."""
        grant.register_hook("after_validate_authorization_request_payload", self.validate)

    @staticmethod
    def validate(grant: Any, redirect_uri: str) -> None:  # noqa: ARG004 - Authlib's
        """Raises an error that goes to the client."""
        data = grant.request.payload.data
        resources(grant.request)
        for name, error in (("request", RequestNotSupportedError), ("request_uri", RequestURINotSupportedError)):
            if name in data:
                raise error(f"{name} is not supported: send the parameters themselves")
        if data.get("response_mode", "query") != "query":
            raise InvalidRequestError("response_mode must be query")
        prompts = data.get("prompt", "").split()
        if "none" in prompts and len(prompts) > 1:
            raise InvalidRequestError("prompt=none stands alone")
        if "none" in prompts and grant.server.settings.approval == "ask":
            raise ConsentRequiredError("a person has to consent")


class CodeGrant(_Minting, grants.AuthorizationCodeGrant):  # type: ignore[misc]
    """A consent in a browser (RFC 6749, section 4.1)."""

    @staticmethod
    def validate_authorization_redirect_uri(request: Asked, client: Registered) -> str:
        """Where to; an error is shown and not sent there (RFC 6749, section 4.1.2.1)."""
        asked = request.payload.redirect_uri
        if asked and not client.check_redirect_uri(asked):
            raise InvalidRequestError("redirect_uri is none that the client has registered")
        if found := asked or client.get_default_redirect_uri():
            return str(found)
        raise InvalidRequestError("redirect_uri is missing, and the client has not registered exactly one")

    def validate_no_multiple_request_parameter(self, request: Asked) -> None:
        """An error that is shown, since any of them may be the one that says where to."""
        if request.payload.repeated is not None:
            raise InvalidRequestError("a parameter is given twice")

    def save_authorization_code(self, code: str, request: Any) -> None:
        server, data = self.server, request.payload.data
        now = server.now()
        line = Line(
            server.store.number(), request.client.id, request.user, request.scope, resources(request), now,
            data.get("nonce"),
        )  # fmt: skip
        until = now + server.settings.code_lifetime
        made = Code(code, line, request.payload.redirect_uri, data["code_challenge"], until)
        server.store.codes.put(code, made)

    def generate_authorization_code(self) -> str:
        return self.server.ids.value()

    def query_authorization_code(self, code: str, client: Registered) -> Code:
        """Raises an error if it is not good; one that was used ends what it gave (RFC 6749, section 4.1.2)."""
        found, now = self.server.store.codes.get(code), self.server.now()
        if found is None or found.line.client != client.id:
            raise InvalidGrantError("the code is not known for this client")
        if found.used:
            self.server.store.end(found.line, now)
            raise InvalidGrantError("the code was used before; what it gave has ended")
        if now >= found.until:
            raise InvalidGrantError("the code has expired")
        return found

    def line(self) -> Line:
        return self.request.authorization_code.line  # type: ignore[no-any-return]

    def authenticate_user(self, authorization_code: Code) -> User | None:
        return authorization_code.line.user

    def delete_authorization_code(self, authorization_code: Code) -> None:
        """It is kept, so that its second use is known."""
        authorization_code.used = True


class ClientGrant(_Minting, grants.ClientCredentialsGrant):  # type: ignore[misc]
    """A client speaks for itself (RFC 6749, section 4.4); all that it gets is one line."""

    TOKEN_ENDPOINT_AUTH_METHODS = SECRET_METHODS

    def line(self) -> Line:
        store, client = self.server.store, self.request.client
        if client.id not in store.own:
            store.own.put(client.id, Line(store.number(), client.id, None, " ".join(client.scopes)))
        return store.own[client.id]


class RefreshGrant(_Minting, grants.RefreshTokenGrant):  # type: ignore[misc]
    """A refresh token for a new access token (RFC 6749, section 6)."""

    @property
    def INCLUDE_NEW_REFRESH_TOKEN(self) -> bool:  # noqa: N802 - Authlib's
        return self.server.settings.refresh == "rotate"

    def authenticate_refresh_token(self, refresh_token: str) -> Refresh:
        """Raises an error if it is not good; one that was rotated away ends its line (RFC 9700, section 4.14.2)."""
        found, now = self.server.store.refreshes.get(refresh_token), self.server.now()
        if found is None or found.line.client != self.request.client.id:
            raise InvalidGrantError("the refresh token is not known for this client")
        if found.state == "rotated" and not found.line.ended:
            self.server.store.end(found.line, now)
            raise InvalidGrantError("the refresh token was used before; all tokens of this consent have ended")
        if found.line.ended or found.state != "good":
            raise InvalidGrantError("the refresh token was revoked")
        if not found.alive(now):
            raise InvalidGrantError("the refresh token has expired")
        return found

    def line(self) -> Line:
        return self.request.refresh_token.line  # type: ignore[no-any-return]

    def authenticate_user(self, refresh_token: Refresh) -> User | None:
        return refresh_token.line.user

    def revoke_old_credential(self, refresh_token: Refresh) -> None:
        if self.INCLUDE_NEW_REFRESH_TOKEN:
            refresh_token.state = "rotated"


class DeviceGrant(_Minting, DeviceCodeGrant):  # type: ignore[misc]
    """A device that asks until a person has said yes or no elsewhere (RFC 8628)."""

    GRANT_TYPE = DEVICE

    def query_device_credential(self, device_code: str) -> Device:
        found = self.server.store.devices.get(device_code)
        if found is None or found.client != self.request.client.id:
            raise InvalidGrantError("the device code is not known for this client")
        if found.state == "done":
            raise InvalidGrantError("the device code was used before")
        return found

    def validate_device_credential(self, credential: Device) -> User:
        """Whom it is for. Raises an error as long as it is nobody, or for good."""
        if self.server.now() >= credential.until:
            raise ExpiredTokenError("the device code has expired")
        self._device = credential
        return super().validate_device_credential(credential)  # type: ignore[no-any-return]

    def query_user_grant(self, user_code: str) -> tuple[User | None, bool] | None:
        device = self._device
        assert device.user_code == user_code
        return None if device.state == "pending" else (device.user, device.state == "approved")

    def should_slow_down(self, credential: Device) -> bool:
        device, now = credential, self.server.now()
        early = device.asked is not None and now - device.asked < device.interval - 1e-6
        device.asked = now
        device.interval += SLOWER if early else 0.0
        return early

    def line(self) -> Line:
        device: Device = self.request.credential
        return Line(self.server.store.number(), device.client, device.user, device.scope, (), self.server.now())

    def save_token(self, token: dict[str, Any]) -> None:
        """It was given, and is given once."""
        del token
        self.request.credential.state = "done"
