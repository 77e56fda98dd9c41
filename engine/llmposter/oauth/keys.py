"""The key that tokens are signed with, made once for the process, and signatures with it.

RS256, which every OpenID Connect client knows (OpenID Connect Core, section 15.1).
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

ALGORITHM: Final = "RS256"


@cache
def key() -> RSAKey:
    """Made at the first call, which takes a tenth of a second or so."""
    return RSAKey.generate_key(2048, {"use": "sig", "alg": ALGORITHM}, auto_kid=True)


def key_set() -> KeySet:
    return KeySet([key()])


def published() -> dict[str, Any]:
    """The JWK Set (RFC 7517), without what is private."""
    return {"keys": [key().as_dict(private=False)]}


def signed(claims: dict[str, Any], kind: str = "JWT") -> str:
    """A JWT; *kind* is its `typ`."""
    return jwt.encode({"alg": ALGORITHM, "typ": kind, "kid": key().kid}, claims, key())
