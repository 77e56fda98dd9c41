"""A request to the authorization server as Authlib's framework reads it, and the answer to it.

A parameter without a value counts as left out (RFC 6749, section 3.1); those of a POST are read from its body alone,
since secrets have no place in a URL (section 2.3.1).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import OAuth2Payload, OAuth2Request
from authlib.oauth2.rfc6749.util import extract_basic_authorization

from llmposter.oauth.records import Line
from llmposter_dsl.companion import TokenAnswer

MOST_FIELDS: Final = 100
_MOST_NAME: Final = 200
"""Characters of what a client says that are remembered."""


class Fields(OAuth2Payload):  # type: ignore[misc]
    """Parameters, of which the first counts where one is given twice."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self._lists: dict[str, list[str]] = {}
        for name, value in pairs:
            self._lists.setdefault(name, []).append(value)
        self._first = {name: values[0] for name, values in self._lists.items()}

    @property
    def data(self) -> dict[str, str]:
        return self._first

    @property
    def datalist(self) -> dict[str, list[str]]:
        return self._lists

    @property
    def repeated(self) -> str | None:
        """One that is given twice and must not be; a `resource` may (RFC 8707, section 2)."""
        return next((name for name, values in self._lists.items() if len(values) > 1 and name != "resource"), None)

    def all(self, name: str) -> tuple[str, ...]:
        return tuple(self._lists.get(name, ()))


class Asked(OAuth2Request):  # type: ignore[misc]
    """One request.

    Args:
        issuer: what the client calls this server, without a slash at the end.
        raw: parameters as they stand in the query or the form.
        data: the body of one in JSON.

    Attributes:
        scripted: what it gets in place of what it would. line: what it was granted something on.
    """

    def __init__(self, method: str, issuer: str, headers: Mapping[str, str], raw: str = "", data: Any = None) -> None:
        # Authlib wants to see https, or a loopback address; which of them this server has is not its concern.
        super().__init__(method, "https://localhost/", headers=_readable(headers))
        self.issuer = issuer
        self.payload: Fields = Fields(parse_qsl(raw, errors="replace", max_num_fields=MOST_FIELDS))
        self.json = data
        self.scripted = TokenAnswer()
        self.line: Line | None = None

    @property
    def form(self) -> dict[str, str]:
        return self.payload.data if self.method == "POST" else {}

    @property
    def who(self) -> str:
        """The client as it calls itself."""
        return str(self.payload.client_id or extract_basic_authorization(self.headers)[0] or "")[:_MOST_NAME]

    @property
    def what(self) -> str:
        """The grant type as it stands there."""
        return str(self.payload.grant_type or "")[:_MOST_NAME]

    @property
    def args(self) -> dict[str, str]:
        return {} if self.method == "POST" else self.payload.data


class InvalidTarget(OAuth2Error):  # type: ignore[misc]  # noqa: N818 - the name of the error
    """A `resource` that is none, or that was not granted (RFC 8707, section 2)."""

    error = "invalid_target"


def resources(asked: Asked, granted: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Those that are asked for, within those that were granted; these where none are."""
    wanted = asked.payload.all("resource")
    if not all(map(is_resource, wanted)):
        raise InvalidTarget("a resource is an absolute URI without a fragment")
    if granted and not set(wanted) <= set(granted):
        raise InvalidTarget("that resource is none of those that were consented to")
    return tuple(dict.fromkeys(wanted)) or granted


def is_resource(text: str) -> bool:
    """An absolute URI without a fragment (RFC 8707, section 2)."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return bool(parts.scheme and (parts.netloc or parts.path)) and "#" not in text


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes out: *body* is JSON, or None for nothing."""

    status: int
    body: dict[str, Any] | None = None
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def location(self) -> str | None:
        """Where the browser is sent."""
        return dict(self.headers).get("Location")

    @property
    def outcome(self) -> str:
        """The error, or ``ok``."""
        if self.status < 400:
            return "ok"
        return str((self.body or {}).get("error", self.status))


def _readable(headers: Mapping[str, str]) -> dict[str, str]:
    """Without an `Authorization` that Authlib would stumble over: one that is no text in base64."""
    read = {name.title(): value for name, value in headers.items()}
    scheme, _, value = read.get("Authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            base64.b64decode(value.strip()).decode()
        except (binascii.Error, UnicodeDecodeError, ValueError):
            del read["Authorization"]
    return read
