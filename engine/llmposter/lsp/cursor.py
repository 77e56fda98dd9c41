"""Where a cursor stands in a scenario that need not be whole: the text is mended around it until it can be read.

A mark is put in at the cursor, with whatever would close what is open there, and looked for in the values. So a place
in a broken text is known by the readers of whole ones, and by nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final, Literal, NamedTuple

from llmposter_dsl import reading
from llmposter_dsl.place import Path
from llmposter_dsl.tree import Document, walk

MARK: Final = "zq7mark7qz"
"""What no scenario holds."""

_LARGE: Final = 200_000
"""Characters of a text of which only the block around the cursor is mended."""

_CLOSER: Final = {"[": "]", "{": "}"}
_LEXEME: Final = re.compile(r""""{3}|'{3}|"(?:\\.|[^"\\\n])*"|'[^'\n]*'|["']|[\[\]{}]|\#.*""")
_BLANKS: Final = ("", " ", "\t", "\n")
_WORD: Final = re.compile(r"[\w-]*")


class Cursor(NamedTuple):
    """What a cursor is in.

    Attributes:
        path: of the value; of a key, that of the table that has it.
        text: the text that it stands in, or the key.
        at: the offset in `text`.
        data: the whole of what could be read around it, without the mark where it is a value.
        key: it stands in a key.
        bare: the text was mended so that nothing needs to be whole here: a key without its value.
    """

    path: Path
    text: str
    at: int
    data: Any
    key: bool = False
    bare: bool = False


def cursor(text: str, kind: Literal["toml", "yaml"], offset: int) -> Cursor | None:
    """What stands at an offset; None in a comment, between things, and where nothing around it can be read."""
    for start, end in _blocks(text, kind, offset):
        for bare, mended in _mended(text[start:end], kind, offset - start):
            document = reading.read_text(mended, "mended", kind, scenario=False)
            if isinstance(document, Document) and (found := _find(document.data, bare=bare)) is not None:
                return found
    return None


def _find(data: Any, *, bare: bool) -> Cursor | None:
    for path, value, holder in walk(data):
        if isinstance(value, str) and MARK in value:
            at, text = value.index(MARK), value.replace(MARK, "")
            if holder is None:  # nothing but a word, which is to be the first key
                return Cursor(path, text, at, {}, key=True, bare=True)
            holder[path[-1]] = text
            return Cursor(path, text, at, data, bare=bare)
        if isinstance(value, dict):
            for key in value:
                if MARK in key:
                    return Cursor(path, key.replace(MARK, ""), key.index(MARK), data, key=True, bare=bare)
    return None


# --- what is read of the text ---------------------------------------------------------------------------------------


def _blocks(text: str, kind: str, offset: int) -> Iterator[tuple[int, int]]:
    """Stretches of the text that may be read alone, the likeliest first."""
    head = r"\[" if kind == "toml" else r"[^\s#-]"
    begins = [found.start() for found in re.finditer(rf"^{head}", text, re.MULTILINE)]
    start = max((at for at in begins if at <= offset), default=0)
    end = min((at for at in begins if at > offset), default=len(text))
    line = text.find("\n", offset)
    line = len(text) if line < 0 else line + 1
    if kind == "toml":
        yield start, end
        yield start, line
    if len(text) <= _LARGE:
        yield 0, len(text)
        yield 0, line
    if kind == "yaml":
        yield start, end
        yield start, line


def _mended(text: str, kind: str, offset: int) -> Iterator[tuple[bool, str]]:
    """Texts with the mark at the offset, and whether the mark has become a key of its own."""
    before, after = text[:offset], text[offset:]
    tail = after.find("\n")
    below = after[tail:] if tail >= 0 else ""
    word = before[: len(before) - len(_WORD.match(before[::-1])[0])]  # type: ignore[index]
    rest = after[len(_WORD.match(after)[0]) :]  # type: ignore[index]
    typed = before[len(word) :] + MARK + after[: len(after) - len(rest)]
    pair = f"{typed} = 0" if kind == "toml" else f"{typed}: 0"
    quote, brackets = _open(before, kind)
    # A comment may hold anything.
    if quote == "#":
        return
    yield False, before + MARK + after
    yield True, word + pair + rest
    yield True, word + pair + brackets + below
    if not quote:
        yield False, f'{word}"{typed}"{rest}'
        yield False, f'{word}"{typed}"{brackets}{below}'
    for closer in dict.fromkeys((quote, '"', "'")):
        yield False, before + MARK + closer + brackets + below
        yield False, before + MARK + closer + after


def _open(before: str, kind: str) -> tuple[str, str]:
    """The quote that is open at the end of a text, `#` in a comment; and what closes the brackets that are open."""
    line = before.rfind("\n") + 1
    start = line if kind == "yaml" else _statement(before)
    stack: list[str] = []
    quote = ""
    for found in _LEXEME.finditer(before, start):
        lexeme = found[0]
        if quote:
            quote = "" if lexeme.endswith(quote) else quote
        elif lexeme in ('"', "'", '"""', "'''"):
            quote = lexeme
            if len(lexeme) == 1:
                break
        elif lexeme in "[{":
            stack.append(_CLOSER[lexeme])
        elif lexeme in "]}":
            stack[-1:] = []
        elif found.end() == len(before) and (kind == "toml" or before[found.start() - 1 : found.start()] in _BLANKS):
            return "#", ""
    return quote, "".join(reversed(stack))


def _statement(before: str) -> int:
    """Where the pair of a TOML text begins that its end belongs to."""
    begins = [found.start() for found in re.finditer(r"^[ \t]*[\w.\"'-]+[ \t]*=|^\[", before, re.MULTILINE)]
    return begins[-1] if begins else 0
