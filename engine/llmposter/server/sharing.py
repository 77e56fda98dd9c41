"""Answers that web pages of this machine may read: cross-origin resource sharing (WHATWG Fetch, section 3.2).

A page of a loopback origin is a developer's own; any other gets no word of leave, so that its browser keeps the answer.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from llmposter.model import Response

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from llmposter.server.line import Line, Pairs

_OWN: Final = re.compile(r"https?://(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?", re.IGNORECASE)
_LEAVE: Final = "access-control-allow-origin"
_METHODS: Final = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
_HEADERS: Final = "authorization, content-type, x-api-key, x-goog-api-key"
"""For a client that does not say which headers it wants to send."""
_REMEMBERED: Final = "600"
"""Seconds for which a browser need not ask again."""


def own(origin: str | None) -> bool:
    """Whether a page from there is one of this machine."""
    return origin is not None and _OWN.fullmatch(origin) is not None


def shared(line: Line, headers: Mapping[str, str]) -> Line:
    """The line as a page may read it; the same one for a page from elsewhere."""
    origin = headers.get("origin")
    return Shared(line, origin) if origin is not None and own(origin) else line


def preflight(method: str, headers: Mapping[str, str]) -> Response | None:
    """The answer to a browser that asks for leave before its request; None for anything else."""
    if method != "OPTIONS" or "access-control-request-method" not in headers or not own(headers.get("origin")):
        return None
    told = [
        ("access-control-allow-methods", _METHODS),
        # Whatever an SDK sends is welcome: x-stainless-*, anthropic-dangerous-direct-browser-access, x-goog-api-client.
        ("access-control-allow-headers", headers.get("access-control-request-headers") or _HEADERS),
        ("access-control-max-age", _REMEMBERED),
    ]
    if headers.get("access-control-request-private-network") == "true":
        told.append(("access-control-allow-private-network", "true"))
    return Response(204, tuple(told), b"")


def leave(origin: str, headers: Pairs) -> Pairs:
    """*headers*, and what lets the page read the answer with all of them; an author's own leave stands in its place."""
    given = tuple(headers)
    names = dict.fromkeys(name.lower() for name, _ in given)
    if _LEAVE in names:
        return given
    return (*given, (_LEAVE, origin), ("access-control-expose-headers", ", ".join(names)), ("vary", "Origin"))


class Shared:
    """A line whose answer a page of *origin* may read."""

    __slots__ = ("_line", "_origin", "method", "old")

    def __init__(self, line: Line, origin: str) -> None:
        self._line, self._origin, self.method, self.old = line, origin, line.method, line.old

    def whole(self, status: int, headers: Pairs, body: bytes) -> None:
        self._line.whole(status, leave(self._origin, headers), body)

    def begin(self, status: int, headers: Pairs, data: bytes, *, last: bool) -> Awaitable[None] | None:
        return self._line.begin(status, leave(self._origin, headers), data, last=last)

    def write(self, data: bytes, *, last: bool) -> Awaitable[None] | None:
        return self._line.write(data, last=last)

    def opening(self, status: int, headers: Pairs, length: int | None, *, last: bool) -> bytes:
        return self._line.opening(status, leave(self._origin, headers), length, last=last)

    def finish(self) -> None:
        self._line.finish()

    async def heard(self) -> None:
        await self._line.heard()

    def on_gone(self, call: Callable[[], None] | None) -> None:
        self._line.on_gone(call)

    def close(self) -> None:
        self._line.close()

    def raw(self, data: bytes) -> Awaitable[None] | None:
        return self._line.raw(data)

    def half_close(self) -> None:
        self._line.half_close()

    def reset(self) -> None:
        self._line.reset()
