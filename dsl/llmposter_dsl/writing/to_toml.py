"""Plain data to TOML 1.0: headers for what is large, a line for what is small, and no escape where none is needed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from llmposter_dsl.writing import Unwritable, spelling

if TYPE_CHECKING:
    from llmposter_dsl.place import Path

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_END_OF_LINE = re.compile(r"[ \t](?=\n|\Z)")
_LONGEST_ALIGNED = 14


def text(data: Mapping[str, Any], comments: Mapping[Path, str]) -> str:
    """The whole file."""
    lines = list(_Writer(comments).document(data))
    while lines and not lines[0]:
        del lines[0]
    return "\n".join(lines) + "\n" if lines else ""


class _Writer:
    def __init__(self, comments: Mapping[Path, str]) -> None:
        self.comments = spelling.Comments(comments)

    def document(self, data: Mapping[str, Any]) -> Iterator[str]:
        yield from self.comments.above((), deep=False)
        own = {name: value for name, value in data.items() if not _is_below((), name, value)}
        if own and () in self.comments:
            yield ""
        yield from self.lines((), own)
        for name, value in data.items():
            if name not in own:
                yield from self.below((name,), value)

    def below(self, path: Path, value: Any) -> Iterator[str]:
        """What has headers of its own: a table, or a list of tables."""
        if isinstance(value, Mapping):
            yield from self.table(path, value, f"[{_dotted(path)}]", needed=False)
            return
        yield from self.apart(path)
        for index, each in enumerate(value):
            yield from self.table((*path, index), each, f"[[{_dotted(path)}]]", needed=True)

    def table(self, path: Path, table: Mapping[str, Any], header: str, *, needed: bool) -> Iterator[str]:
        own = {name: value for name, value in table.items() if not _is_below(path, name, value)}
        headed = needed or bool(own) or not table
        for name, value in self._ahead(path, table, own):
            yield from self.below((*path, name), value)
        if headed:
            yield ""
            yield from self.comments.above(path, deep=False)
            yield header
        yield from self.lines(path, own)
        if not headed:
            yield from self.apart(path)
        ahead = [name for name, _ in self._ahead(path, table, own)]
        for name, value in table.items():
            if name not in own and name not in ahead:
                yield from self.below((*path, name), value)

    def apart(self, path: Path) -> Iterator[str]:
        """The comment for what has no header."""
        if path in self.comments:
            yield ""
            yield from self.comments.above(path, deep=False)

    def _ahead(self, path: Path, table: Mapping[str, Any], own: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        """States in front of the first one without rules, which has no header: the first state is the start."""
        if path != ("states",) or not own:
            return
        for name, value in table.items():
            if name in own:
                return
            yield name, value

    def lines(self, path: Path, own: Mapping[str, Any]) -> Iterator[str]:
        """A line for each key, the signs below each other."""
        names = {name: key(name) for name in own}
        width = max(map(len, names.values()), default=0)
        for name, value in own.items():
            at = (*path, name)
            yield from self.comments.above(at, deep=True)
            shown = names[name].ljust(width) if width <= _LONGEST_ALIGNED else names[name]
            yield from self.line(at, shown, value)

    def line(self, path: Path, name: str, value: Any) -> Iterator[str]:
        if isinstance(value, str) and spelling.is_lines(value):
            yield f"{name} = {_block(value)}"
            return
        inline = value_of(value, path)
        if isinstance(value, list | tuple) and value and len(name) + len(inline) > spelling.WIDTH - 3:
            yield f"{name} = ["
            yield from (f"  {value_of(each, (*path, index))}," for index, each in enumerate(value))
            yield "]"
            return
        yield f"{name} = {inline}"


def _is_below(path: Path, name: str, value: Any) -> bool:
    """Whether a value is written under a header of its own."""
    if isinstance(value, Mapping):
        return path in ((), ("tools",)) or _is_large((*path, name), value)
    if not isinstance(value, list | tuple) or not value or not all(isinstance(each, Mapping) for each in value):
        return False
    if path in ((), ("states",)):
        return True
    places = [((*path, name, index), each) for index, each in enumerate(value)]
    return any(_is_large(*place) for place in places) and all(_keeps_order(*place) for place in places)


def _is_large(path: Path, value: Mapping[str, Any]) -> bool:
    too_long = len(value_of(value, path)) + max(len(str(path[-1])), 4) > spelling.WIDTH
    return too_long and _keeps_order(path, value)


def _keeps_order(path: Path, table: Mapping[str, Any]) -> bool:
    """Whether headers leave the members as they come: what has one stands last, and JSON is sent in its order."""
    below = [_is_below(path, name, value) for name, value in table.items()]
    return below == sorted(below)


def _dotted(path: Path) -> str:
    return ".".join(key(step) for step in path if isinstance(step, str))


def key(name: str) -> str:
    """A key, bare where it can be."""
    return name if _BARE.fullmatch(name) else spelling.quoted(name)


def value_of(value: Any, path: Path) -> str:
    """A value on one line."""
    match value:
        case str():
            return text_of(value)
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case None:
            return _null(path)
        case Mapping():
            members = [f"{key(name)} = {value_of(each, (*path, name))}" for name, each in value.items()]
            return f"{{ {', '.join(members)} }}" if members else "{}"
        case list() | tuple():
            return f"[{', '.join(value_of(each, (*path, index)) for index, each in enumerate(value))}]"
        case _:
            raise Unwritable(f"{type(value).__name__} is nothing that a scenario can hold", path)


def _null(path: Path) -> str:
    """A template that is one expression keeps the type of its value, null included."""
    if path[:1] in (("states",), ("always",), ("otherwise",)) and not {"json", "arguments"}.isdisjoint(path):
        return '"${null}"'
    raise Unwritable("TOML has no null; YAML has", path)


def text_of(value: str) -> str:
    """A text on one line, without escapes where it can be."""
    if value.isprintable() and "'" not in value and ('"' in value or "\\" in value):
        return f"'{value}'"
    return spelling.quoted(value)


def _block(value: str) -> str:
    literal = "\\" in value or '"""' in value
    if literal and "'''" not in value and not value.endswith("'") and not _END_OF_LINE.search(value):
        return f"'''\n{value}'''"
    body = value.replace("\\", "\\\\").replace('"""', '""\\"')
    if body.endswith('"'):
        body = f'{body[:-1]}\\"'
    # White space that ends a line is seen by nobody, and taken away by editors.
    body = _END_OF_LINE.sub(lambda found: {" ": "\\u0020", "\t": "\\t"}[found[0]], body)
    return f'"""\n{body}"""'
