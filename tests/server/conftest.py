"""What the tests of the server share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from llmposter.server.running import TRANSPORTS


@pytest.fixture(scope="module", params=TRANSPORTS)
def transport(request: pytest.FixtureRequest) -> Iterator[str]:
    """Each transport by turns, for all servers that a module starts."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("LLMPOSTER_TRANSPORT", request.param)
        yield request.param
