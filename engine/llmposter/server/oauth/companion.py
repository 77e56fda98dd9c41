"""The OAuth 2.0 companion from its first to its last moment, and what tests and the admin API do with it."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from contextlib import suppress
from ipaddress import ip_address
from threading import RLock
from typing import TYPE_CHECKING, Any, Final

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets

from llmposter.core.clock import Clock, ManualClock
from llmposter.oauth import keys
from llmposter.oauth.ids import Ids
from llmposter.oauth.provider import Provider
from llmposter.server.oauth.handlers import MOST_READ, application
from llmposter.server.waiting import Alarms, Schedule
from llmposter.server.watch import Silent, Watch

if TYPE_CHECKING:
    from collections.abc import Iterable

    from llmposter.core.credentials import Credentials
    from llmposter_dsl.companion import OAuth, TokenAnswer, User

MOST_SESSIONS: Final = 1_000
"""Issuers that are held; of more, the one asked longest ago begins anew when it comes back."""
_MOST_OF_HEAD: Final = 64 * 1024
_IDLE: Final = 600.0
_SLOW_BODY: Final = 120.0
_TIME_TO_END: Final = 0.5
_ANY: Final = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - to know it, not to bind to it


class Companion:
    """An authorization server that listens from its making on, and answers once `open` is called on a loop.

    The issuer at `url` gives tokens that are good in all sessions; the one at ``url/@ID`` has clients, codes and
    tokens of its own, which are good in the session ID alone.

    Args:
        credentials: of the server whose endpoints the tokens are good for.

    Raises:
        OSError: the address cannot be had.
    """

    def __init__(
        self,
        settings: OAuth,
        clock: Clock,
        credentials: Credentials,
        *,
        host: str = "127.0.0.1",
        watch: Watch | None = None,
    ) -> None:
        self.settings, self.clock, self.watch = settings, clock, watch or Silent()
        self._credentials = credentials
        self._lock = RLock()
        self._providers: OrderedDict[str, Provider] = OrderedDict()
        self._sockets = bind_sockets(settings.port, host)
        self.host, self.port = host, self._sockets[0].getsockname()[1]
        loopback = all(ip_address(each.getsockname()[0].partition("%")[0]).is_loopback for each in self._sockets)
        self._names = {"localhost", "127.0.0.1", "::1", host.lower()} if loopback else None
        self._alarms = Alarms()
        self._keys: asyncio.Future[object] | None = None
        self._ending: asyncio.Future[None] | None = None
        self._server: HTTPServer | None = None

    @property
    def url(self) -> str:
        """Where it listens, without a slash at the end: the issuer whose tokens are good everywhere."""
        here = _ANY.get(self.host, self.host)
        return f"http://[{here}]:{self.port}" if ":" in here else f"http://{here}:{self.port}"

    def session_url(self, session: str) -> str:
        """The issuer whose tokens are good in one session."""
        return f"{self.url}/@{session}" if session else self.url

    async def open(self) -> None:
        """Begin to answer, on the running loop; the key is made meanwhile."""
        loop = asyncio.get_running_loop()
        self._ending = loop.create_future()
        self._keys = loop.run_in_executor(None, keys.key)
        self._server = HTTPServer(
            application(self),
            max_body_size=MOST_READ,
            max_header_size=_MOST_OF_HEAD,
            idle_connection_timeout=_IDLE,
            body_timeout=_SLOW_BODY,
        )
        self._server.add_sockets(self._sockets)

    async def close(self) -> None:
        """Stop: open answers are broken off, nothing is left behind."""
        if self._server is None or self._ending is None or self._keys is None:
            for each in self._sockets:
                each.close()
            return
        self._server.stop()
        if not self._ending.done():
            self._ending.set_result(None)
        await self._keys
        with suppress(TimeoutError):
            await asyncio.wait_for(self._server.close_all_connections(), _TIME_TO_END)

    async def ready(self) -> None:
        """Returns once there is a key."""
        assert self._keys is not None
        await asyncio.shield(self._keys)

    async def wait(self, seconds: float, gone: asyncio.Future[None]) -> bool:
        """Returns after so much time on the clock; False if the client left before, or the server ended."""
        assert self._ending is not None
        schedule = Schedule(self.clock, self._alarms)
        if not schedule.goes_on(seconds):
            return True
        due = asyncio.ensure_future(schedule.reached())
        try:
            done, _ = await asyncio.wait((due, gone, self._ending), return_when=asyncio.FIRST_COMPLETED)
            return due in done
        finally:
            due.cancel()

    def named(self, host: str) -> bool:
        """Whether that is a name of this server: a web page must not reach it by one of its own choosing."""
        return self._names is None or host in self._names or host.endswith(".localhost")

    def provider(self, session: str = "") -> Provider:
        """The issuer of a session, or (for no name) the one for all."""
        with self._lock:
            if (found := self._providers.get(session)) is not None:
                self._providers.move_to_end(session)
                return found
            ids = Ids(f"oauth/{session}" if isinstance(self.clock, ManualClock) else None)
            made = Provider(self.settings, self.clock, self._credentials, ids, session or None)
            self._providers[session] = made
            if len(self._providers) > MOST_SESSIONS:
                self._providers.popitem(last=False)
            return made

    def reset(self, session: str | None = None) -> None:
        """One issuer, or all of them for None, is as in the beginning; the tokens that it gave have ended."""
        for provider in self._of(session):
            provider.reset()

    def approve(self, user_code: str, session: str | None = None) -> bool:
        """Says yes to the device with this code; False if none waits with it."""
        return self.decide_device(user_code, approved=True, session=session)

    def deny(self, user_code: str, session: str | None = None) -> bool:
        """Likewise no."""
        return self.decide_device(user_code, approved=False, session=session)

    def decide_device(self, user_code: str, *, approved: bool, session: str | None = None) -> bool:
        """As a person does on the page; of all sessions for None."""
        for provider in self._of(session):
            with provider.lock:
                if (device := provider.pending(user_code)) is not None:
                    device.state, device.user = "approved" if approved else "denied", provider.user
                    return True
        return False

    def _of(self, session: str | None) -> list[Provider]:
        """The one of a session, or all."""
        if session is not None:
            return [self.provider(session)]
        with self._lock:
            return list(self._providers.values())

    def script(self, answers: Iterable[TokenAnswer], session: str = "") -> None:
        """What the next requests to the token endpoint get, after those that are still to come."""
        provider = self.provider(session)
        with provider.lock:
            provider.desk.coming.extend(answers)

    def sign_in(self, user: User, session: str = "") -> None:
        """Whom consents are for from now on."""
        provider = self.provider(session)
        with provider.lock:
            provider.user = user

    def grants(self, session: str = "") -> list[dict[str, Any]]:
        """What was asked of the token endpoint, first to last, as JSON-able data."""
        provider = self.provider(session)
        with provider.lock:
            return provider.desk.grants()

    def state(self, session: str = "") -> dict[str, Any]:
        """The grants, how many were refreshes, the answers to come, the devices that wait, the clients; JSON-able."""
        provider = self.provider(session)
        with provider.lock:
            devices = [
                {"user_code": each.user_code, "client": each.client, "scope": each.scope, "until": each.until}
                for each in provider.waiting()
            ]
            told = {"issuer": self.session_url(session), "subject": provider.user.subject, "devices": devices}
            return told | provider.desk.state() | {"clients": sorted(provider.store.clients)}
