"""What both formats spell alike: escapes, comments, and what stands on one line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llmposter_dsl.place import Path

WIDTH = 116
"""How long a line may become before what stands on it is given lines of its own."""

GROUPS = ("always", "otherwise", "embeddings", "moderations")
"""Lists of rules at the top of the file."""

_SHORT = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\"}


def escaped(text: str) -> str:
    """The text between double quotes: what cannot be seen, or means something there, as an escape."""
    if text.isprintable() and '"' not in text and "\\" not in text:
        return text
    return "".join(map(character, text))


def character(one: str) -> str:
    """One character between double quotes, in TOML as in YAML."""
    if one in _SHORT:
        return _SHORT[one]
    if one.isprintable():
        return one
    return f"\\u{ord(one):04x}" if ord(one) < 0x10000 else f"\\U{ord(one):08x}"


def quoted(text: str) -> str:
    """The text in double quotes."""
    return f'"{escaped(text)}"'


def is_lines(text: str) -> bool:
    """Whether a text reads best on lines of its own."""
    return "\n" in text.strip("\n") and all(one.isprintable() or one in "\n\t" for one in text)


def is_rule(path: Path) -> bool:
    """Whether a rule, an example or a turn stands there."""
    match path:
        case ("states", _, int()) | ("examples", int()) | ("examples", int(), "turns", int()):
            return True
        case (str() as group, int()):
            return group in GROUPS
        case _:
            return False


class Comments:
    """The comments of a file, found at once by what they stand above."""

    def __init__(self, comments: Mapping[Path, str]) -> None:
        self._texts = comments
        self._below: dict[Path, list[Path]] = {}
        for path in sorted(comments, key=_place):
            for length in range(len(path) + 1):
                self._below.setdefault(path[:length], []).append(path)

    def __contains__(self, path: Path) -> bool:
        return path in self._texts

    def above(self, path: Path, *, deep: bool) -> Iterator[str]:
        """Those for *path*, a line each; with *deep* those of all that it holds too."""
        found = self._below.get(path, ()) if deep else [path] if path in self._texts else ()
        for each in found:
            yield from (f"# {line}".rstrip() for line in self._texts[each].split("\n"))


def _place(path: Path) -> list[tuple[bool, Any]]:
    return [(isinstance(step, int), step) for step in path]
