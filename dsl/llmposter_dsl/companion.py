"""The OAuth 2.0 companion of a server as a scenario means it: who may come, how long things live, what is answered."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

Refresh: TypeAlias = Literal["rotate", "keep", "none"]
"""``rotate``: each refresh gives a new refresh token; ``keep``: the same goes on; ``none``: none is given."""
Approval: TypeAlias = Literal["auto", "ask"]
"""``auto``: consent is given at once; ``ask``: a person, a browser test or the admin API gives or refuses it."""


class TokenAnswer(msgspec.Struct, frozen=True):
    """What one request to the token endpoint gets in place of what it would; all as it would be where nothing is said.

    Attributes:
        status: of an HTTP error; with an `error`, of that error (400 where none is given).
        error: an error of RFC 6749, such as ``invalid_grant``.
        delay: seconds before it is answered.
        expires_in: False leaves it out; a number is told whatever is true.
        lifetime: seconds after which the access token really ends, whatever is told.
    """

    status: int | None = None
    error: str | None = None
    description: str | None = None
    delay: float = 0.0
    expires_in: bool | int = True
    lifetime: float | None = None


class Client(msgspec.Struct, frozen=True):
    """A client that is registered from the beginning; a public one has no secret."""

    id: str
    secret: str | None = None
    redirect_uris: tuple[str, ...] = ()


class User(msgspec.Struct, frozen=True):
    """Whom tokens speak of: the subject, and further claims of userinfo and the id token."""

    subject: str = "user-123"
    claims: tuple[tuple[str, object], ...] = ()


class OAuth(msgspec.Struct, frozen=True):
    """What `[auth.oauth]` or `run --oauth` says; times in seconds.

    Attributes:
        client: the one of the scenario, or the one that a server has where none is said.
        port: 0 takes a free one.
        refresh_lifetime: None for no end.
        expires_in: whether clients are told how long an access token lives.
        answers: what the next token requests get, first to last; then all is as usual.
    """

    client: Client = Client("llmposter", "llmposter-secret", ("http://localhost/callback",))
    port: int = 0
    scopes: tuple[str, ...] = ("openid", "profile", "email", "offline_access")
    access_lifetime: float = 3600.0
    refresh_lifetime: float | None = None
    code_lifetime: float = 600.0
    device_lifetime: float = 600.0
    device_interval: float = 5.0
    refresh: Refresh = "rotate"
    approval: Approval = "auto"
    expires_in: bool = True
    registration: bool = True
    user: User = User()
    answers: tuple[TokenAnswer, ...] = ()
