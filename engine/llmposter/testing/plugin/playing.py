"""A test and its session: made before the test, asked at its end, and forgotten after it."""

from __future__ import annotations

import re
from contextlib import contextmanager
from hashlib import blake2b
from typing import TYPE_CHECKING, Final, NamedTuple
from uuid import uuid4

import pytest

from llmposter.testing import failures
from llmposter.testing.plugin import environment, wishes
from llmposter.testing.plugin.servers import Servers, elsewhere, made

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llmposter.testing.elsewhere import Elsewhere
    from llmposter.testing.plugin.wishes import Wish
    from llmposter.testing.server import Server, Session

_RUN: Final = uuid4().hex[:8]
_STRANGE: Final = re.compile(r"[^A-Za-z0-9_.-]+")


class Played(NamedTuple):
    """The session of a test, and what the test wants of it."""

    session: Session | Elsewhere
    wish: Wish

    def wrong(self) -> str | None:
        """Why the test fails at its end."""
        seen = self.session
        if not self.wish.verify:
            return None
        return failures.verified(seen._observed(), self.wish.allowed.within(seen._verification()))  # noqa: SLF001

    def told(self) -> str:
        """What a test that has failed by itself shows beside that."""
        seen = self.session
        return failures.shown(seen._observed(), seen._verification())  # noqa: SLF001 - of the same house


@contextmanager
def serving(config: pytest.Config) -> Iterator[Server | Elsewhere]:
    """What `llmposter_server` is: a server of what the ini-file names, or the one that runs elsewhere."""
    if (url := wishes.elsewhere(config)) is not None:
        yield elsewhere(url, wishes.for_all(config))
        return
    if not (sources := wishes.for_all(config)):
        wishes.wrong(NOTHING)
    with made(sources) as server:
        yield server


NOTHING: Final = (
    'nothing says what to serve: write @pytest.mark.llmposter("scenario.toml") at the test, its class or its module, '
    "or `llmposter_scenarios = scenario.toml` in the ini-file"
)


@contextmanager
def playing(request: pytest.FixtureRequest, servers: Servers) -> Iterator[Played]:
    """The session of the test that asks."""
    wish = wishes.of(request.node)
    with _server(request, servers, wish) as server, pytest.MonkeyPatch.context() as patched:
        session = server.session(named(request.node.nodeid, request.node.name, wishes.elsewhere(request.config)))
        session.reset()
        if wish.environment:
            environment.point(patched, session)
        yield Played(session, wish)
        if request.config.pluginmanager.has_plugin("llmposter_coverage"):
            from llmposter.testing.plugin import coverage

            request.node.stash[coverage.PART] = coverage.of(session)
        session.reset()


@contextmanager
def _server(request: pytest.FixtureRequest, servers: Servers, wish: Wish) -> Iterator[Server | Elsewhere]:
    if not wish.sources and not wish.special:
        yield request.getfixturevalue("llmposter_server")
        return
    wish = wish if wish.sources else wish._replace(sources=wishes.for_all(request.config))
    if not wish.sources:
        wishes.wrong(NOTHING)
    with servers.of(wish) as server:
        yield server


def named(node: str, name: str, url: str | None) -> str:
    """The session of a test: like its name, and the same in every run, so that what is drawn by lot is the same.

    On a server that others may use at the same time it is this run's own.
    """
    digest = blake2b(node.encode(), digest_size=4).hexdigest()
    run = "" if url is None else f"-{_RUN}"
    return f"{_STRANGE.sub('-', name)[:100].strip('-')}-{digest}{run}"
