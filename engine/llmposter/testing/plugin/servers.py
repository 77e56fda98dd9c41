"""The servers of one test process: one for each set of scenarios, which all tests that want it share.

A test is alone in its session; a server of its own it has only where time is in its hand, which sessions share.
"""

from __future__ import annotations

from collections import OrderedDict
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import pytest

from llmposter.testing.server import Server
from llmposter.testing.sources import programs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from llmposter.testing.elsewhere import Elsewhere
    from llmposter.testing.plugin.wishes import Wish
    from llmposter.testing.sources import Source

MOST: Final = 16
"""Servers that go on for the tests to come; of more, the one that was wanted longest ago is stopped."""
_Key: TypeAlias = "tuple[tuple[Source, ...], tuple[tuple[str, Any], ...]]"


class Servers:
    """Those that go on.

    Args:
        url: of the one that runs elsewhere and serves all tests which need nothing special.
    """

    def __init__(self, url: str | None = None) -> None:
        self._url = url
        self._held: OrderedDict[_Key, Server] = OrderedDict()

    @contextmanager
    def of(self, wish: Wish) -> Iterator[Server | Elsewhere]:
        """One that serves what a test wants."""
        if self._url is not None and not wish.special:
            yield elsewhere(self._url, wish.sources)
        elif wish.alone:
            with made(wish.sources, clock="manual", **dict(wish.settings)) as server:
                yield server
        else:
            yield self._shared(wish)

    def _shared(self, wish: Wish) -> Server:
        key = (wish.sources, wish.settings)
        if key not in self._held:
            self._held[key] = made(wish.sources, **dict(wish.settings)).start()
        self._held.move_to_end(key)
        while len(self._held) > MOST:
            self._held.popitem(last=False)[1].stop()
        return self._held[key]

    def stop(self) -> None:
        """All of them end."""
        while self._held:
            self._held.popitem()[1].stop()


@cache
def elsewhere(url: str, sources: tuple[Source, ...]) -> Elsewhere:
    """The server that runs already; what it should serve is compiled here, so that failures tell its places."""
    from llmposter.testing.elsewhere import Elsewhere

    with _told():
        return Elsewhere(url, programs([near(each) for each in sources]))


def made(sources: Sequence[Source], **settings: Any) -> Server:
    """A server that is not started."""
    with _told():
        return Server(*map(near, sources), **settings)


@contextmanager
def _told() -> Iterator[None]:
    """What is wrong with what is to be served is told without the way it came."""
    try:
        yield
    except (ValueError, TypeError) as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None


def near(source: Source) -> Source:
    """A path as seen from here, if it is below: what is told of it can then be followed, and is short."""
    if isinstance(source, Path) and source.is_relative_to(here := Path.cwd()):
        return source.relative_to(here)
    return source
