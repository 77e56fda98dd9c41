"""The files and folders that were named: read and checked, again whenever they have changed.

Whether they have is told by what their files are, so that nobody has to believe what a system says of changes; where
to listen for these is each folder in which a file stands that counts, or may come to stand.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from msgspec.structs import replace

from llmposter.core.swap import Swap
from llmposter.lint import check
from llmposter.lint.checking import Checked
from llmposter.model import Struct
from llmposter_dsl.diagnostic import Diagnostic
from llmposter_dsl.folders import below

Mark: TypeAlias = tuple[int, int, int] | None
"""What tells one content of a file from another without reading it; None where there is no file."""


class Reloaded(Struct, frozen=True):
    """What came of reading files again.

    Attributes:
        cause: ``watch``, ``SIGHUP`` or ``request``.
        diagnostics: those of the new files, remarks left out.
        scenarios: the names of those that are served now.
        swap: what became of the conversations; None where nothing was swapped, since one of the findings is an error.
        later: a sentence on what takes effect at the next start alone.
    """

    cause: str
    diagnostics: tuple[Diagnostic, ...]
    scenarios: tuple[str, ...]
    swap: Swap | None
    later: str = ""


class Sources:
    """Files and folders with scenarios.

    Args:
        paths: as their user names them.
        seed: in place of each scenario's own.
        checker: reads and checks what the paths name.
    """

    def __init__(
        self, paths: Sequence[str], *, seed: int | None = None, checker: Callable[[Sequence[str]], Checked] = check
    ) -> None:
        self.paths, self._seed, self._check = tuple(paths), seed, checker
        self._absolute = tuple(map(os.path.abspath, self.paths))
        self._read: frozenset[str] = frozenset()
        self._seen: Mapping[str, Mark] = {}

    def load(self) -> Checked:
        """All that is wrong with them, and the scenarios if that is no error.

        Raises:
            Misconfigured: what a project says of its checks cannot be used.
        """
        before, counted = self._marks(), self._read
        checked = self._check(self.paths)
        # What could be read when all was well is listened to until all is well again.
        self._read = frozenset(checked.read) | (counted if checked.failed else frozenset())
        self._seen = self._met(checked, before, counted)
        if self._seed is None:
            return checked
        return checked._replace(programs=tuple(replace(program, seed=self._seed) for program in checked.programs))

    def _met(self, checked: Checked, before: Mapping[str, Mark], counted: frozenset[str]) -> dict[str, Mark]:
        """The files as they were checked: one that was written, came or went meanwhile is otherwise than it is now."""
        now = self._marks()
        files = frozenset(map(os.path.abspath, checked.files)).difference(self._absolute)
        met: dict[str, Mark] = dict.fromkeys(files)
        met |= {path: mark for path, mark in now.items() if path in self._read}
        # What nobody includes any more is no file that went.
        return met | {path: mark for path, mark in before.items() if path in now or path not in counted}

    def changed(self) -> bool:
        """Whether anything is otherwise than when it was loaded last."""
        return self._marks() != self._seen

    def places(self) -> frozenset[str]:
        """The folders to listen to; in place of one that is not there the nearest above it."""
        wanted = {os.path.dirname(path) for path in self._read}  # noqa: PTH120 - many, and often
        for path in self._absolute:
            wanted |= set(below(path)[0]) if os.path.isdir(path) else {os.path.dirname(path)}  # noqa: PTH112, PTH120
        return frozenset(map(_there, wanted))

    def _marks(self) -> dict[str, Mark]:
        files = set(self._read)
        for path in self._absolute:
            files |= set(below(path)[1]) if os.path.isdir(path) else {path}  # noqa: PTH112
        return {path: _mark(path) for path in files}


def _there(path: str) -> str:
    """The folder, or the nearest one above it that is there."""
    while not os.path.isdir(path) and (above := os.path.dirname(path)) != path:  # noqa: PTH112, PTH120
        path = above
    return path


def _mark(path: str) -> Mark:
    try:
        stat = os.stat(path)  # noqa: PTH116
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size, stat.st_ino
