"""How findings in expressions are worded: the user's own words, shortened, and what would be right."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from llmposter_dsl.expressions.syntax import Arithmetic, Compare, Literal
from llmposter_dsl.types import Type

if TYPE_CHECKING:
    from llmposter_dsl.expressions.scope import Scope

WITHOUT_AUTH: Final = "requests need no credential here, so that `token` is null"
AUTH: Final = (
    "give the scenario an `[auth]` with `tokens` or `oauth`, or start it with `--token` or `--oauth` and suppress this"
)


def quote(text: str, longest: int = 60) -> str:
    """In backquotes, on one line, shortened in the middle."""
    text = " ".join(text.split())
    if len(text) > longest:
        text = f"{text[: longest * 2 // 3]}…{text[-longest // 3 :]}"
    return f"`{text}`"


def a(of: Type) -> str:
    """``a text``."""
    return "null" if of.kind == "null" else f"a {of}"


def either(words: Iterable[str]) -> str:
    """``a, b or c``."""
    *first, last = words
    return f"{', '.join(first)} or {last}" if first else last


def many(of: Type) -> str:
    """``texts``."""
    return "null" if of.kind == "null" else f"{of}s"


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """``did you mean `user`?``, or the words that there are where none is close."""
    from difflib import get_close_matches

    names = list(dict.fromkeys(known))
    folded = {name.casefold(): name for name in reversed(names)}
    close = get_close_matches(word.casefold(), folded, n=1, cutoff=0.6)
    if close:
        return f"did you mean `{folded[close[0]]}`?"
    if not names:
        return None
    shown = ", ".join(names[:12])
    return f"known here: {shown}{', …' if len(names) > 12 else ''}"


def unknown_name(name: str, known: list[str], scope: Scope) -> str | None:
    """What may have been meant: another name, a function, or a text without quotes."""
    help_ = did_you_mean(name, known)
    if help_ is not None and help_.startswith("did"):
        return help_
    if name in scope.vocabulary.functions:
        return f"`{name}` is a function: write `{name}(…)`"
    return f'write "{name}" in quotes for a text'


def of_list(owner: str, key: str, of: Type) -> str | None:
    """Where a length was asked as in other languages, or an attribute of the items of the list itself."""
    from difflib import get_close_matches

    plain = owner.strip("`")
    if of.kind in ("text", "list") and get_close_matches(key, ("length", "len", "size", "count"), n=1, cutoff=0.8):
        return f"write `len({plain})`"
    if of.kind != "list" or (of.items.fields is not None and key not in of.items.fields):
        return None
    return f"write `{plain}[0].{key}` for the first item, `{plain}[-1].{key}` for the last"


def as_condition(owner: str, of: Type) -> str | None:
    """How a value is made a condition."""
    plain = owner.strip("`")
    examples = {"text": '!= ""', "number": "> 0", "duration": "> 0s", "null": "exists", "map": "exists"}
    if of.kind == "list":
        return f"compare it: `len({plain}) > 0`"
    return f"compare it: `{plain} {examples[of.kind]}`" if of.kind in examples and "…" not in plain else None


def compare_help(node: Compare, left: Type, right: Type) -> str | None:
    """What would make the two sides comparable."""
    kinds = {left.kind, right.kind}
    literals = [side for side in (node.left, node.right) if isinstance(side, Literal)]
    numbers = [side.value for side in literals if side.kind == "number"]
    if kinds == {"number", "duration"}:
        return f"write `{numbers[0]}s`, with a unit: ms, s, m, h or d" if numbers else "`number(…)` gives the seconds"
    if kinds == {"duration", "text"}:
        return "write durations without quotes: `30s`" if literals else None
    if numbers and node.operator not in ("<", "<=", ">", ">="):
        return f'write "{numbers[0]}" in quotes for a text'
    return "`number(…)` reads a number from a text, `text(…)` writes one" if kinds == {"number", "text"} else None


def calculate_help(operator: Arithmetic, left: Type, right: Type) -> str | None:
    """What would make the two sides go together."""
    kinds = {left.kind, right.kind}
    if operator == "+" and "text" in kinds:
        return "`text(…)` makes a text of any value"
    if kinds == {"number", "duration"}:
        return "give the number a unit: ms, s, m, h or d"
    return None
