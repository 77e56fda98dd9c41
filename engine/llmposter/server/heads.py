"""The head of an answer as bytes. Whatever a scenario puts into its headers, it can break neither head nor framing."""

from __future__ import annotations

import time
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llmposter.server.line import Pairs

_TOKEN: Final = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_MOST_LINES: Final = 1024
_LONGEST: Final = 256
"""Bytes of a line that is remembered."""
_FRAMING: Final = frozenset(("content-length", "transfer-encoding", "connection", "date"))


def sound(pairs: Pairs) -> Iterator[tuple[str, str]]:
    """The headers that may go out, their values such that latin-1 takes them."""
    for name, value in pairs:
        if _allowed(name):
            yield name, value if _plain(value) else _printable(value)


def head(status: int, pairs: Pairs) -> bytes:
    """Status line and headers, to which the framing and an empty line are still to be added."""
    lines = b"".join(map(_LINES.__getitem__, pairs))
    return b"%b%b%b" % (_status_line(status), lines, _date_line(int(time.time())))


def reason(status: int) -> str:
    """The words that stand beside a status."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


@lru_cache(maxsize=2)
def date(second: int) -> str:
    """A Unix time as the header `Date` writes it."""
    return formatdate(second, usegmt=True)


@lru_cache(maxsize=1024)
def _allowed(name: str) -> bool:
    return bool(name) and _TOKEN.issuperset(name) and name.lower() not in _FRAMING


class _Lines(dict[tuple[str, str], bytes]):
    """A header's line, "" for one that may not go out; most of an answer's are those of the answer before."""

    def __missing__(self, pair: tuple[str, str]) -> bytes:
        name, value = pair
        shown = value if _plain(value) else _printable(value)
        line = f"{name}: {shown}\r\n".encode("latin-1") if _allowed(name) else b""
        if len(line) <= _LONGEST:
            if len(self) >= _MOST_LINES:
                self.clear()
            self[pair] = line
        return line


_LINES: Final = _Lines()


@lru_cache(maxsize=64)
def _status_line(status: int) -> bytes:
    return f"HTTP/1.1 {status} {reason(status)}\r\n".encode("ascii")


@lru_cache(maxsize=2)
def _date_line(second: int) -> bytes:
    return f"date: {date(second)}\r\n".encode("ascii")


def _plain(value: str) -> bool:
    return value.isascii() and value.isprintable()


def _printable(value: str) -> str:
    plain = "".join(char if char >= " " and char != "\x7f" else " " for char in value)
    return plain.encode("utf-8", "replace").decode("latin-1")
