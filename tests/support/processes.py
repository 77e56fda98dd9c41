"""The command line as a user has it: processes, what they write while they run, and how they end."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COMMAND = [sys.executable, "-m", "llmposter"]


def call(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """A command that ends by itself."""
    environment = os.environ | {"PYTHONIOENCODING": "utf-8"}
    return subprocess.run(
        [*COMMAND, *map(str, arguments)], capture_output=True, text=True, encoding="utf-8", timeout=60, cwd=cwd,
        env=environment, check=False,
    )  # fmt: skip


class Run:
    """A command that serves, from the line that says where it listens.

    Attributes:
        before: the lines that came before that one. url: where it listens.
        lines: those that came after it so far, without their ends.
    """

    def __init__(self, *arguments: object, command: tuple[str, ...] = ("run",), cwd: Path | None = None) -> None:
        self.process = subprocess.Popen(
            [*COMMAND, *command, *map(str, arguments)], stderr=subprocess.PIPE, text=True, encoding="utf-8", cwd=cwd
        )
        assert self.process.stderr is not None
        self.before: list[str] = []
        self.lines: list[str] = []
        self._changed = threading.Condition()
        for line in self.process.stderr:
            if found := re.fullmatch(r"llmposter listening on (http://\S+)\n", line):
                self.url = found[1]
                break
            self.before.append(line)
        else:
            raise AssertionError("".join(self.before))
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            with self._changed:
                self.lines.append(line.rstrip("\n"))
                self._changed.notify_all()

    def heard(self, pattern: str, count: int = 1, within: float = 10.0) -> list[str]:
        """The lines in which the pattern is, once there are so many."""

        def found() -> list[str]:
            return [line for line in self.lines if re.search(pattern, line)]

        with self._changed:
            assert self._changed.wait_for(lambda: len(found()) >= count, within), "\n".join(self.lines)
            return found()

    def end(self, how: signal.Signals = signal.SIGTERM) -> tuple[int, float, str]:
        """Its exit code, the seconds it took to end, and all that it wrote after the first line."""
        began = time.monotonic()
        self.process.send_signal(how)
        code = self.process.wait(10)
        seconds = time.monotonic() - began
        self._reader.join()
        assert self.process.stderr is not None
        self.process.stderr.close()
        return code, seconds, "".join(f"{line}\n" for line in self.lines)


@contextmanager
def running(*arguments: object, **more: object) -> Iterator[Run]:
    """One that is ended at the end."""
    run = Run(*arguments, **more)  # type: ignore[arg-type]
    try:
        yield run
    finally:
        if run.process.poll() is None:
            run.end()
