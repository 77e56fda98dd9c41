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


def commented(comments: Mapping[Path, str], path: Path, *, deep: bool) -> Iterator[str]:
    """The comments for *path*, a line each; with *deep* those of all that it holds too."""
    for at in sorted((at for at in comments if at == path or (deep and at[: len(path)] == path)), key=_place):
        yield from (f"# {line}".rstrip() for line in comments[at].split("\n"))


def _place(path: Path) -> list[tuple[bool, Any]]:
    return [(isinstance(step, int), step) for step in path]
