"""One request on a fast connection, and the line that its answer goes out on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from llmposter.server.heads import head
from llmposter.server.line import Gone

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from llmposter.model import BadRequest, Response
    from llmposter.server.line import Pairs
    from llmposter.server.peer import Peer
    from llmposter.server.request_head import RequestHead

_BODILESS: Final = frozenset((204, 304))


class Call:
    """What was heard of a request so far; once it is whole, a `Line` for its answer.

    Attributes:
        head: all that follows from the head, once somebody asked for it.
        repeats: headers that came again. size: of the body, kept or not.
        headed: its head is complete. old: HTTP/1.0. keep: the connection goes on after the answer.
        expects: its client waits for leave to send the body. upgrade: it offers another protocol.
        wrong: why it is refused, in whatever words its wire has. refused: the answer to what is no HTTP.
        over: the last byte of the answer is out.
    """

    __slots__ = (
        "body",
        "chunked",
        "expects",
        "gone",
        "head",
        "headed",
        "headers",
        "keep",
        "method",
        "old",
        "over",
        "peer",
        "refused",
        "repeats",
        "size",
        "timed",
        "upgrade",
        "url",
        "wrong",
    )

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self.method, self.url = "", b""
        self.headers: dict[str, str] = {}
        self.body: list[bytes] = []
        self.repeats = self.size = self.timed = 0
        self.expects = self.headed = self.old = self.upgrade = self.over = self.chunked = False
        self.keep = True
        self.head: RequestHead | None = None
        self.wrong: BadRequest | None = None
        self.refused: Response | None = None
        self.gone: Callable[[], None] | None = None

    # --- a whole answer -------------------------------------------------------------------------------------------

    def whole(self, status: int, headers: Pairs, body: bytes) -> None:
        length = b"" if status in _BODILESS else b"content-length: %d\r\n" % len(body)
        connection = self._connection() if self.old or not self.keep else b""
        said = b"" if self.method == "HEAD" else body
        self.peer.write(b"%b%b%b\r\n%b" % (head(status, headers), length, connection, said))
        self._ended()

    # --- an answer bit by bit -------------------------------------------------------------------------------------

    def begin(self, status: int, headers: Pairs, data: bytes, *, last: bool) -> Awaitable[None] | None:
        if self.peer.gone:
            raise Gone
        self.chunked = not self.old
        if self.old:
            # It knows no chunks, so that only the end of the connection ends a body whose length is not told.
            self.keep = False
        told = head(status, headers)
        if self.chunked:
            told += b"transfer-encoding: chunked\r\n"
        if not self.keep:
            told += self._connection()
        return self._out(told + b"\r\n", data, last=last)

    def write(self, data: bytes, *, last: bool) -> Awaitable[None] | None:
        if self.peer.gone:
            raise Gone
        return self._out(b"", data, last=last)

    def _out(self, before: bytes, data: bytes, *, last: bool) -> Awaitable[None] | None:
        if self.chunked:
            data = b"%b%x\r\n%b\r\n" % (before, len(data), data) if data else before
            if last:
                data += b"0\r\n\r\n"
        elif before:
            data = before + data
        if data:
            self.peer.write(data)
        if last:
            self._ended()
            return None
        return self.peer.drained()

    # --- an answer below HTTP -------------------------------------------------------------------------------------

    def opening(self, status: int, headers: Pairs, length: int | None, *, last: bool) -> bytes:
        if last or (self.old and length is None):
            self.keep = False
        framing = b"transfer-encoding: chunked\r\n" if length is None else b"content-length: %d\r\n" % length
        told = head(status, headers) + (b"" if self.old and length is None else framing)
        return told + (self._connection() if self.old or not self.keep else b"") + b"\r\n"

    def finish(self) -> None:
        self._ended()

    async def heard(self) -> None:
        await self.peer.heard()

    def _connection(self) -> bytes:
        return b"connection: keep-alive\r\n" if self.keep else b"connection: close\r\n"

    def _ended(self) -> None:
        self.over, self.gone = True, None
        self.peer.answered(self)

    # --- the connection -------------------------------------------------------------------------------------------

    def on_gone(self, call: Callable[[], None] | None) -> None:
        self.gone = call

    def left(self) -> None:
        """The client has left; who makes the answer is told once."""
        call, self.gone = self.gone, None
        if call is not None and not self.over:
            call()

    def close(self) -> None:
        if not self.over:
            self.over, self.gone = True, None
            self.peer.close()

    def raw(self, data: bytes) -> Awaitable[None] | None:
        if self.peer.gone:
            raise Gone
        self.peer.write(data)
        return self.peer.drained()

    def half_close(self) -> None:
        self.over, self.gone = True, None
        self.peer.half_close()

    def reset(self) -> None:
        self.over, self.gone = True, None
        self.peer.reset()
