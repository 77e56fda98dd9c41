"""What the server tells of itself: OpenID Connect Discovery 1.0 and RFC 8414 in one document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from llmposter.oauth.keys import ALGORITHM
from llmposter.oauth.records import GRANTS, METHODS, SECRET_METHODS
from llmposter.oauth.users import SCOPES

if TYPE_CHECKING:
    from llmposter_dsl.companion import OAuth

PATHS: Final = {
    "authorization_endpoint": "/authorize",
    "token_endpoint": "/token",
    "device_authorization_endpoint": "/device_authorization",
    "registration_endpoint": "/register",
    "revocation_endpoint": "/revoke",
    "introspection_endpoint": "/introspect",
    "userinfo_endpoint": "/userinfo",
    "end_session_endpoint": "/logout",
    "jwks_uri": "/jwks.json",
}
_CLAIMS: Final = ("iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "at_hash")


def grants(settings: OAuth) -> list[str]:
    """The grant types that there are."""
    return [each for each in GRANTS if each != "refresh_token" or settings.refresh != "none"]


def metadata(issuer: str, settings: OAuth) -> dict[str, Any]:
    """Of this issuer."""
    endpoints = {name: issuer + path for name, path in PATHS.items()}
    if not settings.registration:
        del endpoints["registration_endpoint"]
    return {
        "issuer": issuer,
        **endpoints,
        "scopes_supported": list(settings.scopes),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": grants(settings),
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [ALGORITHM],
        "token_endpoint_auth_methods_supported": list(METHODS),
        "revocation_endpoint_auth_methods_supported": list(METHODS),
        "introspection_endpoint_auth_methods_supported": list(SECRET_METHODS),
        "code_challenge_methods_supported": ["S256"],
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "claims_supported": [*_CLAIMS, *(claim for scope in settings.scopes for claim in SCOPES.get(scope, ()))],
        "authorization_response_iss_parameter_supported": True,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "claims_parameter_supported": False,
    }
