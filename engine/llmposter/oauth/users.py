"""What is told of a user: in id tokens, and by userinfo."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from authlib.oidc.core import UserInfo

if TYPE_CHECKING:
    from llmposter_dsl.companion import User

SCOPES: Final[dict[str, list[str]]] = {
    name: list(claims) for name, claims in UserInfo.SCOPES_CLAIMS_MAPPING.items() if name != "openid"
}
_STANDARD: Final = {claim: scope for scope, claims in SCOPES.items() for claim in claims}


def claims(user: User, scope: str) -> dict[str, Any]:
    """Those of a scope (OpenID Connect Core, section 5.4), and all that are of nobody's standard."""
    scopes = {*scope.split(), None}
    told = {**_usual(user.subject), **dict(user.claims)}
    return {"sub": user.subject} | {name: value for name, value in told.items() if _STANDARD.get(name) in scopes}


def _usual(subject: str) -> dict[str, Any]:
    """What clients count on, where nothing is said."""
    return {
        "name": "Test User", "preferred_username": subject,
        "email": f"{subject}@example.com", "email_verified": True,
    }  # fmt: skip
