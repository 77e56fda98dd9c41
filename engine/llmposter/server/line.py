"""What an answer needs of the connection it goes out on; each transport has its own.

A line takes one answer: whole, or begun and written bit by bit. Below HTTP it gives full control: bytes as they are,
one direction closed, or the connection reset.
"""

from __future__ import annotations

import asyncio
import struct
import sys
from collections.abc import Awaitable, Callable, Iterable
from time import monotonic
from typing import Final, Protocol, TypeAlias

Pairs: TypeAlias = Iterable[tuple[str, str]]

RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)
"""SO_LINGER for no time at all: closing resets."""


_PATIENCE: Final = 5.0
"""Seconds for which a client may take nothing of what it was sent, before that is given up."""
_GLANCE: Final = 0.001


class Gone(Exception):  # noqa: N818 - it reads as what happened
    """The client has left, so that nothing more can be written."""


class Line(Protocol):
    """Where one answer goes out. What it returns is awaited before more is written; None needs no waiting."""

    method: str
    """Of the request."""
    old: bool
    """It is HTTP/1.0, which knows no chunks."""

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

    def opening(self, status: int, headers: Pairs, length: int | None, *, last: bool) -> bytes:
        """The head of an answer as bytes, to be written with `raw` as its body is; *last*: the connection then ends.

        Where no length is told the body comes in chunks, or up to the end of the connection.
        """

    def finish(self) -> None:
        """The answer was written with `raw` and is over; another may follow."""

    async def heard(self) -> None:
        """Returns when all that was written is on the client's side, or if that takes no more of it."""

    def raw(self, data: bytes) -> Awaitable[None] | None:
        """Bytes as they are, outside of any framing."""

    def half_close(self) -> None:
        """Says that nothing more will come (FIN) and goes on listening."""

    def reset(self) -> None:
        """Breaks the connection off (RST); what was not sent yet is lost."""


async def taken(left: Callable[[], int]) -> None:
    """Returns when nothing is *left* of some bytes, or when for long nobody has taken any of them."""
    before, until = left(), monotonic() + _PATIENCE
    while before and monotonic() < until:
        await asyncio.sleep(_GLANCE)
        if (now := left()) < before:
            before, until = now, monotonic() + _PATIENCE


def unheard(file: int) -> int:
    """Bytes that the system has for the other side of a socket and that this has not confirmed, where it tells."""
    if sys.platform == "linux":
        from fcntl import ioctl
        from termios import TIOCOUTQ

        return int.from_bytes(ioctl(file, TIOCOUTQ, bytes(4)), sys.byteorder)  # SIOCOUTQ: man 7 tcp
    return 0
