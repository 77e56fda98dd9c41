"""How workers of pytest-xdist share the tests: whole files, as their fixtures are made once a file.

A scheduler says it, since xdist 3.8 writes its groups into `Item._nodeid`, which pytest 9.2 does not read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from xdist.remote import Producer
    from xdist.scheduler import LoadScopeScheduling

TOGETHER = {"test_clients.py", "test_environments.py", "test_sdk_behaviour.py", "test_oauth_clients.py"}
"""Files of `interop` that share one server and the programs that ask it."""
APART = {"test_mutations.py", "test_never.py"}
"""Files that share nothing but what their parameters say, if they have some."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return group(nodeid)

    return Scheduling(config, log)


def group(nodeid: str) -> str:
    path, _, test = nodeid.partition("::")
    name = path.rpartition("/")[2]
    if name in APART:
        return f"{path} {test.partition('[')[2] or test}"
    return "interop" if name in TOGETHER else path
