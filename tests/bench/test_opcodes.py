"""The path from bytes to bytes does not grow unnoticed: its instructions are counted, which no other load disturbs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

MOST = {
    "plain, 1 rule": 2_496,
    "streamed, 1 rule": 2_844,
    "history of 41 messages": 2_896,
    "responses, history of 41 messages": 3_690,
    "anthropic, history of 41 messages": 3_190,
    "gemini, history of 41 messages": 3_368,
}
"""Instructions of CPython 3.11, as counted; lower them whenever the path became shorter."""
TOLERANCE = 1.15 if sys.version_info[:2] == (3, 11) else 1.5
"""Other versions of Python have other instructions."""


@pytest.fixture(scope="module")
def counts() -> dict[str, int]:
    script = Path(__file__).with_name("opcodes.py")
    counted = subprocess.run(
        [sys.executable, script], env={**os.environ, "PYTHONHASHSEED": "0"}, capture_output=True, check=True, timeout=60
    )
    found: dict[str, int] = json.loads(counted.stdout)
    return found


@pytest.mark.parametrize("case", MOST)
def test_a_request_takes_no_more_instructions_than_it_did(case: str, counts: dict[str, int]) -> None:
    """From bytes to bytes; a new feature that costs more says so here."""
    assert counts[case] <= MOST[case] * TOLERANCE


def test_rules_that_cannot_match_cost_no_instructions(counts: dict[str, int]) -> None:
    """A thousand rules of which the last matches take what ten do."""
    assert counts["1,000 rules"] <= counts["10 rules"] * 1.1
