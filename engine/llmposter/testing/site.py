"""Where a scenario that is built in Python stands: the call that built a part of it, and its arguments in the file.

A call remembers no more than which one it was; the file is read when a finding or an explanation needs its place.
"""

from __future__ import annotations

import ast
import linecache
import sys
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import islice
from pathlib import Path
from types import CodeType
from typing import TYPE_CHECKING, Final

from llmposter_dsl.source import Source, Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llmposter_dsl.place import Path as Steps

_PLAIN: Final = frozenset("\"'")


class Site:
    """One call; a path leads to an argument by its name or place, and further in by keys and indices."""

    __slots__ = ("_at", "_code", "_line")

    def __init__(self, code: CodeType, at: int, line: int) -> None:
        self._code, self._at, self._line = code, at, line

    @classmethod
    def of_caller(cls, above: int = 1) -> Site:
        """The call of the function that asks; more *above*, of one that called it."""
        frame = sys._getframe(above + 1)  # noqa: SLF001 - as warnings, logging and typing do
        return cls(frame.f_code, frame.f_lasti, frame.f_lineno)

    @property
    def source(self) -> Source:
        """The Python file."""
        return _file(self._code.co_filename).source

    def value_span(self, steps: Steps) -> Span:
        """The argument that *steps* lead to, or as near to it as the call is written out; the call for none."""
        file, node = self._found(steps)
        return self._whole_line(file) if node is None else file.span(node)

    def key_span(self, steps: Steps) -> Span:
        """The name of that argument."""
        file, node = self._found(steps[:-1])
        key = None if node is None or not steps else _key(node, steps[-1])
        return self.value_span(steps) if key is None else file.named(key)

    def inner_span(self, steps: Steps, start: int, end: int) -> Span:
        """The characters *start* to *end* of a string argument, if that is written without escapes; else all of it."""
        file, node = self._found(steps)
        if node is None:
            return self._whole_line(file)
        span = file.span(node)
        written = file.source.text[span.start : span.end]
        if not isinstance(node, ast.Constant) or written[:1] not in _PLAIN or written[1:-1] != node.value:
            return span
        return Span(span.start + 1 + start, span.start + 1 + end)

    def _whole_line(self, file: PythonFile) -> Span:
        return file.line(self._line)

    def _found(self, steps: Steps) -> tuple[PythonFile, ast.expr | None]:
        file = _file(self._code.co_filename)
        node: ast.expr | None = file.calls.get(next(islice(self._code.co_positions(), self._at // 2, None)))
        for step in steps if node is not None else ():
            further = _inside(node, step)
            if further is None:
                break
            node = further
        return file, node


@dataclass(frozen=True)
class PythonFile:
    """A file with its calls, each by where it stands."""

    source: Source

    @cached_property
    def calls(self) -> dict[tuple[int | None, int | None, int | None, int | None], ast.Call]:
        """By line, last line, column and last column, as the interpreter has them."""
        try:
            tree = ast.parse(self.source.text)
        except SyntaxError:  # it is not what was run, such as a template or a changed file
            return {}
        found = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
        return {(node.lineno, node.end_lineno, node.col_offset, node.end_col_offset): node for node in found}

    def offset(self, line: int, column: int) -> int:
        """Of a line and of bytes in it, as `ast` counts."""
        text = self.source.line(line).encode()
        return self.source.start(line) + len(text[:column].decode(errors="replace"))

    def span(self, node: ast.expr) -> Span:
        """A node."""
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return Span(self.offset(node.lineno, node.col_offset), self.offset(node.end_lineno, node.end_col_offset))

    def named(self, key: ast.keyword | ast.expr) -> Span:
        """The name of an argument, or a key that is an expression."""
        if isinstance(key, ast.expr):
            return self.span(key)
        start = self.offset(key.lineno, key.col_offset)
        return Span(start, start + len(key.arg or ""))

    def line(self, number: int) -> Span:
        """A line without its margin; the start of a file that is not there."""
        text, start = self.source.line(number), self.source.start(number)
        if start == len(self.source.text):
            return Span(0, 0)
        return Span(start + len(text) - len(text.lstrip()), start + len(text.rstrip()))


@lru_cache(maxsize=64)
def _file(name: str) -> PythonFile:
    text = "".join(linecache.getlines(name))
    return PythonFile(Source(_shown(name), text, name if Path(name).is_file() else None))


def _shown(name: str) -> str:
    path = Path(name)
    return str(path.relative_to(Path.cwd())) if path.is_absolute() and path.is_relative_to(Path.cwd()) else name


def _inside(node: ast.expr | None, step: str | int) -> ast.expr | None:
    """One step further in."""
    match node, step:
        case ast.Call(), str():
            return next((each.value for each in node.keywords if each.arg == step), None)
        case ast.Call(args=args), int() if step < len(args):
            return args[step]
        case ast.Dict(), str():
            return next((value for key, value in _items(node) if key.value == step), None)
        case ast.List(elts) | ast.Tuple(elts), int() if step < len(elts):
            return elts[step]
        case _:
            return None


def _key(node: ast.expr, step: str | int) -> ast.keyword | ast.expr | None:
    match node:
        case ast.Call():
            return next((each for each in node.keywords if each.arg == step), None)
        case ast.Dict():
            return next((key for key, _ in _items(node) if key.value == step), None)
        case _:
            return None


def _items(node: ast.Dict) -> Iterator[tuple[ast.Constant, ast.expr]]:
    for key, value in zip(node.keys, node.values, strict=True):
        if isinstance(key, ast.Constant):
            yield key, value
