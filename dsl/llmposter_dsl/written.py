"""How a text is written where another one stands: in its quotes and with its escapes, or not at all.

Where the quotes that are there cannot hold a text, the answer is None; nobody's choice of quotes is changed.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from llmposter_dsl.inner import Form
    from llmposter_dsl.tree import Document

_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
_WORD: Final = re.compile(r"[A-Za-z_][\w-]*")
"""What YAML takes for a text without quotes, but for the words below."""
_OTHERS: Final = frozenset(("true", "false", "null"))
_PLAIN: Final = re.compile(r"[\w .<>=()+/\\^$-]*")
"""What changes nothing in the middle of a YAML text without quotes."""
_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def inside(text: str, raw: str, form: Form, *, first: bool) -> str | None:
    """*text* as it is written inside the string *raw*; *first*: the string begins with it."""
    if "\n" in text:
        return None
    quote = raw[:1]
    match form:
        case '"':
            return _escaped(text)
        case "toml" if quote == '"':
            return _escaped(text)
        case "toml":
            return None if "'" in text or _CONTROL.search(text) else text
        case "'":
            return None if _CONTROL.search(text) else text.replace("'", "''")
        case "|" | ">":
            return None if _CONTROL.search(text) else text
        case _ if first and not _is_word(text):
            return None
        case _:
            return text if _PLAIN.fullmatch(text) else None


def key(text: str, raw: str, document: Document) -> str:
    """*text* as it is written as a key where *raw* is one."""
    if raw[:1] in ("'", '"') and _BARE.fullmatch(text):
        return f"{raw[0]}{text}{raw[0]}"
    plain = _BARE.fullmatch(text) if document.kind == "toml" else document.kind == "yaml" and _is_word(text)
    return text if plain else json.dumps(text, ensure_ascii=False)


def in_double_quotes(text: str) -> str:
    """*text* as a string of its own, in any kind of file."""
    return f'"{_escaped(text)}"'


def _is_word(text: str) -> bool:
    return _WORD.fullmatch(text) is not None and text.casefold() not in _OTHERS


def _escaped(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1].replace("\x7f", "\\u007f")
