"""What one connection may take: sizes and times. llhttp bounds nothing by itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MOST_CONNECTIONS: Final = 10_000
"""That are open at once."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes, counts and seconds.

    Attributes:
        line: bytes of a request's target. head: bytes of the whole head. fields: how many headers.
        queued: requests that wait behind one that is being answered; then nothing more is read.
        padding: bytes between two pieces of a body: chunk extensions, trailers.
        head_time: from a head's first byte to its last. body_time: likewise.
        idle: without a request, or without the client reading what it asked for.
        grace: after a client said that it will send no more, until an answer that only waits counts as unwanted.
        linger: for the client to read a refusal, before the connection is gone.
    """

    line: int = 16 * 1024
    head: int = 64 * 1024
    fields: int = 256
    queued: int = 16
    padding: int = 64 * 1024
    head_time: float = 30.0
    body_time: float = 120.0
    idle: float = 600.0
    grace: float = 0.25
    linger: float = 2.0

    @property
    def glance(self) -> float:
        """How often to look for connections whose time is over."""
        return min(1.0, min(self.head_time, self.body_time, self.idle, self.linger) / 4)
