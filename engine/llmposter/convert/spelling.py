"""Texts of other formats as expressions and templates."""

from __future__ import annotations

import re
from collections.abc import Iterable

_CONTROLS = {ord("\n"): "\\n", ord("\r"): "\\r", ord("\t"): "\\t"}
_META = re.compile(r"[\\.+*?()|\[\]{}^$/]")


def literal(text: str) -> str:
    """The text as an expression."""
    quote = "'" if '"' in text and "'" not in text else '"'
    escaped = text.replace("\\", "\\\\").replace(quote, f"\\{quote}").translate(_CONTROLS)
    return f"{quote}{escaped}{quote}"


def pattern(text: str, *, ignoring_case: bool = False, begin: str = "", end: str = "") -> str:
    """A regular expression that finds the text."""
    escaped = _META.sub(lambda found: f"\\{found[0]}", text)
    return f"/{begin}{_seen(escaped)}{end}/{'i' if ignoring_case else ''}"


def regex(text: str) -> str:
    """A regular expression of another program in the slashes of the language."""
    found = re.sub(
        r"\\.|\[(?:\\.|[^\]\\])*\]|/", lambda part: "\\/" if part[0] == "/" else part[0], text, flags=re.DOTALL
    )
    return f"/{_seen(found)}/"


def _seen(text: str) -> str:
    """Of a regular expression, what cannot be seen as an escape."""
    return "".join(one if one.isprintable() else f"\\x{{{ord(one):x}}}" for one in text)


def template(text: str) -> str:
    """A template that says the text."""
    return text.replace("${", "$${")


def templates(value: object) -> object:
    """Data whose texts are templates that say what they hold."""
    match value:
        case str():
            return template(value)
        case dict():
            return {name: templates(each) for name, each in value.items()}
        case list():
            return [templates(each) for each in value]
        case _:
            return value


class Either(str):
    """A condition that `or` joins."""

    __slots__ = ()


def every(conditions: Iterable[str]) -> str | None:
    """All of the conditions at once, or None where there is none."""
    parts = list(dict.fromkeys(conditions))
    if len(parts) > 1:
        parts = [f"({part})" if isinstance(part, Either) else part for part in parts]
    return " and ".join(parts) or None


def milliseconds(value: float) -> str:
    """A duration."""
    return f"{int(value)}ms" if value == int(value) else f"{value:.3f}".rstrip("0").rstrip(".") + "ms"
