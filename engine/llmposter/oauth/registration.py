"""Dynamic registration of clients (RFC 7591), public ones and those with a secret."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import msgspec
from authlib.oauth2.rfc7591 import ClientMetadataClaims, ClientRegistrationEndpoint
from authlib.oauth2.rfc7591.errors import InvalidClientMetadataError, InvalidRedirectURIError

from llmposter.oauth.asked import Fields
from llmposter.oauth.metadata import grants, metadata
from llmposter.oauth.records import Registered

if TYPE_CHECKING:
    from llmposter.oauth.asked import Asked
    from llmposter.oauth.provider import Provider

_NOWHERE: Final = ("javascript", "data", "vbscript", "about", "blob", "file")
"""Schemes of addresses at which no client is."""

_USUAL: Final = ("authorization_code", "refresh_token")
"""What clients leave out and count on, although RFC 7591 would have the first alone."""


class Metadata(msgspec.Struct, omit_defaults=True):
    """The fields that are understood, of their kinds; others are let go (RFC 7591, section 2)."""

    redirect_uris: list[str] = []
    post_logout_redirect_uris: list[str] = []
    token_endpoint_auth_method: str | None = None
    grant_types: list[str] = []
    response_types: list[str] = []
    client_name: str | None = None
    client_uri: str | None = None
    logo_uri: str | None = None
    scope: str | None = None
    contacts: list[str] = []
    tos_uri: str | None = None
    policy_uri: str | None = None
    software_id: str | None = None
    software_version: str | None = None


class _Claims(ClientMetadataClaims):  # type: ignore[misc]
    REGISTERED_CLAIMS: Final = [*ClientMetadataClaims.REGISTERED_CLAIMS, "post_logout_redirect_uris"]

    def validate_redirect_uris(self) -> None:
        """Raises an error of its own kind; Authlib's own would take no `com.example.app:/callback` (RFC 8252)."""
        for uri in (*self.get("redirect_uris", ()), *self.get("post_logout_redirect_uris", ())):
            if not _is_address(uri):
                raise InvalidRedirectURIError("a redirect URI is an absolute one without a fragment")


def _is_address(uri: str) -> bool:
    try:
        parts = urlsplit(uri)
    except ValueError:
        return False
    plain = uri.isascii() and uri.isprintable() and not set(uri) & set(' #"<>\\^`{|}')
    return plain and bool(parts.scheme) and parts.scheme not in _NOWHERE and bool(parts.netloc or parts.path)


class Registration(ClientRegistrationEndpoint):  # type: ignore[misc]
    """Anybody may register, as with the authorization servers of MCP."""

    def __init__(self, server: Provider) -> None:
        super().__init__(server, [_Claims])

    def authenticate_token(self, request: Asked) -> str:
        return request.issuer  # nobody needs one

    def get_server_metadata(self) -> dict[str, Any]:
        return metadata("", self.server.settings)

    def extract_client_metadata(self, request: Asked) -> dict[str, Any]:
        try:
            read = msgspec.json.decode(request.json or b"", type=Metadata)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            told = "".join(each if each not in '"\\' and " " <= each <= "~" else "'" for each in str(error))
            raise InvalidClientMetadataError(told) from None
        read.grant_types = read.grant_types or [each for each in _USUAL if each in grants(self.server.settings)]
        if "authorization_code" in read.grant_types and not read.redirect_uris:
            raise InvalidRedirectURIError("redirect_uris is missing: a code has to be sent somewhere")
        read.response_types = read.response_types or (["code"] if "authorization_code" in read.grant_types else [])
        read.scope = read.scope or " ".join(self.server.settings.scopes)
        request.payload = Fields([])
        request.payload.data.update(msgspec.to_builtins(read))
        return super().extract_client_metadata(request)  # type: ignore[no-any-return]

    def generate_client_info(self, request: Asked) -> dict[str, Any]:
        server: Provider = self.server
        info: dict[str, Any] = {"client_id": server.ids.value("client-"), "client_id_issued_at": int(server.now())}
        if request.payload.data.get("token_endpoint_auth_method") != "none":
            info |= {"client_secret": server.ids.value("secret-"), "client_secret_expires_at": 0}
        return info

    def save_client(self, client_info: dict[str, Any], client_metadata: dict[str, Any], request: Asked) -> Registered:  # noqa: ARG002 - Authlib's
        said = client_metadata
        made = Registered(
            client_info["client_id"], client_info.get("client_secret"), (said["token_endpoint_auth_method"],),
            tuple(said["scope"].split()), tuple(said.get("redirect_uris", ())), tuple(said["grant_types"]),
            said.get("client_name", ""), tuple(said.get("post_logout_redirect_uris", ())),
        )  # fmt: skip
        self.server.store.clients.put(made.id, made)
        return made
