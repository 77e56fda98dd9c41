"""What the authorization server remembers: clients, codes, device codes, refresh tokens, and the lines of them.

The methods are those that Authlib's grants ask for. Whether an access token is still good its credential knows alone.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field
from hmac import compare_digest
from typing import Final, Literal

from authlib.oauth2.rfc6749 import ClientMixin

from llmposter_dsl.companion import User

DEVICE: Final = "urn:ietf:params:oauth:grant-type:device_code"
GRANTS: Final[tuple[str, ...]] = ("authorization_code", "refresh_token", "client_credentials", DEVICE)
METHODS: Final[tuple[str, ...]] = ("client_secret_basic", "client_secret_post", "none")
MOST_OF_LINE: Final = 1_000
"""Access tokens that end with their line; more than that are refreshed away long before."""
SECRET_METHODS: Final = METHODS[:2]
_LOOPBACK: Final = re.compile(r"(http://(?:localhost|127\.0\.0\.1|\[::1\]))(?::\d{1,5})?(?=[/?]|$)")


@dataclass(frozen=True, slots=True)
class Registered(ClientMixin):  # type: ignore[misc]
    """A client.

    Attributes:
        secret: None for a public client. methods: how it may authenticate at the token endpoint.
        scopes: those that it may ask for.
    """

    id: str
    secret: str | None
    methods: tuple[str, ...]
    scopes: tuple[str, ...]
    redirect_uris: tuple[str, ...] = ()
    grants: tuple[str, ...] = GRANTS
    name: str = ""
    after_logout: tuple[str, ...] = ()

    @property
    def client_id(self) -> str:
        return self.id

    @property
    def called(self) -> str:
        """As a person is told of it."""
        return self.name or self.id

    @property
    def client_metadata(self) -> dict[str, tuple[str, ...]]:
        return {"post_logout_redirect_uris": self.after_logout}

    def get_client_id(self) -> str:
        return self.id

    def get_default_redirect_uri(self) -> str | None:
        """The only one there is: with several it has to be said which (RFC 6749, section 3.1.2.3)."""
        return self.redirect_uris[0] if len(self.redirect_uris) == 1 else None

    def get_allowed_scope(self, scope: str | None) -> str | None:
        """What is asked for, or all for nothing; None where one of them is not allowed."""
        asked = list(dict.fromkeys((scope or "").split())) or list(self.scopes)
        return " ".join(asked) if set(asked) <= set(self.scopes) else None

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return any(same_redirect(each, redirect_uri) for each in self.redirect_uris)

    def check_client_secret(self, client_secret: str) -> bool:
        return self.secret is not None and compare_digest(
            self.secret.encode(), client_secret.encode("utf-8", "replace")
        )

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:  # noqa: ARG002 - Authlib's
        return method in self.methods

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type in self.grants


def same_redirect(registered: str, asked: str) -> bool:
    """Exactly the same, but for the port of a loopback address (RFC 8252, section 7.3)."""
    return registered == asked or (
        _LOOPBACK.match(registered) is not None and _LOOPBACK.sub(r"\1", registered) == _LOOPBACK.sub(r"\1", asked)
    )


@dataclass(slots=True, eq=False)
class Line:
    """All that one consent, or one client by its own credentials, has been granted.

    Attributes:
        user: who consented; None where the client speaks for itself.
        granted: how many times tokens were given. held: the access tokens.
        ended: nothing more is granted on it.
    """

    number: int
    client: str
    user: User | None
    scope: str
    resources: tuple[str, ...] = ()
    signed_in: float = 0.0
    nonce: str | None = None
    granted: int = 0
    held: deque[str] = field(default_factory=lambda: deque(maxlen=MOST_OF_LINE))
    ended: bool = False

    @property
    def subject(self) -> str:
        """Whom its tokens speak of (RFC 9068, section 2.2)."""
        return self.client if self.user is None else self.user.subject


@dataclass(frozen=True, slots=True)
class Access:
    """An access token as it was given out; *until* is what it says of itself."""

    value: str
    line: Line
    scope: str
    audience: tuple[str, ...]
    id: str
    since: int
    until: int


@dataclass(slots=True, eq=False)
class Refresh:
    """A refresh token; *until* is None for no end."""

    value: str
    line: Line
    until: float | None
    state: Literal["good", "rotated", "revoked"] = "good"

    def check_client(self, client: Registered) -> bool:
        return self.line.client == client.id

    def get_scope(self) -> str:
        return self.line.scope

    def alive(self, now: float) -> bool:
        return self.state == "good" and not self.line.ended and (self.until is None or now < self.until)


@dataclass(slots=True, eq=False)
class Code:
    """An authorization code, which is good once; *redirect_uri* is None where none was asked for."""

    value: str
    line: Line
    redirect_uri: str | None
    code_challenge: str
    until: float
    used: bool = False
    code_challenge_method: str = "S256"

    def get_redirect_uri(self) -> str | None:
        return self.redirect_uri

    def get_scope(self) -> str:
        return self.line.scope


@dataclass(slots=True, eq=False)
class Device:
    """A device code, and the user code that stands for it before a person.

    Attributes:
        state: ``done`` once tokens were given for it.
        asked: when the device last came. interval: how long it has to stay away.
    """

    value: str
    user_code: str
    client: str
    scope: str
    until: float
    interval: float
    user: User | None = None
    state: Literal["pending", "approved", "denied", "done"] = "pending"
    asked: float | None = None

    @property
    def approved(self) -> bool | None:
        """What a person said; None for nothing yet."""
        return None if self.state == "pending" else self.state != "denied"

    def get_client_id(self) -> str:
        return self.client

    def get_scope(self) -> str:
        return self.scope

    def get_user_code(self) -> str:
        return self.user_code

    def is_expired(self) -> bool:
        """Authlib's question, which knows no clock but the machine's; the grant has asked the right one."""
        return False
