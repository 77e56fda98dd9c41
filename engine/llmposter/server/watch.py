"""What the server tells of itself while it runs; who listens decides what to show. `Silent` shows nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from llmposter.core.journal import Entry
    from llmposter.sources import Reloaded


class Watch(Protocol):
    """Listens to the server; called on its loop, and expected to be quick."""

    def answered(self, entry: Entry) -> None:
        """An answer went out, or as much of it as the client took."""

    def broke(self, error: BaseException, what: str) -> None:
        """A bug came to light; the server goes on."""

    def reloaded(self, reloaded: Reloaded) -> None:
        """Files were read again; called on another thread than the loop's."""


class Silent:
    """A `Watch` that says nothing."""

    def answered(self, entry: Entry) -> None:
        """Says nothing."""

    def broke(self, error: BaseException, what: str) -> None:
        """Says nothing."""

    def reloaded(self, reloaded: Reloaded) -> None:
        """Says nothing."""
