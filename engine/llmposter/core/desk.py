"""What endpoints beside the conversations may ask, in the session of one request; no conversation is touched by it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmposter.core import tokens
from llmposter.core.embedding import embedding

if TYPE_CHECKING:
    from llmposter.core.clock import Clock
    from llmposter.model import Failure, Turn


class SessionDesk:
    """As `llmposter.model.Desk`."""

    __slots__ = ("_clock", "_models")

    def __init__(self, clock: Clock, models: tuple[str, ...]) -> None:
        self._clock, self._models = clock, models

    def now(self) -> float:
        return self._clock.now()

    def models(self) -> tuple[str, ...]:
        return self._models

    def tokens(self, turn: Turn) -> int:
        return tokens.of_turn(turn)

    def estimate(self, text: str) -> int:
        return tokens.estimate(text)

    def vector(self, text: str, model: str, dimensions: int) -> tuple[float, ...] | Failure:  # noqa: ARG002
        return embedding(text, dimensions)

    def flags(self, text: str, model: str) -> frozenset[str] | Failure:  # noqa: ARG002
        return frozenset()
