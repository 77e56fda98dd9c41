"""How workers of pytest-xdist share the tests: whole files, as their fixtures are made once a file."""

from __future__ import annotations

from pathlib import Path

import pytest

TOGETHER = {"test_clients.py", "test_environments.py", "test_sdk_behaviour.py", "test_oauth_clients.py"}
"""Files of `interop` that share one server and the programs that ask it."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        item.add_marker(pytest.mark.xdist_group(group(item.path)))


def group(path: Path) -> str:
    return "interop" if path.name in TOGETHER else f"{path.parent.name}/{path.stem}"
