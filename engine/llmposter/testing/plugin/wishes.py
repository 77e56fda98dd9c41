"""What a test wants: the marker `llmposter` of it, its class and its module, over what the ini-file says for all.

The nearest marker that names scenarios has the say on them, and each option is that of the nearest one that has it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final, NamedTuple, NoReturn

import pytest

from llmposter.testing.allowed import Allowed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from llmposter.testing.sources import Source

SWITCHES: Final[Mapping[str, tuple[bool, str]]] = {
    "verify": (True, "whether a test fails whose run was not clean"),
    "allow_unmet": (False, "whether an `expect` of a scenario may not hold"),
    "allow_violations": (False, "whether a client may do what else it should not"),
    "allow_misses": (False, "whether a request may find no rule"),
    "allow_unanswered": (False, "whether a request may be none, or go to no path that is there"),
    "allow_open": (False, "whether a conversation may end outside of a final state"),
    "environment": (True, "whether environment variables point SDKs at llmposter"),
}
"""Options of the marker that the ini-file has too, with what they are where neither says anything."""
_OF_SERVER: Final = ("diagnostics", "oauth", "seed", "tokens")
"""Options that are those of `Server`."""
_OWN: Final = ("clock", "guard", *_OF_SERVER)
"""Options that only the marker has."""


class Wish(NamedTuple):
    """What is to be served to a test, how, and what is asked of it at its end.

    Attributes:
        sources: empty for those of `llmposter_server`.
        settings: arguments of `Server`, by name. clock: ``real`` or ``manual``.
        guard: None where the marker says nothing.
    """

    sources: tuple[Source, ...]
    settings: tuple[tuple[str, Any], ...]
    clock: str
    guard: bool | None
    verify: bool
    environment: bool
    allowed: Allowed

    @property
    def alone(self) -> bool:
        """The test needs a server for itself."""
        return self.clock == "manual"

    @property
    def special(self) -> bool:
        """The test needs another server than all have."""
        return self.alone or bool(self.settings)


def of(item: pytest.Item) -> Wish:
    """What a test wants."""
    markers = list(item.iter_markers("llmposter"))
    said: dict[str, Any] = {}
    for marker in reversed(markers):
        said |= marker.kwargs
    if strange := said.keys() - SWITCHES.keys() - set(_OWN):
        known = ", ".join(sorted((*SWITCHES, *_OWN)))
        wrong(f'the marker "llmposter" has no "{min(strange)}": it has scenarios and {known}')
    sources = next((marker.args for marker in markers if marker.args), ())
    switched = {name: bool(said.get(name, item.config.getini(f"llmposter_{name}"))) for name in SWITCHES}
    clock = said.get("clock", "manual" if "llmposter_clock" in getattr(item, "fixturenames", ()) else "real")
    if clock not in ("real", "manual"):
        wrong(f'the clock is "{clock}" and should be "real" or "manual"')
    return Wish(
        sources=tuple(found(each, item.path.parent, item.config.rootpath) for each in sources),
        settings=tuple((name, _held(said[name])) for name in _OF_SERVER if name in said),
        clock=clock,
        guard=said.get("guard"),
        verify=switched.pop("verify"),
        environment=switched.pop("environment"),
        allowed=Allowed(**{name.removeprefix("allow_"): value for name, value in switched.items()}),
    )


def wrong(message: str) -> NoReturn:
    """The test cannot begin."""
    pytest.fail(message, pytrace=False)


def _held(value: object) -> object:
    """As part of a key: a list of tokens is a tuple, one alone too."""
    match value:
        case str():
            return (value,)
        case list():
            return tuple(value)
        case _:
            return value


def elsewhere(config: pytest.Config) -> str | None:
    """The URL of a server that runs already."""
    url: str = config.getoption("--llmposter-server") or config.getini("llmposter_server")
    return url or None


def for_all(config: pytest.Config) -> tuple[Source, ...]:
    """What the ini-file has served."""
    return tuple(found(each, config.rootpath) for each in config.getini("llmposter_scenarios"))


def found(source: Source, *folders: Path) -> Source:
    """The file or folder that is meant, as seen from the first of *folders* that has it; all else as it is."""
    if not isinstance(source, str | os.PathLike) or (isinstance(source, str) and "\n" in source):
        return source
    places = [folder.absolute() / source for folder in folders]
    return next((each for each in places if each.exists()), places[0])
