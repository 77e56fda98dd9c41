"""The head of a request with all that follows from it alone, and a bounded memory of heads that came before.

Clients that keep a connection send the same head again and again. A head is believed again only when every byte of it
is as llhttp read it once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from llmposter.model import BadRequest
from llmposter.server import target

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llmposter.server.routes import Spot

END: Final = b"\r\n\r\n"
MOST_HEADS: Final = 1024
MOST_BYTES: Final = 1024 * 1024
"""Of the heads as they came; what follows from one takes a few times as much."""


class RequestHead:
    """A head that was read.

    Attributes:
        headers: names in lower case, repeated ones joined with ``, ``. query: decoded.
        session: of the path or of the header; "" for none. wrong: why the request is refused, whatever its body says.
        path: as the route has it. came: as the client wrote it, where that differs, else "".
        methods: who answers at the path, by method. answerer: who answers this request, if anybody does.
        encoding: of the body, "" for none. tornado: whether Tornado's application answers.
        size: bytes of the body, where the same head is known to come again.
    """

    __slots__ = (
        "answerer", "came", "encoding", "headers", "method", "methods", "path", "query", "session", "size", "tornado",
        "wrong",
    )  # fmt: skip

    def __init__(
        self, method: str, where: target.Target, headers: Mapping[str, str], spot: Spot, *, tornado: bool
    ) -> None:
        self.method, self.path, self.headers, self.tornado = method, spot.path, headers, tornado
        self.came = "" if spot.path == where.path else where.path
        self.query = target.query(where.query)
        self.methods, self.answerer = spot.methods, spot.by(method)
        self.wrong: BadRequest | None = None
        session = headers.get(target.SESSION_HEADER) if where.session is None else where.session
        if session is not None and (fault := target.faulty(session)) is not None:
            session, self.wrong = None, BadRequest(fault, code="bad_session")
        self.session = session or ""
        self.encoding = headers.get("content-encoding", "")
        self.size = 0


class Known:
    """Heads that came before, by their bytes. Which of them are kept, `Peer` decides."""

    __slots__ = ("_bytes", "_heads", "get")

    def __init__(self) -> None:
        self._heads: dict[bytes, RequestHead] = {}
        self._bytes = 0
        self.get = self._heads.get

    def keep(self, raw: bytes, head: RequestHead) -> None:
        """Heads that never come again drive the others out, which are back with their next request."""
        if len(self._heads) >= MOST_HEADS or self._bytes + len(raw) > MOST_BYTES:
            self._heads.clear()
            self._bytes = 0
        self._heads[raw] = head
        self._bytes += len(raw)

    def __len__(self) -> int:
        return len(self._heads)
