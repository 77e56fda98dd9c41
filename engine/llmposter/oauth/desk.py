"""What was asked of the token endpoint, and what the next requests to it get in place of what they would."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any, Final

from msgspec.structs import asdict

from llmposter.model import Struct
from llmposter_dsl.companion import TokenAnswer

MOST: Final = 1_000
"""Requests that are remembered."""
_AS_USUAL: Final = TokenAnswer()


class Grant(Struct, frozen=True):
    """One request to the token endpoint.

    Attributes:
        client: as it called itself. outcome: ``ok``, or the error.
        time: Unix seconds. line: the number of the consent, or client, that it was for; None where it got nothing.
        grant: how many times tokens had then been given on it.
    """

    number: int
    grant_type: str
    client: str
    outcome: str
    status: int
    time: float
    line: int | None = None
    grant: int | None = None


class Desk:
    """All of one issuer."""

    def __init__(self, answers: Iterable[TokenAnswer]) -> None:
        self.coming: deque[TokenAnswer] = deque(answers)
        self._asked: deque[Grant] = deque(maxlen=MOST)
        self._refreshes = self._last = 0

    def next(self) -> TokenAnswer:
        """What the request that comes now gets."""
        return self.coming.popleft() if self.coming else _AS_USUAL

    def note(self, **asked: Any) -> None:
        """The fields of a `Grant`, but for its number."""
        self._last += 1
        self._asked.append(Grant(self._last, **asked))
        self._refreshes += asked["grant_type"] == "refresh_token" and asked["outcome"] == "ok"

    def grants(self) -> list[dict[str, Any]]:
        """First to last, as JSON-able data."""
        return [asdict(each) for each in self._asked]

    def state(self) -> dict[str, Any]:
        """Likewise, with counts; ``answers`` are still to come."""
        return {
            "grants": self.grants(), "dropped": self._last - len(self._asked), "refreshes": self._refreshes,
            "answers": len(self.coming),
        }  # fmt: skip
