"""Plain data to YAML that means the same in 1.1 and 1.2: blocks for what is large, braces for what is small.

Expressions stand in quotes, always; other texts where they need them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from llmposter_dsl.writing import Unwritable, spelling

if TYPE_CHECKING:
    from llmposter_dsl.place import Path

_PLAIN_KEY = re.compile(r"[A-Za-z_][\w.-]*", re.ASCII)
_PLAIN = re.compile(r"(?!.*(?:: |:$| #))[^\W\d_](?:[^\s]| (?! ))*(?<! )")
_IN_BRACES = re.compile(r"[\[\]{},]")
_WORDS = frozenset(("null", "true", "false", "yes", "no", "on", "off", "y", "n"))
_EXPRESSIONS = frozenset(("when", "expect", "serves", "conversation", "call"))
_LONGEST_KEY = 100
_LONGEST_IN_BRACES = 100


def text(data: Mapping[str, Any], comments: Mapping[Path, str]) -> str:
    """The whole file."""
    head = list(spelling.Comments(comments).above((), deep=False))
    if not data:
        return "\n".join([*head, "{}"]) + "\n"
    body = list(_Writer(comments).mapping((), data, ""))
    return "\n".join([*head, *([""] if head and body[0] else []), *body]) + "\n"


class _Writer:
    def __init__(self, comments: Mapping[Path, str]) -> None:
        self.comments = spelling.Comments(comments)

    def mapping(self, path: Path, value: Mapping[str, Any], indent: str) -> Iterator[str]:
        for number, (name, each) in enumerate(value.items()):
            at = (*path, name)
            if number and _stands_apart(at, each):
                yield ""
            lines = list(self.member(at, name, each, indent))
            yield from (f"{indent}{line}" for line in self.above(at, each))
            yield from lines

    def member(self, path: Path, name: str, value: Any, indent: str) -> Iterator[str]:
        if len(name) > _LONGEST_KEY:
            yield f"{indent}? {spelling.quoted(name)}"
            yield f"{indent}: {flow(value, path)}"
            return
        shown = key(name)
        if (inline := self.inline(value, path, len(indent) + len(shown))) is not None:
            yield f"{indent}{shown}: {inline}"
        elif isinstance(value, str):
            yield from self.lines(f"{indent}{shown}: ", value, f"{indent}  ")
        else:
            yield f"{indent}{shown}:"
            yield from self.block(path, value, f"{indent}  ")

    def block(self, path: Path, value: Any, indent: str) -> Iterator[str]:
        if isinstance(value, Mapping):
            yield from self.mapping(path, value, indent)
            return
        for index, each in enumerate(value):
            at = (*path, index)
            if index and path == ("examples",):
                yield ""
            yield from self.item(at, each, indent)

    def item(self, path: Path, value: Any, indent: str) -> Iterator[str]:
        yield from (f"{indent}{line}" for line in self.above(path, value))
        if (inline := self.inline(value, path, len(indent))) is not None:
            yield f"{indent}- {inline}"
        elif isinstance(value, str):
            yield from self.lines(f"{indent}- ", value, f"{indent}  ")
        else:
            first, *rest = self.block(path, value, f"{indent}  ")
            # What stands above the first key stands above the dash.
            while first.lstrip().startswith("#"):
                yield first[2:]
                first, *rest = rest
            yield f"{indent}- {first[len(indent) + 2 :]}"
            yield from rest

    def lines(self, before: str, value: str, indent: str) -> Iterator[str]:
        """A text that keeps its lines."""
        stripped = value.rstrip("\n")
        ends = {0: "-", 1: ""}.get(len(value) - len(stripped), "+")
        # Where the first line begins with white space, nobody can see how far the block is indented.
        begins = "2" if value[0] in " \n" else ""
        yield f"{before}|{begins}{ends}"
        for line in (stripped if ends != "+" else value[:-1]).split("\n"):
            yield f"{indent}{line}" if line else ""

    def above(self, path: Path, value: Any) -> Iterator[str]:
        """The comments above a value: those of what it holds too, if it stands on one line."""
        inline = isinstance(value, str) or self.inline(value, path, 0) is not None
        return self.comments.above(path, deep=inline)

    def inline(self, value: Any, path: Path, before: int) -> str | None:
        """The value on one line, or None if it is given lines of its own."""
        if isinstance(value, str):
            return None if _is_block(value) else flow(value, path, within=False)
        if not isinstance(value, Mapping | list | tuple) or not value:
            return flow(value, path, within=False)
        if len(path) == 1 or spelling.is_rule(path) or spelling.is_rule((*path, 0)) or _holds_lines(value):
            return None
        shown = flow(value, path)
        return shown if before + len(shown) <= _LONGEST_IN_BRACES else None


def _stands_apart(path: Path, value: Any) -> bool:
    large = isinstance(value, Mapping | list | tuple) and bool(value)
    return large and (len(path) == 1 or (len(path) == 2 and path[0] == "states"))


def _is_block(value: str) -> bool:
    return spelling.is_lines(value) and not any(line.startswith("\t") for line in value.split("\n"))


def _holds_lines(value: Any) -> bool:
    match value:
        case str():
            return _is_block(value)
        case Mapping():
            return any(len(name) > _LONGEST_KEY or _holds_lines(each) for name, each in value.items())
        case list() | tuple():
            # Of tables, each is a step that a reader looks for on a line of its own.
            steps = len(value) > 1 and all(isinstance(each, Mapping) for each in value)
            return steps or any(map(_holds_lines, value))
        case _:
            return False


def key(name: str) -> str:
    """A key, plain where it can be."""
    return name if _PLAIN_KEY.fullmatch(name) and name.lower() not in _WORDS else spelling.quoted(name)


def flow(value: Any, path: Path, *, within: bool = True) -> str:
    """A value on one line; *within* braces a comma ends a plain text."""
    match value:
        case str():
            return _text(value, within=within, expression=_is_expression(path))
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case None:
            return "null"
        case Mapping():
            return f"{{{', '.join(_member(name, each, (*path, name)) for name, each in value.items())}}}"
        case list() | tuple():
            return f"[{', '.join(flow(each, (*path, index)) for index, each in enumerate(value))}]"
        case _:
            raise Unwritable(f"{type(value).__name__} is nothing that a scenario can hold", path)


def _member(name: str, value: Any, path: Path) -> str:
    if len(name) > _LONGEST_KEY:
        return f"? {spelling.quoted(name)} : {flow(value, path)}"
    return f"{key(name)}: {flow(value, path)}"


def _is_expression(path: Path) -> bool:
    names = [step for step in path if isinstance(step, str)]
    return bool(names) and (names[-1] in _EXPRESSIONS or names[-2:-1] == ["set"])


def _text(value: str, *, within: bool, expression: bool) -> str:
    if not value.isprintable():
        return spelling.quoted(value)
    if not expression and _is_plain(value, within=within):
        return value
    if "'" in value and "\\" not in value and '"' not in value:
        return f'"{value}"'
    return "'" + value.replace("'", "''") + "'"


def _is_plain(value: str, *, within: bool) -> bool:
    if not _PLAIN.fullmatch(value) or value.lower() in _WORDS:
        return False
    return not (within and _IN_BRACES.search(value))
