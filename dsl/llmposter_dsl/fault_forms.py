"""The phrases of a fault, ACTION [POINT], read word by word against a table of all their forms.

Nothing else knows their words, so that whatever is no phrase is told what would be right at its place.
"""

from __future__ import annotations

import re
from itertools import product
from typing import Any, Final, NamedTuple, cast

from msgspec.structs import replace

from llmposter_dsl import keys, words
from llmposter_dsl.delivery_forms import DURATION_FORMS, duration
from llmposter_dsl.expressions.build import Refused, unquoted
from llmposter_dsl.expressions.syntax import Trouble
from llmposter_dsl.expressions.wording import did_you_mean, quote
from llmposter_dsl.program import Action, Point, PointKind, Value

ACTIONS: Final = (
    *("drop", "close", "stall TIME", "hang", "corrupt", "duplicate", "error ERROR", "error STATUS"),
    *("send TEXT", "send TEXT as MEDIA", "send STATUS TEXT", "send STATUS TEXT as MEDIA"),
)
"""The forms of an action; a word in capitals stands for what `_HOLES` says."""

POINTS: Final = (
    *("before headers", "inside headers", "after headers"),
    *("after COUNT chunks", "after COUNT events", "after COUNT bytes", "after TIME"),
    *("halfway", "inside tool arguments", "between tool calls", "before finish", "before usage", "before the end"),
)
"""The forms of a point."""


class _Form(NamedTuple):
    """The words of a phrase."""

    action: tuple[str, ...]
    point: tuple[str, ...]

    @property
    def words(self) -> tuple[str, ...]:
        return self.action + self.point


_FORMS: Final = tuple(
    _Form(tuple(action.split()), tuple(point.split()))
    for action, point in (*product(ACTIONS, ("", *POINTS)), ("duplicate", "every event"))
)
_HOLES: Final = {
    "TIME": (re.compile(r"[0-9.]+(?:ms|s|m|h|d)"), "a duration"),
    "COUNT": (re.compile(r"[0-9]+"), "a number"),
    "STATUS": (re.compile(r"[0-9]+"), "a status"),
    "ERROR": (re.compile(r"[^\W\d]\w*"), "the name of an error"),
    "TEXT": (re.compile(r"""(["']).*\1""", re.DOTALL), "a text in quotes"),
    "MEDIA": (re.compile(r"[!-~]+/[ -~]+"), "a media type"),
}
_CURES: Final = {
    "TIME": DURATION_FORMS,
    "ERROR": f"the names are {', '.join(keys.ERRORS)}",
    "TEXT": 'write `send "…"`',
    "MEDIA": "write `text/plain`, `text/html` or the like",
}
_TOKEN: Final = re.compile(r""""(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|["'].*|(?:;\s*|[^\s"'])+""", re.DOTALL)
_ONE: Final = {"chunk": "chunks", "event": "events", "byte": "bytes"}
_MEANT: Final = {
    **dict.fromkeys(("reset", "disconnect", "abort", "kill", "rst"), "drop"),
    **dict.fromkeys(("truncate", "cut", "end", "eof", "finish"), "close"),
    **dict.fromkeys(("delay", "pause", "sleep", "wait", "freeze", "latency"), "stall"),
    **dict.fromkeys(("timeout", "block"), "hang"),
    **dict.fromkeys(("garble", "malform", "malformed", "mangle", "garbage", "invalid"), "corrupt"),
    **dict.fromkeys(("repeat", "double"), "duplicate"),
    **dict.fromkeys(("fail", "raise"), "error"),
    **dict.fromkeys(("respond", "answer", "body", "reply"), "send"),
    **dict.fromkeys(("frame", "frames", "messages"), "events"),
    **dict.fromkeys(("piece", "pieces", "delta", "deltas"), "chunks"),
    **dict.fromkeys(("midway", "middle", "half", "midstream"), "halfway"),
}
"""What other tools, and people, call it."""
_UNITS: Final = ("ms", "s", "m", "milliseconds", "second", "seconds", "minute", "minutes")
_BODILESS: Final = (204, 205, 304)
_MOST: Final = 10**12


class Phrase(NamedTuple):
    """What a phrase says; `point` is None where it says none."""

    action: Action
    point: Point | None = None
    seconds: float = 0.0
    error: str | int | None = None
    status: int | None = None
    text: str = ""
    media: str | None = None


class _Token(NamedTuple):
    text: str
    start: int
    end: int

    def fits(self, word: str) -> bool:
        hole = _HOLES.get(word)
        return word in (self.text, _ONE.get(self.text)) if hole is None else hole[0].fullmatch(self.text) is not None

    def wrong(self, message: str, cure: str | None = None, code: str = "LP126") -> Trouble:
        return Trouble(self.start, self.end, message, cure, code)


def phrase(text: str) -> Phrase | Trouble:
    """The phrase that *text* is, or where and why it is none."""
    tokens = [_Token(found[0], *found.span()) for found in _TOKEN.finditer(text)]
    if not tokens:
        return Trouble(0, len(text), "the fault is empty", _cure("", _FORMS, 0), "LP126")
    forms = _FORMS
    for index, token in enumerate(tokens):
        fitting = tuple(form for form in forms if index < len(form.words) and token.fits(form.words[index]))
        if not fitting:
            return _unexpected(token, forms, index)
        forms = fitting
    whole = next((form for form in forms if len(form.words) == len(tokens)), None)
    return _ends_early(tokens, forms) if whole is None else _filled(whole, tokens)


def following(text: str) -> list[str]:
    """What may follow the words of a phrase that has been begun, the end left out; words in capitals are holes."""
    tokens = [_Token(found[0], *found.span()) for found in _TOKEN.finditer(text)]
    forms = _FORMS
    for index, token in enumerate(tokens):
        forms = tuple(form for form in forms if index < len(form.words) and token.fits(form.words[index]))
    return [word for word in _next(forms, len(tokens)) if word]


# --- what is right --------------------------------------------------------------------------------------------------


def _filled(form: _Form, tokens: list[_Token]) -> Phrase | Trouble:
    values: list[tuple[str, Any]] = []
    for word, token in zip(form.words, tokens, strict=True):
        if word in _HOLES:
            value = _value(word, token, form.action[0])
            if isinstance(value, Trouble):
                return value
            values.append((word, value))
    given = dict(values[: sum(word in _HOLES for word in form.action)])
    status, fails = given.get("STATUS"), form.action[0] == "error"
    return Phrase(
        cast("Action", form.action[0]),
        _point(form.point, values[-1][1] if values else 0.0),
        given.get("TIME", 0.0),
        given.get("ERROR", status if fails else None),
        None if fails else status,
        given.get("TEXT", ""),
        given.get("MEDIA"),
    )


def _point(form: tuple[str, ...], amount: float) -> Point | None:
    match form:
        case ():
            return None
        case ("after", "TIME"):
            return Point("time", float(amount))
        case ("after", "COUNT", "chunks" | "events" | "bytes" as unit):
            return Point(unit, float(amount))
        case ("every", "event"):
            return Point("everywhere")
        case _:
            return Point(cast("PointKind", " ".join(form)))


def _value(hole: str, token: _Token, action: str) -> Value | Trouble:
    """What fills a hole; or why nothing that looks like it does."""
    text = token.text
    match hole:
        case "TIME":
            seconds = duration(text)
            return token.wrong(f"{quote(text)} is no duration", DURATION_FORMS) if seconds is None else float(seconds)
        case "COUNT":
            return _count(token)
        case "STATUS":
            return _status(token, action)
        case "ERROR":
            if text in keys.ERRORS:
                return text
            wrong = token.wrong(f"unknown error {quote(text)}", words.meant(text, keys.ERRORS), "LP211")
            return _with_meant(wrong, text, list(keys.ERRORS))
        case "TEXT":
            try:
                return unquoted(text, token.start)
            except Refused as refused:
                found = refused.trouble
                return Trouble(found.start, found.end, found.message, found.help, "LP126")
        case _:
            return text


def _count(token: _Token) -> int | Trouble:
    digits = token.text.lstrip("0")
    if not digits:
        return token.wrong("nothing goes before the fault here", "write `after headers`")
    if len(digits) > len(str(_MOST)):
        return token.wrong(f"{quote(token.text)} is too large")
    return int(digits)


def _status(token: _Token, action: str) -> int | Trouble:
    status = int(token.text) if len(token.text) == 3 else 0
    if action == "error":
        cure = "a status of an error is between 400 and 599"
        return status if 400 <= status <= 599 else token.wrong(f"{quote(token.text)} is no status of an error", cure)
    if status in _BODILESS:
        return token.wrong(f"an answer with status {status} has no body")
    cure = "a status is between 200 and 599"
    return status if 200 <= status <= 599 else token.wrong(f"{quote(token.text)} is no status of an answer", cure)


# --- what is wrong --------------------------------------------------------------------------------------------------


def _unexpected(token: _Token, forms: tuple[_Form, ...], index: int) -> Trouble:
    if token.text[0] in "\"'" and not token.fits("TEXT"):
        return token.wrong(f"the text {quote(token.text)} is not closed", f"expected {token.text[0]} at its end")
    if index == 0:
        wrong = token.wrong(f"unknown fault {quote(token.text)}", _cure(token.text, forms, index))
    else:
        message = f"found {quote(token.text)}, expected {_expected(forms, index)}"
        wrong = token.wrong(message, _cure(token.text, forms, index))
    known = [word for word in _next(forms, index) if word and word not in _HOLES]
    return _with_meant(wrong, token.text, known)


def _with_meant(wrong: Trouble, word: str, known: list[str]) -> Trouble:
    """The same trouble, with the known word that was meant, if there is one."""
    from llmposter_dsl import fixing

    meant = _MEANT.get(word.casefold())
    if meant in known:
        return replace(wrong, instead=meant, sure=True)
    close = words.close(word, known)
    return wrong if close is None else replace(wrong, instead=close, sure=fixing.alone(word, close, known))


def _ends_early(tokens: list[_Token], forms: tuple[_Form, ...]) -> Trouble:
    last, index = tokens[-1], len(tokens)
    message = f"the fault ends after {quote(last.text)}, expected {_expected(forms, index)}"
    return last.wrong(message, _cure("", forms, index))


def _next(forms: tuple[_Form, ...], index: int) -> list[str]:
    """What may stand at a place, each once, in the order of the tables."""
    return list(dict.fromkeys(form.words[index] if index < len(form.words) else "" for form in forms))


def _expected(forms: tuple[_Form, ...], index: int) -> str:
    said = [_HOLES[word][1] if word in _HOLES else f"`{word}`" if word else "the end" for word in _next(forms, index)]
    return said[0] if len(said) == 1 else f"{', '.join(said[:-1])} or {said[-1]}"


def _cure(found: str, forms: tuple[_Form, ...], index: int) -> str | None:
    """What may have been meant; what to write into a hole; or, where a phrase begins, what phrases there are."""
    following = _next(forms, index)
    if found.casefold() in _UNITS:
        return "a duration is one word: `3s`, `300ms`"
    known = [word for word in following if word and word not in _HOLES]
    if found and known:
        meant = _MEANT.get(found.casefold())
        if meant in known:
            return f"did you mean `{meant}`?"
        close = did_you_mean(found, known)
        if index == 0 or (close is not None and close.startswith("did")):
            return close
    if index == 0:
        return f"known here: {', '.join(known)}"
    return next((_CURES[word] for word in following if word in _CURES), None) if len(following) < 3 else None
