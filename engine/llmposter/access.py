"""Who is let in: the nouns of credentials and limits, and how a provider speaks of them. Beside `model`, like it.

No value here shows more of a secret than tells it from others, but for `Presented`, which nothing shows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

from llmposter.model import Struct

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llmposter.model import Request, Response


class Presented(Struct, frozen=True):
    """The credential of a request that was let in.

    Attributes:
        uses: how often it was used, this request included. since: Unix seconds of its issue.
        grant: the number of the OAuth grant that gave it, or None.
    """

    name: str
    value: str
    uses: int
    since: float
    grant: int | None = None


class Rejected(Struct, frozen=True):
    """A request that was not let in.

    Attributes:
        why: ``missing``: it presents no credential; ``spent``: that was used as often as it may be.
        bearer: it was presented as a bearer token, not as a key. shown: as much of it as may be shown.
        name: of the credential, "" for one that nobody knows.
    """

    why: Literal["missing", "unknown", "expired", "spent", "revoked"]
    bearer: bool = False
    shown: str = ""
    name: str = ""


class Window(Struct, frozen=True):
    """What is left of a limit: all of *most* comes back, evenly, in *per* seconds; in *reset* seconds it is there."""

    what: Literal["requests", "tokens"]
    most: int
    per: float
    left: int
    reset: float


class Limited(Struct, frozen=True):
    """A request that was above a limit.

    Attributes:
        what, most, per: the limit, as `Window` has it. used: of it. asked: what the request would have used.
        wait: seconds after which it would have been let in; None where it is larger than the limit.
        windows: what is left of all limits.
    """

    what: Literal["requests", "tokens"]
    most: int
    per: float
    used: int
    asked: int
    wait: float | None
    windows: tuple[Window, ...] = ()


class Access(Protocol):
    """How a provider lets requests in: pure, in its own words and with its own headers."""

    keys: tuple[str, ...]
    """Where its clients put their credential, first to last: names of headers, ``?name`` for one of the query."""

    def rejected(self, rejected: Rejected, now: float) -> Response:
        """The answer to a request that was not let in."""

    def limited(self, limited: Limited, model: str, now: float) -> Response:
        """The answer to a request above a limit; *model* is "" where it names none."""

    def standing(self, windows: tuple[Window, ...], now: float) -> tuple[tuple[str, str], ...]:
        """The headers that tell what is left; none where the provider has none."""


def presented(request: Request, access: Access) -> Iterator[tuple[bool, str]]:
    """The credentials that a request carries where clients of its provider put them; whether each is a bearer token."""
    for key in access.keys:
        if key.startswith("?"):
            value = request.query.get(key[1:], "")
        elif key == "authorization":
            scheme, _, token = request.headers.get(key, "").strip().partition(" ")
            if scheme.lower() == "bearer" and (token := token.strip()):
                yield True, token
            continue
        else:
            value = request.headers.get(key, "")
        if value := value.strip():
            yield False, value
