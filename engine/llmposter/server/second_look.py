"""Heads that llhttp gives up on although they are good HTTP, written so that it takes them. Pure."""

from __future__ import annotations

import re
from typing import Final

_METHOD: Final = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}) ")
_PART: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]{0,32}")
_STAND_IN: Final = b"POST "
"""A method that llhttp knows, in place of one that it does not; a body is read the same with either."""
_OFFER: Final = frozenset(("upgrade", "http2-settings"))


class Look:
    """At bytes that begin with a method that llhttp does not know, as they come."""

    __slots__ = ("_held",)

    def __init__(self, early: bytes) -> None:
        self._held = early

    def more(self, data: bytes) -> tuple[str, bytes] | None:
        """The method and the bytes with a stand-in for it; None while there are too few; "" if there is no method."""
        self._held = (self._held + data).lstrip(b"\r\n")
        if (found := _METHOD.match(self._held)) is not None:
            return found[1].decode("ascii"), _STAND_IN + self._held[found.end() :]
        return None if _PART.fullmatch(self._held) else ("", b"")


def declined(url: bytes, headers: dict[str, str], *, old: bool) -> bytes:
    """The head once more, with a stand-in for its method, and without its offer of another protocol."""
    lines = [b"%b%b HTTP/1.%d\r\n" % (_STAND_IN, url, not old)]
    for name, value in headers.items():
        if name == "connection":
            kept = [each for each in value.split(",") if each.strip().lower() not in _OFFER]
            lines.append(f"{name}: {','.join(kept).strip()}\r\n".encode("latin-1") if kept else b"")
        elif name not in _OFFER:
            lines.append(f"{name}: {value}\r\n".encode("latin-1"))
    return b"".join((*lines, b"\r\n"))
