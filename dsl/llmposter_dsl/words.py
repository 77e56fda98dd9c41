"""How findings about keys and values are worded; the words for expressions stand in `expressions.wording`."""

from __future__ import annotations

from llmposter_dsl.program import Value

_MOST_COMPARED = 100
"""Names that an unknown one is compared with, so that many mistakes among many names are told in time."""

_KINDS: dict[type, str] = {
    str: "a text",
    bool: "a bool",
    int: "a number",
    float: "a number",
    list: "a list",
    dict: "a table",
    type(None): "null",
}


def kind(value: Value) -> str:
    """``a text``: what a plain value is, in words."""
    return _KINDS[type(value)]


def shown(value: Value, longest: int = 60) -> str:
    """A short value as its user wrote it, in backquotes."""
    from llmposter_dsl.expressions.wording import quote

    text = value if isinstance(value, str) else _written(value)
    return quote(text, longest) if text.strip() else '`""`'


def _written(value: Value) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int() if abs(value) >= 10**30:
            # Python refuses to write out the digits of very large numbers.
            return "a very large number"
        case int() | float():
            return str(value)
        case _:
            return kind(value)


def a_number(count: int, noun: str) -> str:
    """``1 rule``, ``2 rules``."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def listed(names: list[str] | tuple[str, ...], last: str = "or") -> str:
    """`` `a`, `b` or `c` ``."""
    quoted = [f"`{name}`" for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} {last} {quoted[-1]}"


def meant(word: str, known: list[str] | tuple[str, ...]) -> str | None:
    """``did you mean `x`?`` where a known word is close, else the words that there are."""
    from llmposter_dsl.expressions.wording import did_you_mean

    if len(known) > _MOST_COMPARED:
        known = [name for name in known if name[:1].casefold() == word[:1].casefold()][:_MOST_COMPARED]
    return did_you_mean(word, known)


def close(word: str, known: list[str] | tuple[str, ...]) -> str | None:
    """The known word that is close, or None."""
    help_ = meant(word, known)
    return help_.split("`")[1] if help_ is not None and help_.startswith("did") else None
