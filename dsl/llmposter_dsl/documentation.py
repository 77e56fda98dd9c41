"""What a code's module says of it: why it is a mistake, an example with marked lines, and what to write instead.

An example marks the lines of its findings with ``# LP201`` at their ends, and the tests hold it to that.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from inspect import cleandoc
from typing import Final

from llmposter_dsl.codes import CODES, Code

HEADINGS: Final = ("Why it is a mistake", "Example", "Instead")

_HEADING: Final = re.compile(r"^## (.+)$", re.MULTILINE)
_FENCE: Final = re.compile(r"^```(\w+) ?([^\n]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_MARK: Final = re.compile(r"#.*?((?: LP\d{3})+)$")
_LINK: Final = re.compile(r"\[([^\]]+)\]\([^)]+\)")


@dataclass(frozen=True, slots=True)
class File:
    """A file of an example.

    Attributes:
        name: what it is called, its kind in the ending.
        text: the whole of it.
        encoding: what it is written in.
        size: how many bytes it is filled up to with empty lines.
    """

    name: str
    text: str
    encoding: str = "utf-8"
    size: int = 0

    def content(self) -> bytes:
        """The bytes of the file."""
        return self.text.encode(self.encoding).ljust(self.size, b"\n")

    def marks(self) -> list[tuple[str, int, str]]:
        """The findings that its lines are marked with: file, line and code."""
        found = ((number, _MARK.search(line)) for number, line in enumerate(self.text.splitlines(), 1))
        return [(self.name, number, code) for number, mark in found if mark for code in mark[1].split()]


@dataclass(frozen=True)
class Documentation:
    """What is told of one code, in Markdown; links lead on from `docs/checks`."""

    code: str
    meta: Code
    name: str
    text: str

    @cached_property
    def summary(self) -> str:
        """The first sentence."""
        return self.text.partition("\n\n")[0]

    @cached_property
    def sections(self) -> dict[str, str]:
        """What stands under each heading."""
        parts = _HEADING.split(self.text)
        return {heading: part.strip() for heading, part in zip(parts[1::2], parts[2::2], strict=True)}

    @cached_property
    def example(self) -> tuple[File, ...]:
        """The files that have the findings."""
        return _files(self.sections["Example"])

    @cached_property
    def instead(self) -> tuple[File, ...]:
        """The files that have none."""
        return _files(self.sections["Instead"])

    @cached_property
    def plain(self) -> str:
        """All of it for where no link leads anywhere."""
        return unlinked(shown(self.text))


def of(code: str) -> Documentation:
    """What is told of a code.

    Raises:
        KeyError: there is no such code.
    """
    return Documentation(code, CODES[code], CODES.name(code), cleandoc(CODES.module(code).__doc__ or ""))


def unlinked(markdown: str) -> str:
    """Markdown whose links lead nowhere any more."""
    return _LINK.sub(r"\1", markdown)


def shown(markdown: str) -> str:
    """Documentation for readers: the name of a file stands above it, and what only tests need is left out."""

    def fence(found: re.Match[str]) -> str:
        name = _named(found[2]).get("file")
        above = f"`{name}`:\n\n" if name is not None else ""
        return f"{above}```{found[1]}\n{found[3]}```"

    return _FENCE.sub(fence, markdown)


def _files(section: str) -> tuple[File, ...]:
    return tuple(_file(*found.groups()) for found in _FENCE.finditer(section))


def _file(language: str, info: str, text: str) -> File:
    named = _named(info)
    name = named.get("file", f"scenario.{language}")
    return File(name, text, named.get("encoding", "utf-8"), int(named.get("padded", "0")))


def _named(info: str) -> dict[str, str]:
    return dict(word.split("=", 1) for word in info.split())
