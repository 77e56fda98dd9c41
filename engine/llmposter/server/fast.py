"""HTTP/1.1 by llhttp on Tornado's own loop: what the wires answer goes out directly, all else through Tornado.

It makes one `Connection` for each TCP connection and marks it closed when no more can be asked on it.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from itertools import count
from time import monotonic
from typing import TYPE_CHECKING

from llmposter.model import Connection
from llmposter.server.answers import Answers, located
from llmposter.server.files import room_for
from llmposter.server.limits import Limits
from llmposter.server.peer import Peer
from llmposter.server.request_head import Known

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Sequence

    from tornado.httputil import HTTPServerConnectionDelegate

    from llmposter.server.call import Call
    from llmposter.server.request_head import RequestHead
    from llmposter.server.service import Service


class Fast:
    """All connections of one server.

    Attributes:
        known: heads that llhttp has read.
    """

    def __init__(
        self,
        service: Service,
        admin: Callable[[], HTTPServerConnectionDelegate],
        most: int,
        limits: Limits | None = None,
    ) -> None:
        self._answers, self._make_admin, self._most = Answers(service), admin, most
        self._admin: HTTPServerConnectionDelegate | None = None
        self.limits = limits or Limits()
        self.known = Known()
        self._peers: set[Peer] = set()
        self._numbers = count(1)
        self._servers: list[asyncio.Server] = []
        self._emptied: asyncio.Event | None = None
        self._glancing: asyncio.TimerHandle | None = None

    # --- from first to last ---------------------------------------------------------------------------------------

    async def start(self, sockets: Sequence[socket.socket], backlog: int) -> None:
        """Takes connections from now on."""
        self._most = room_for(self._most)
        loop = asyncio.get_running_loop()
        for each in sockets:
            self._servers.append(await loop.create_server(lambda: Peer(self), sock=each, backlog=backlog))

    def stop(self) -> None:
        """No new connections; those that are open stay."""
        for server in self._servers:
            server.close()

    async def close(self, seconds: float) -> None:
        """No connection is left; what was written has so many seconds to go out."""
        for peer in tuple(self._peers):
            peer.close()
        await self._empty(seconds)
        for peer in tuple(self._peers):
            peer.abort()
        await self._empty(seconds)
        if self._glancing is not None:
            self._glancing.cancel()
            self._glancing = None

    async def _empty(self, seconds: float) -> None:
        if self._peers:
            self._emptied = asyncio.Event()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._emptied.wait(), seconds)

    # --- what peers tell ------------------------------------------------------------------------------------------

    def met(self, peer: Peer) -> str | None:
        """A connection has come; why it cannot stay, if it cannot."""
        peer.connection = Connection(next(self._numbers))
        full = len(self._peers) >= self._most
        if len(self._peers) >= 2 * self._most + 100:
            peer.abort()
        self._peers.add(peer)
        if self._glancing is None:
            self._glancing = asyncio.get_running_loop().call_later(self.limits.glance, self._glance)
        return f"llmposter has {self._most} connections open, which is the most that it takes" if full else None

    def parted(self, peer: Peer) -> None:
        """A connection has gone."""
        self._peers.discard(peer)
        if not self._peers and self._emptied is not None:
            self._emptied.set()
        if self._admin is not None:
            self._admin.on_close(peer)

    def take(self, call: Call) -> None:
        """A call whose turn it is."""
        if (refused := call.refused) is not None:
            call.whole(refused.status, refused.headers, refused.body)
            return
        head = call.head or self.head(call)
        if head.tornado:
            self._hand_over(call)
            return
        parts = call.body
        body = parts[0] if len(parts) == 1 else b"".join(parts)
        self._answers.answer(head, body, call.peer.connection, call.wrong, call)

    def _hand_over(self, call: Call) -> None:
        """To Tornado, which is imported when it is first needed: that takes a tenth of a start."""
        from llmposter.server.handover import hand_over

        if self._admin is None:
            self._admin = self._make_admin()
        hand_over(call, self._admin)

    def head(self, call: Call) -> RequestHead:
        """All that follows from the head of a call."""
        call.head = self._answers.head(call.method, located(call.url.decode("latin-1")), call.headers)
        return call.head

    # --- time -----------------------------------------------------------------------------------------------------

    def _glance(self) -> None:
        """One look at all connections now and then costs less than a timer for each request."""
        now = monotonic()
        for peer in [each for each in self._peers if each.deadline <= now]:
            peer.expired()
        self._glancing = None
        if self._peers:
            self._glancing = asyncio.get_running_loop().call_later(self.limits.glance, self._glance)
