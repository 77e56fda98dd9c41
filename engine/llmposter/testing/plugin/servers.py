"""The servers of one test process: one for each set of scenarios, which all tests that want it share.

A test is alone in its session; a server of its own it has only where time is in its hand, which sessions share.
"""

from __future__ import annotations

from collections import OrderedDict
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import pytest

from llmposter.testing.server import Server

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from llmposter.testing.plugin.wishes import Wish
    from llmposter.testing.sources import Source

MOST: Final = 16
"""Servers that go on for the tests to come; of more, the one that was wanted longest ago is stopped."""
_Key: TypeAlias = "tuple[tuple[Source, ...], tuple[tuple[str, Any], ...]]"


class Servers:
    """Those that go on."""

    def __init__(self) -> None:
        self._held: OrderedDict[_Key, Server] = OrderedDict()

    @contextmanager
    def of(self, wish: Wish) -> Iterator[Server]:
        """One that serves what a test wants."""
        if wish.alone:
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


def made(sources: Sequence[Source], **settings: Any) -> Server:
    """A server that is not started; what is wrong with what it is to serve is told without the way it came."""
    try:
        return Server(*map(near, sources), **settings)
    except (ValueError, TypeError) as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None


def near(source: Source) -> Source:
    """A path as seen from here, if it is below: what is told of it can then be followed, and is short."""
    if isinstance(source, Path) and source.is_relative_to(here := Path.cwd()):
        return source.relative_to(here)
    return source
