"""What was found, in the forms that people and programs read: one module each, with a `write(told)`.

A form says all that it has room for, in the order of the findings, and the same findings always give the same text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Final

from llmposter_dsl.report import plain

if TYPE_CHECKING:
    from llmposter_dsl.diagnostic import Diagnostic

NAMES: Final = ("text", "short", "json", "jsonl", "sarif", "github", "junit", "gitlab")


@dataclass(frozen=True)
class Told:
    """What is to be told.

    Attributes:
        diagnostics: the findings, sorted.
        files: the scenarios that were checked.
        strict: warnings count as errors do.
        paint: colours a text for a terminal.
        top: the folder that names of files start from.
    """

    diagnostics: tuple[Diagnostic, ...]
    files: tuple[str, ...]
    strict: bool = False
    paint: Callable[[str, str], str] = plain
    top: Path = field(default_factory=Path.cwd)

    def fails(self, found: Diagnostic) -> bool:
        """Whether a finding makes `lint` exit with 1."""
        return found.severity == "error" or (self.strict and found.severity == "warning")

    def inside(self, name: str) -> str | None:
        """A file as it is called from `top`, with slashes; None for one that is not below it."""
        path = PurePath(name)
        if path.is_absolute():
            if not path.is_relative_to(self.top):
                return None
            path = path.relative_to(self.top)
        return None if ".." in path.parts else path.as_posix()

    def fingerprinted(self) -> Iterator[tuple[Diagnostic, str]]:
        """Each finding with what it is known by when lines move: its code, file and message, and which of its like."""
        from hashlib import sha256

        seen: dict[str, int] = {}
        for found in self.diagnostics:
            name = found.place.source.name
            known = "\0".join((found.code, self.inside(name) or name, found.message))
            seen[known] = seen.get(known, 0) + 1
            yield found, sha256(f"{known}\0{seen[known]}".encode("utf-8", "replace")).hexdigest()


def write(form: str, told: Told) -> str:
    """The findings in one of the forms of `NAMES`; it ends in a line end, or is empty."""
    text: str = import_module(f"{__name__}.as_{form}").write(told)
    return text if not text or text.endswith("\n") else f"{text}\n"
