"""What the tests of the pytest plugin share."""

from __future__ import annotations

import pytest
from plugin import RUNNERS


@pytest.fixture
def pytester(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """Runs that come out alike, whoever runs the tests around them and on whatever terminal."""
    for name in RUNNERS:
        monkeypatch.delenv(name, raising=False)
    return pytester
