"""llmposter for tests in Python: `from llmposter import Server, Scenario, rule`.

This door opens late, so that `import llmposter` and the command line load nothing that they do not need.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llmposter.server.running import CannotListen
    from llmposter.testing.builder import Scenario, rule
    from llmposter.testing.errors import ScenarioError
    from llmposter.testing.fixture import Fixture
    from llmposter.testing.server import Server, Session

_HOMES = {
    "CannotListen": "server.running",
    "Fixture": "testing.fixture",
    "Scenario": "testing.builder",
    "ScenarioError": "testing.errors",
    "Server": "testing.server",
    "Session": "testing.server",
    "rule": "testing.builder",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    globals()[name] = found = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})


__all__ = ["CannotListen", "Fixture", "Scenario", "ScenarioError", "Server", "Session", "rule"]
