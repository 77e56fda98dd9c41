"""llmposter in a test's own process: `with Server("scenario.toml") as server`, or `async with` in the caller's loop.

Whatever is wrong with what is to be served is raised at once; what was asked can be looked at after the end, too.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Final, Literal, Self
from uuid import uuid4

from llmposter.core.credentials import Issued, of_flag
from llmposter.server.running import Running, Settings
from llmposter.server.running import Server as Listening
from llmposter.server.target import faulty
from llmposter.testing import warm
from llmposter.testing.seen import Seen
from llmposter.testing.sources import programs
from llmposter_dsl.companion import OAuth

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llmposter.core.swap import Swap
    from llmposter.testing.sources import Source
    from llmposter_dsl.program import Program

warm.up()

BODY_SIZE: Final = 1024 * 1024
"""Bytes of a request's body that are kept: a history has to be whole for what it says to be known."""


class Session(Seen):
    """An isolated part of a server, with conversations, requests, tokens and chaos of its own.

    Attributes:
        name: as it stands in the URLs.
    """

    def __init__(self, server: Server, name: str) -> None:
        self.server, self.name = server, name
        self._session = name

    def __repr__(self) -> str:
        return f"<Session {self.name!r} of {self.server!r}>"

    def _listening(self) -> Listening:
        return self.server._listening()  # noqa: SLF001 - of the same kind


class Server(Seen):
    """A server in this process.

    Args:
        sources: what to serve, in the order in which it is asked: paths of files and folders, texts of scenarios
            (with a line break in them), and what `Scenario` builds.
        port: 0 takes a free one.
        clock: ``manual`` for one that stands still until `server.clock.advance` moves it.
        seed: in place of each scenario's own.
        host: the address to listen on.
        journal_size: requests that are remembered. body_size: bytes of the body of each.
        tokens: keys that clients may send, as `run --token` takes them, ``"name:uses=3:lifetime=15m"``; with one,
            every request needs a good one.
        oauth: an OAuth server beside it, where no scenario has one of its own.
        diagnostics: a request that no fixture matches is told which one nearly did.

    Raises:
        ScenarioError: what is to be served is wrong; the message has all findings.
        ValueError: an argument is.
    """

    def __init__(  # noqa: PLR0913 - how a server may run
        self,
        *sources: Source,
        port: int = 0,
        clock: Literal["real", "manual"] = "real",
        seed: int | None = None,
        host: str = "127.0.0.1",
        journal_size: int = 10_000,
        body_size: int = BODY_SIZE,
        tokens: Sequence[str] = (),
        oauth: bool = False,
        diagnostics: bool = False,
    ) -> None:
        if clock not in ("real", "manual"):
            raise ValueError(f'the clock is "{clock}" and should be "real" or "manual"')
        self._seed, self._diagnostics = seed, diagnostics
        self._programs = self._compiled(sources)
        self._settings = Settings(
            host,
            port,
            clock,
            journal_size=journal_size,
            body_size=body_size,
            tokens=tuple(map(_token, tokens)),
            oauth=OAuth() if oauth else None,
            other_port="another `port`, or leave it out for any free one",
        )
        self._server: Listening | None = None
        self._running: Running | None = None
        self._in_loop = False
        self._numbers = count(1)

    def __repr__(self) -> str:
        where = "not started" if self._server is None else self.url
        return f"<Server {', '.join(program.name for program in self._programs)}: {where}>"

    # --- from first to last ---------------------------------------------------------------------------------------

    def start(self) -> Self:
        """Listens and answers, in a thread of its own, until `stop`; `with` does both.

        Raises:
            CannotListen: the address cannot be had.
        """
        self._begins()
        self._running = Running(self._programs, self._settings)
        self._server = self._running.server
        return self

    def stop(self) -> None:
        """Ends it, open answers included; nothing of it is left but what was asked. No harm where it has ended."""
        if self._running is not None:
            self._running.stop()
            self._running = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        self._begins()
        self._server = Listening(self._programs, self._settings)
        self._in_loop = True
        await self._server.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._in_loop = False
        await self._listening().close()

    def _begins(self) -> None:
        if self._running is not None or self._in_loop:
            raise RuntimeError(f"this server runs already, at {self.url}")

    def _listening(self) -> Listening:
        if self._server is None:
            raise RuntimeError("this server was not started: use it as `with Server(…) as server`")
        return self._server

    # --- what only a server has -----------------------------------------------------------------------------------

    @property
    def port(self) -> int:
        """On which it listens."""
        port: int = self._listening().port
        return port

    def set_scenarios(self, *sources: Source) -> Swap:
        """Serves these from now on in place of what it serves, at once; what became of the conversations.

        Conversations go on where a scenario of their name still has their state.

        Raises:
            ScenarioError: what is to be served is wrong; what was served before still is.
        """
        made = self._compiled(sources)
        swapped = self._mock.replace(made)
        self._programs = made
        return swapped

    def _compiled(self, sources: Sequence[Source]) -> list[Program]:
        if not sources:
            raise TypeError("a server has something to serve: give it a path, the text of a scenario, or a `Scenario`")
        return programs(sources, self._seed, diagnostics=self._diagnostics)

    def session(self, name: str | None = None) -> Session:
        """The session of this name, or a new one: its base URLs isolate what comes by them from all else.

        Raises:
            ValueError: it is no name of a session.
        """
        name = f"{next(self._numbers)}-{uuid4().hex[:12]}" if name is None else name
        if (wrong := faulty(name)) is not None:
            raise ValueError(wrong)
        return Session(self, name)


def _token(text: str) -> Issued:
    made = of_flag(text)
    if isinstance(made, Issued):
        return made
    raise ValueError(made)
