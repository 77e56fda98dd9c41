"""What one issuer has given out and not forgotten: bounded, each kind by count, the oldest first.

The state of an access token is that of its credential, so that what ends it anywhere ends it everywhere.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Final, Literal, TypeVar

from llmposter.core.credentials import Credentials, Issued

if TYPE_CHECKING:
    from llmposter.core.credentials import State
    from llmposter.oauth.records import Access, Code, Device, Line, Refresh, Registered

MOST: Final = 10_000
"""Of each kind, for one issuer; of more, the oldest is forgotten."""
Held = TypeVar("Held")


class Shelf(dict[str, Held]):
    """A dictionary of so many entries at most."""

    def put(self, name: str, value: Held) -> None:
        self[name] = value
        if len(self) > MOST:
            del self[next(iter(self))]


class Store:
    """All of one issuer.

    Args:
        session: where its access tokens are good; None for everywhere.
    """

    def __init__(self, credentials: Credentials, session: str | None) -> None:
        self._credentials, self._session = credentials, session
        self._numbers = count(1)
        self.clients: Shelf[Registered] = Shelf()
        self.codes: Shelf[Code] = Shelf()
        self.devices: Shelf[Device] = Shelf()
        self.refreshes: Shelf[Refresh] = Shelf()
        self.tokens: Shelf[Access] = Shelf()
        self.own: Shelf[Line] = Shelf()
        """Lines of clients that speak for themselves."""

    def number(self) -> int:
        """Of the next line."""
        return next(self._numbers)

    def issue(self, token: Access, lifetime: float, now: float) -> None:
        """The access token is good from now on."""
        line = token.line
        issued = Issued(line.subject, token.value, lifetime=lifetime, grant=line.granted)
        self._credentials.issue(issued, now, self._session)
        self.tokens.put(token.value, token)
        line.held.append(token.value)

    def state(self, token: Access, now: float) -> State | Literal["unknown"]:
        """Whether an access token is good; ``unknown`` when its credential is forgotten."""
        found = self._credentials.find(token.value, now, self._session or "")
        return "unknown" if found is None else found.state(now)

    def revoke(self, value: str, now: float) -> None:
        """Ends an access token."""
        found = self._credentials.find(value, now, self._session or "")
        if found is not None:
            found.revoke()

    def end(self, line: Line, now: float) -> None:
        """Ends a line: all its access tokens, and what could give new ones."""
        line.ended = True
        for value in line.held:
            self.revoke(value, now)

    def lines(self) -> list[Line]:
        """Those of which something is held."""
        held: tuple[Access | Refresh, ...] = (*self.tokens.values(), *self.refreshes.values())
        return list(dict.fromkeys(each.line for each in held))
