"""The command line as a user has it: processes, with their output and exit codes."""

from __future__ import annotations

import os
import subprocess
import sys


def call(*arguments: str, stdin: str | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR")}
    command = [sys.executable, "-m", "llmposter", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, encoding="utf-8", timeout=60, check=False, input=stdin,
        env={**kept, "PYTHONIOENCODING": "utf-8", **environment},
    )  # fmt: skip
