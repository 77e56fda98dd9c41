"""What an answer needs of the connection it goes out on; each transport has its own.

A line takes one answer: whole, or begun and written bit by bit. Below HTTP it gives full control: bytes as they are,
one direction closed, or the connection reset.
"""

from __future__ import annotations

import struct
from collections.abc import Awaitable, Callable, Iterable
from typing import Final, Protocol, TypeAlias

Pairs: TypeAlias = Iterable[tuple[str, str]]

RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)
"""SO_LINGER for no time at all: closing resets."""


class Gone(Exception):  # noqa: N818 - it reads as what happened
    """The client has left, so that nothing more can be written."""


class Line(Protocol):
    """Where one answer goes out. What it returns is awaited before more is written; None needs no waiting."""

    method: str
    """Of the request."""

    def whole(self, status: int, headers: Pairs, body: bytes) -> None:
        """The whole answer at once; its length is told."""

    def begin(self, status: int, headers: Pairs, data: bytes, *, last: bool) -> Awaitable[None] | None:
        """The head of an answer whose length is not known, with the first bytes of its body."""

    def write(self, data: bytes, *, last: bool) -> Awaitable[None] | None:
        """More of the body; *last* ends the answer."""

    def on_gone(self, call: Callable[[], None] | None) -> None:
        """Calls *call* once, should the client leave before the answer has ended."""

    def close(self) -> None:
        """Ends the connection, after what was written."""

    def raw(self, data: bytes) -> Awaitable[None] | None:
        """Bytes as they are, outside of any framing."""

    def half_close(self) -> None:
        """Says that nothing more will come (FIN) and goes on listening."""

    def reset(self) -> None:
        """Breaks the connection off (RST); what was not sent yet is lost."""
