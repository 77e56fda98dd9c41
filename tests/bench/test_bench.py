"""The measurements run, and print every number that they promise."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path


def test_the_measurements_run() -> None:
    """With tiny counts the table has a line for each thing that is measured, each with its number and unit."""
    script = Path(__file__).with_name("run.py")
    ended = subprocess.run([sys.executable, script, "--quick"], capture_output=True, text=True, timeout=100, check=True)
    expected = [
        ("CPU a request, 1 rules", "us"),
        ("CPU a request, 10 rules", "us"),
        ("CPU a request, history of 1 messages", "us"),
        ("CPU a request, history of 4 messages", "us"),
        ("CPU a request, 2 conversations held", "us"),
        ("CPU a request, 20 conversations held", "us"),
        ("the most to the least", ""),
        ("memory a conversation, of 42", "bytes"),
        ("cold start of run, to its listening line", "ms"),
        ("cold start of lint, to its end", "ms"),
    ]
    found = [re.fullmatch(r"\s*(.+?)  +(-?[\d,.]+) ?(\w*)", line) for line in ended.stdout.splitlines()]
    assert expected == [(match[1], match[3]) for match in found if match]
