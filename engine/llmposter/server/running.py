"""A server from its first to its last moment: bound, listening, and stopped so that nothing of it is left.

`serve` runs one in this thread until it is told to end; `Running` runs one beside the caller's own work.
"""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import os
import signal
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Self

from tornado.netutil import bind_sockets

from llmposter.core.admission import Admission
from llmposter.core.clock import Clock, ManualClock, RealClock
from llmposter.core.heap import settle
from llmposter.core.journal import MOST_OF_BODY
from llmposter.core.mock import JOURNAL_SIZE, MOST_CONVERSATIONS, Mock
from llmposter.server.fast import Fast
from llmposter.server.limits import MOST_CONNECTIONS
from llmposter.server.reloading import Reloader, companion_of
from llmposter.server.service import Service
from llmposter.server.watch import Silent, Watch

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Sequence

    from tornado.httputil import HTTPServerConnectionDelegate

    from llmposter.core.credentials import Issued
    from llmposter.server.oauth import Companion
    from llmposter.server.transport import Slow
    from llmposter.sources import Sources
    from llmposter_dsl.companion import OAuth
    from llmposter_dsl.program import Program

MANUAL_START: Final = 1_767_225_600.0
"""Where a manual clock begins: 2026-01-01T00:00:00Z, always, so that the same run gives the same bytes."""
TRANSPORTS: Final = ("fast", "tornado")
_BACKLOG: Final = 1024
_TIME_TO_END: Final = 0.5


@dataclass(frozen=True, slots=True)
class Settings:
    """How a server is to run.

    Attributes:
        port: 0 takes a free one.
        clock: ``real`` or ``manual``.
        journal_size: requests that are remembered. body_size: bytes of the body of each that are.
        most_conversations: that are held at once.
        most_connections: that are open at once; more are turned away with a 503 that says so.
        transport: ``fast``, or ``tornado`` for Tornado's own; the environment variable LLMPOSTER_TRANSPORT has the
            say where nothing is given.
        tokens: credentials that are good beside those of the scenarios; with any, every request needs one.
        sources: what the programs were read from, to be read again on demand. follow: and as soon as it changes.
        oauth: an OAuth server beside this one, where no scenario has one of its own.
        other_port: what to choose where the port is taken, in the words of who gave it.
    """

    host: str = "127.0.0.1"
    port: int = 0
    clock: str = "real"
    journal_size: int = JOURNAL_SIZE
    body_size: int = MOST_OF_BODY
    most_conversations: int = MOST_CONVERSATIONS
    most_connections: int = MOST_CONNECTIONS
    transport: str = field(default_factory=lambda: os.environ.get("LLMPOSTER_TRANSPORT") or TRANSPORTS[0])
    watch: Watch = field(default_factory=Silent)
    tokens: tuple[Issued, ...] = ()
    sources: Sources | None = None
    follow: bool = False
    oauth: OAuth | None = None
    other_port: str = "another with --port, or --port 0 for any free one"


class CannotListen(Exception):  # noqa: N818 - it reads as what happened
    """The address or the transport cannot be had; the message is for the user."""


class Server:
    """Listens from its making on; answers once `open` is called on a loop."""

    def __init__(self, programs: Sequence[Program], settings: Settings) -> None:
        if settings.transport not in TRANSPORTS:
            named = f'the transport (LLMPOSTER_TRANSPORT) is "{settings.transport}"'
            raise CannotListen(f"{named} and should be {' or '.join(TRANSPORTS)}")
        self._sockets = _bind(settings.host, settings.port, settings.other_port)
        self.host, self.port = settings.host, self._sockets[0].getsockname()[1]
        self.clock: Clock = ManualClock(MANUAL_START) if settings.clock == "manual" else RealClock()
        most = settings.most_conversations
        theirs = companion_of(programs)
        oauth = theirs or settings.oauth
        admission = Admission(programs, self.clock.now(), settings.tokens, auth=settings.oauth is not None)
        self.mock = Mock(
            programs,
            self.clock,
            journal_size=settings.journal_size,
            body_size=settings.body_size,
            most_conversations=most,
            admission=admission,
        )
        self.loopback = all(_is_loopback(each.getsockname()[0]) for each in self._sockets)
        names = {"localhost", "127.0.0.1", "::1", settings.host.lower()} if self.loopback else None
        hosts = None if names is None else frozenset(names)
        self.service = Service(self.mock, self.clock, settings.watch, hosts=hosts, reach=self.reach)
        if settings.sources is not None:
            self.service.reloader = Reloader(settings.sources, self.mock, settings.watch, theirs)
        self.follows = settings.follow
        if oauth is not None:
            self.service.companion = self._companion(oauth, settings)
            self.mock.on_reset = self.service.companion.reset
        self._most = settings.most_connections
        self._fast = settings.transport == "fast"
        self._transport: Fast | Slow | None = None

    def _companion(self, oauth: OAuth, settings: Settings) -> Companion:
        from llmposter.server.oauth import Companion

        credentials = self.mock.admission.credentials
        try:
            return Companion(oauth, self.clock, credentials, host=settings.host, watch=settings.watch)
        except OSError as error:
            _let_go(error)
            for each in self._sockets:
                each.close()
            told = f"cannot listen on {_in_url(settings.host)}:{oauth.port} for OAuth"
            raise CannotListen(f"{told}: {_why(error, 'another `port` in `auth.oauth`')}") from error

    @property
    def url(self) -> str:
        """Where it listens, without a slash at the end."""
        return f"http://{_in_url(self.host)}:{self.port}"

    @property
    def reach(self) -> str:
        """Where a client on this machine finds it: an address that means "any" is none to call."""
        here = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(self.host, self.host)  # noqa: S104
        return f"http://{_in_url(here)}:{self.port}"

    async def open(self) -> None:
        """Begin to answer, on the running loop."""
        if self.service.companion is not None:
            await self.service.companion.open()
        self._transport = Fast(self.service, self._admin, self._most) if self._fast else self._slow()
        await self._transport.start(self._sockets, _BACKLOG)
        if self.service.reloader is not None and self.follows:
            self.service.reloader.follow()

    def _slow(self) -> Slow:
        from llmposter.server.transport import Slow

        return Slow(self.service, self._admin(), self._most)

    def _admin(self) -> HTTPServerConnectionDelegate:
        from llmposter.server.admin import application

        return application(self.service)

    async def close(self) -> None:
        """Stop: no new connections, open answers broken off, nothing left behind."""
        self.service.stopping = True
        if self.service.reloader is not None:
            await asyncio.to_thread(self.service.reloader.stop)
        if self.service.companion is not None:
            await self.service.companion.close()
        if self._transport is None:
            for each in self._sockets:
                each.close()
            return
        self._transport.stop()
        for task in tuple(self.service.tasks):
            task.cancel()
        for stream in tuple(self.service.streams):
            stream.cancel()
        await self._transport.close(_TIME_TO_END)
        if self.service.tasks:
            await asyncio.wait(self.service.tasks, timeout=_TIME_TO_END)


class Running:
    """A server in a thread of its own; a context manager.

    Attributes:
        server: it. mock: what was asked and answered, to be read at any time.
    """

    def __init__(self, programs: Sequence[Program], settings: Settings | None = None) -> None:
        self.server = Server(programs, settings or Settings())
        self.mock, self.clock = self.server.mock, self.server.clock
        self._stop: Callable[[], object] = _nothing
        self._ready = threading.Event()
        self._failed: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="llmposter", daemon=True)
        self._thread.start()
        self._ready.wait()
        if self._failed is not None:
            raise self._failed

    @property
    def url(self) -> str:
        """Where it listens, without a slash at the end."""
        return self.server.reach

    @property
    def openai_url(self) -> str:
        """The base URL for OpenAI's SDKs."""
        return f"{self.url}/v1"

    def session_url(self, session: str) -> str:
        """As `url`, for a session of its own."""
        return f"{self.url}/@{session}"

    @property
    def oauth(self) -> Companion | None:
        """The OAuth server beside it, if there is one."""
        return self.server.service.companion

    def stop(self) -> None:
        """End it, open answers included; once it returns, nothing of it is left."""
        self._stop()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _run(self) -> None:
        try:
            with _runner() as runner:
                runner.run(self._main())
        except BaseException as error:  # noqa: BLE001 - handed to who started it
            self._failed = error
        finally:
            self._ready.set()

    async def _main(self) -> None:
        loop, end = asyncio.get_running_loop(), asyncio.Event()

        def stop() -> None:
            with suppress(RuntimeError):  # ended already
                loop.call_soon_threadsafe(end.set)

        self._stop = stop
        await self.server.open()
        self._ready.set()
        await end.wait()
        await self.server.close()


def serve(programs: Sequence[Program], settings: Settings, ready: Callable[[Server], None]) -> None:
    """Serve until SIGINT or SIGTERM, reading the sources again at SIGHUP; *ready* is called when it listens.

    Raises:
        CannotListen: the address cannot be had.
    """
    server = Server(programs, settings)
    with _runner() as runner:
        runner.run(_until_told(server, ready))


async def _until_told(server: Server, ready: Callable[[Server], None]) -> None:
    end = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, end.set)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(end.set))
    if server.service.reloader is not None and sys.platform != "win32":
        reload = server.service.reloader.told_to
        loop.add_signal_handler(signal.SIGHUP, lambda: loop.run_in_executor(None, reload, "SIGHUP"))
    try:
        await server.open()
        ready(server)
        settle()
        await end.wait()
    finally:
        await server.close()


def _runner() -> asyncio.Runner:
    """On uvloop where it exists."""
    if sys.platform == "win32":
        return asyncio.Runner()
    try:
        import uvloop
    except ImportError:
        return asyncio.Runner()
    return asyncio.Runner(loop_factory=uvloop.new_event_loop)


def _bind(host: str, port: int, other: str) -> list[socket.socket]:
    try:
        return bind_sockets(port, host, backlog=_BACKLOG)
    except (OSError, UnicodeError, OverflowError) as error:
        _let_go(error)
        raise CannotListen(f"cannot listen on {_in_url(host)}:{port}: {_why(error, other)}") from error


def _let_go(error: BaseException) -> None:
    """Tornado leaves open what it could not bind, and what it bound before that (netutil.py, `bind_sockets`, 6.5)."""
    trace = error.__traceback__
    while trace is not None:
        known = trace.tb_frame.f_locals
        for each in (known.get("sock"), *(known.get("sockets") or ())):
            if each is not None:
                each.close()
        trace = trace.tb_next


def _why(error: Exception, other: str) -> str:
    match getattr(error, "errno", None):
        case errno.EADDRINUSE:
            return f"the port is taken; choose {other}"
        case errno.EACCES:
            return "the port is reserved; choose one above 1023" + (" with --port" if "--port" in other else "")
        case errno.EADDRNOTAVAIL:
            return "this machine has no such address"
        case _:
            return (getattr(error, "strerror", None) or str(error)).lower()


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address.partition("%")[0]).is_loopback
    except ValueError:
        return False


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _nothing() -> None:
    """There is nothing to stop yet."""
