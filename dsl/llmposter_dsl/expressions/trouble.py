"""What a syntax error is told as: the user's own words, what was expected in words a user knows, and the cure.

Runs only once the parser has refused a text, on the text, the offset where it stopped, and what it would have taken.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from llmposter_dsl.expressions.syntax import Trouble
from llmposter_dsl.expressions.wording import did_you_mean, quote
from llmposter_dsl.facts import WORDS

_TOKEN = re.compile(
    r"""\s*(?:(?P<text>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')
    |(?P<open>["'])
    |(?P<word>[^\W\d]\w*)
    |(?P<number>\d+(?:\.\d+)?\w*)
    |(?P<mark>==|!=|=~|<=|>=|&&|\|\||=>|\*\*|\?\?|\S))""",
    re.VERBOSE | re.DOTALL,
)
_REGEX = re.compile(r"\s*/(?:\\.|\[(?:\\.|[^\]\\])*\]|[^/\\\[])+/\w*", re.DOTALL)
_COMPARISONS = frozenset(
    ("==", "!=", "<", "<=", ">", ">=", "in", "contains", "mentions", "starts", "ends", "matches", "is")
)
_NEVER_NEGATED = frozenset(("matches", "mentions", "starts", "ends", "exists", "is"))
_CLOSERS = {"RPAR": ")", "RSQB": "]", "RBRACE": "}"}
_BRACKETS = {"(": ")", "[": "]", "{": "}"}
_TYPES = ("text", "number", "bool", "duration", "list", "map", "null")
_OPERATORS = (
    "contains",
    "mentions",
    "matches",
    "exists",
    "starts with",
    "ends with",
    "and",
    "or",
    "in",
    "is",
    "not in",
)
_MARKS = {
    "=": ("`=` does not compare", "write `==`"),
    "&&": ("`&&` is no operator", "write `and`"),
    "||": ("`||` is no operator", "write `or`"),
    "!": ("`!` is no operator", "write `not`"),
    "|": ("`|` is no operator", "write `or`"),
    "&": ("`&` is no operator", "write `and`"),
    "=>": ("`=>` is no operator", "write `>=`"),
    "**": ("`**` is no operator", None),
    "?": ("`?` is no operator", "write a rule for each case, or `default(a, b)` for a value that may be null"),
    "??": ("`??` is no operator", "write `default(a, b)`"),
    ";": ("`;` has no meaning in an expression", None),
    "=~": ("`=~` is no operator", "write `matches /…/`"),
    "$": ("`$` has no meaning in an expression", "`${…}` holds one in a template; here write the name alone"),
    "~": ("`~` is no operator", "write `matches /…/`"),
}
_SURE = {"=": "==", "&&": "and", "||": "or", "=>": ">="}
"""Marks of other languages for which there is one operator, that binds as they do."""
_UNSURE = {"!": "not", "|": "or", "&": "and"}
_ALIASES = {
    "like": "matches",
    "includes": "contains",
    "startswith": "starts with",
    "endswith": "ends with",
    "starts_with": "starts with",
    "ends_with": "ends with",
    "equals": "==",
    "eq": "==",
    "ne": "!=",
    "gt": ">",
    "lt": "<",
    "has": "contains",
    "match": "matches",
}


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    start: int
    end: int


def _tokens(text: str) -> list[_Token]:
    """The text in pieces, as far as they can be told apart; a regular expression only stands after `matches`."""
    found: list[_Token] = []
    at = 0
    while at < len(text):
        regex = _REGEX.match(text, at) if found and found[-1].text == "matches" else None
        match = regex or _TOKEN.match(text, at)
        if match is None:
            break
        kind = "regex" if regex else str(match.lastgroup)
        word = match[0].lstrip()
        found.append(_Token(kind, word, match.end() - len(word), match.end()))
        at = match.end()
    return found


@dataclass(frozen=True, slots=True)
class _Stop:
    """Where the parser stopped: at *token*, before which stand *before*, and after which *following*."""

    text: str
    where: int
    token: _Token
    before: list[_Token]
    following: _Token | None
    accepted: frozenset[str]
    is_call: bool

    @property
    def previous(self) -> _Token | None:
        return self.before[-1] if self.before else None

    @property
    def expected(self) -> str:
        """What may stand here; the lexer names all brackets that close anywhere, but one closes here, or none."""
        opened = _opened(self.before)
        closer = None if opened is None else _BRACKETS[opened.text]
        never = {name for name, mark in _CLOSERS.items() if mark != closer}
        end = {"$END"} if opened is None and "RPAR" in self.accepted else set()
        return _expected(self.accepted - never | end)


def explain(text: str, where: int, accepted: frozenset[str], *, is_call: bool) -> Trouble:
    """Why the parser stopped at *where*, where it would have taken the terminals *accepted*."""
    tokens = _tokens(text)
    if not tokens:
        return _empty(text, is_call=is_call)
    index = next((number for number, token in enumerate(tokens) if token.end > where), len(tokens))
    if index == len(tokens):
        return _at_end(tokens, accepted, is_call=is_call)
    following = tokens[index + 1] if index + 1 < len(tokens) else None
    stop = _Stop(text, where, tokens[index], tokens[:index], following, accepted, is_call)
    return _lexical(stop) or _misplaced(stop) or _unexpected(stop)


def _empty(text: str, *, is_call: bool) -> Trouble:
    what = "a call" if is_call else "an expression"
    return Trouble(0, len(text), f"{what} is missing here", "write `tool(argument: value)`" if is_call else None)


def _lexical(stop: _Stop) -> Trouble | None:
    """What no expression can hold, wherever it stands."""
    token, text = stop.token, stop.text
    if token.kind == "regex" and stop.where > token.start:
        flags = token.start + token.text.rindex("/") + 1
        message = f"{quote(text[flags : token.end])} are no flags of a regular expression"
        return Trouble(flags, token.end, message, "the flags are i, m and s")
    if token.kind == "open":
        end = len(text.rstrip())
        message = f"the text {quote(text[token.start : end])} is not closed"
        return Trouble(token.start, end, message, f"expected {token.text} at its end")
    if stop.previous is not None and stop.previous.text == "matches" and token.kind != "regex":
        return _no_regex(text, token)
    if stop.is_call and token.text in ("=", "=>") and (name := _argument(stop.before)) is not None:
        message, since = f"`{token.text}` gives no argument its value", stop.before[-1].end
        colon = ":" if text[token.end : token.end + 1].isspace() else ": "
        return Trouble(token.start, token.end, message, f"write `{name}: …`", instead=colon, sure=True, since=since)
    if token.kind == "mark" and token.text in _MARKS:
        sure, after = token.text in _SURE, stop.previous is not None and stop.previous.text in _COMPARISONS
        instead = None if after else _apart(text, token, {**_SURE, **_UNSURE}.get(token.text))
        return Trouble(token.start, token.end, *_MARKS[token.text], instead=instead, sure=sure)
    if token.kind == "number" and not re.fullmatch(r"[\d.]+", token.text):
        return _number(token)
    return None


def _apart(text: str, token: _Token, word: str | None) -> str | None:
    """A word with a blank on each side where there is none yet."""
    if word is None or not word.isalpha():
        return word
    before = "" if token.start == 0 or not text[token.start - 1].isalnum() else " "
    after = "" if text[token.end : token.end + 1].isspace() else " "
    return f"{before}{word}{after}"


def _argument(before: list[_Token]) -> str | None:
    """The name that stands where a call has one for a value."""
    named = len(before) > 2 and before[-1].kind == "word" and before[-2].text in ("(", ",")
    return before[-1].text if named and _opened(before) == before[1] else None


def _no_regex(text: str, token: _Token) -> Trouble:
    if text.startswith("//", token.start):
        return Trouble(token.start, token.start + 2, "the regular expression is empty", "write `/…/`")
    if token.text == "/":
        end = len(text.rstrip())
        message = f"the regular expression {quote(text[token.start : end])} is not closed"
        return Trouble(token.start, end, message, "expected `/` at its end")
    message = f"`matches` takes a regular expression, found {quote(token.text)}"
    inner = token.text[1:-1] if token.kind == "text" else token.text if token.kind == "word" else "…"
    plain = token.kind == "text" and inner and not {"/", "\\", "\n"} & set(inner)
    instead = f"/{inner}/" if plain else None
    return Trouble(token.start, token.end, message, f"write `/{inner}/`", instead=instead, sure=True)


def _number(token: _Token) -> Trouble:
    unit = token.text.lstrip("0123456789.")
    message = f"{quote(token.text)} is neither a number nor a duration"
    help_ = "write numbers without `_`" if unit.startswith("_") else "the units of a duration are ms, s, m, h and d"
    return Trouble(token.start, token.end, message, help_)


def _misplaced(stop: _Stop) -> Trouble | None:
    """What is right elsewhere, or is called otherwise."""
    token, before, previous, accepted = stop.token, stop.before, stop.previous, stop.accepted
    if previous is None:
        return None
    if previous.text == "is":
        return _no_type(token, before, stop.following)
    if previous.text == "not" and len(before) > 1 and token.text in _NEVER_NEGATED:
        return _not_after(token, before)
    if token.text in _COMPARISONS and "_AND" in accepted and "EXISTS" not in accepted:
        message = f"comparisons do not chain: {quote(token.text)} follows a comparison"
        return Trouble(token.start, token.end, message, "join two comparisons with `and`")
    if token.kind == "word" and "CONTAINS" in accepted and token.text not in WORDS:
        return _no_operator(stop)
    if token.text == "(" and len(before) > 1 and before[-2].text == ".":
        message = f"`.{previous.text}(…)` is no attribute: values have no methods"
        return Trouble(previous.start, token.end, message, f"write `{previous.text}(…)` if it is a function")
    return None


def _no_type(token: _Token, before: list[_Token], following: _Token | None) -> Trouble:
    types, help_ = ", ".join(_TYPES[:-1]), _like_a_type(token)
    if token.text == "not":
        known = following is not None and following.text in _TYPES
        subject = before[-2].text if len(before) == 2 else "…"
        word = following.text if known and following is not None else "text"
        end = following.end if known and following is not None else token.end
        if word == "null":
            cure = f"write `{subject} exists`"
            return Trouble(before[-1].start, end, "`is not` is no operator", cure, instead="exists", sure=True)
        return Trouble(before[-1].start, end, "`is not` is no operator", f"write `not {subject} is {word}`")
    aliases = {"string": "text", "str": "text", "int": "number", "float": "number", "boolean": "bool", "none": "null"}
    instead, since = aliases.get(token.text.lower()), None
    if instead is not None:
        help_ = f"did you mean `{instead}`?"
    if token.text in ("true", "false"):
        help_, instead, since = f"write `== {token.text}`", f"== {token.text}", before[-1].start
    message = f"`is` takes a type ({types} or null), found {quote(token.text)}"
    return Trouble(token.start, token.end, message, help_, instead=instead, sure=True, since=since)


def _like_a_type(token: _Token) -> str | None:
    return did_you_mean(token.text, _TYPES) if token.kind == "word" else "write `==` to compare values"


def _not_after(token: _Token, before: list[_Token]) -> Trouble:
    subject = before[-2].text if len(before) == 2 else "…"
    word = {"starts": "starts with", "ends": "ends with"}.get(token.text, token.text)
    message = f"`not {word}` is no operator: `not` stands before the whole comparison"
    return Trouble(before[-1].start, token.end, message, f"write `not {subject} {word}`")


def _no_operator(stop: _Stop) -> Trouble:
    token, word = stop.token, stop.token.text.lower()
    instead, sure = _ALIASES.get(word), word != "like"
    help_ = f"did you mean `{instead}`?"
    if instead is None and word in ("and", "or", "not", "in", "is"):
        help_, instead = f"write `{word}` in lower case", word
    elif instead is None:
        close = did_you_mean(token.text, _OPERATORS)
        instead, sure = close.split("`")[1] if close is not None and close.startswith("did") else None, False
        help_ = f"did you mean `{instead}`?"
    message = f"found {quote(token.text)}, expected {stop.expected}"
    return Trouble(token.start, token.end, message, instead and help_, instead=instead, sure=sure)


def _at_end(before: list[_Token], accepted: frozenset[str], *, is_call: bool) -> Trouble:
    last = before[-1]
    if last.text == "matches":
        return Trouble(last.start, last.end, "`matches` has no regular expression after it", "write `matches /…/`")
    opened = _opened(before)
    if opened is not None and (last == opened or {"RPAR", "RSQB", "RBRACE"} & accepted):
        message = f"{quote(opened.text)} is not closed: expected `{_BRACKETS[opened.text]}`"
        return Trouble(opened.start, opened.end, message)
    if is_call and len(before) == 1:
        return Trouble(last.start, last.end, f"{quote(last.text)} is no call: expected `(`", f"write `{last.text}()`")
    message = f"the expression ends after {quote(last.text)}, expected {_expected(accepted)}"
    return Trouble(last.start, last.end, message)


def _opened(tokens: list[_Token]) -> _Token | None:
    """The innermost bracket that no token closes."""
    stack: list[_Token] = []
    for token in tokens:
        if token.text in _BRACKETS:
            stack.append(token)
        elif stack and token.text == _BRACKETS[stack[-1].text]:
            stack.pop()
    return stack[-1] if stack else None


def _unexpected(stop: _Stop) -> Trouble:
    token, accepted = stop.token, stop.accepted
    opened = _opened(stop.before)
    closer = None if opened is None else _BRACKETS[opened.text]
    expected = stop.expected
    if token.text in _BRACKETS.values():
        if opened is None and "$END" in accepted:
            return Trouble(token.start, token.end, f"{quote(token.text)} closes nothing")
        if opened is not None and token.text != closer and "CONTAINS" in accepted:
            expected = f"`{closer}` for {quote(opened.text)}"
    capitals = "_AND" in accepted and token.text.lower() in ("and", "or")
    instead, help_ = (token.text.lower(), f"write `{token.text.lower()}` in lower case") if capitals else (None, None)
    message = f"found {quote(token.text)}, expected {expected}"
    return Trouble(token.start, token.end, message, help_, instead=instead, sure=True)


_WORDS = {
    "RPAR": "`)`",
    "RSQB": "`]`",
    "RBRACE": "`}`",
    "_COMMA": "`,`",
    "COMMA": "`,`",
    "COLON": "`:`",
    "LPAR": "`(`",
    "KEY": "`name:`",
    "MEMBER": "a name",
    "TOOL": "a tool's name",
    "TYPE": "a type",
    "REGEX": "a regular expression",
    "WITH": "`with`",
    "$END": "the end",
}


def _expected(accepted: frozenset[str]) -> str:
    """What the parser would have taken, in words."""
    if "NUMBER" in accepted:
        value = {"RPAR", "RSQB", "RBRACE"} & accepted
        found = ["a value", *(_WORDS[name] for name in sorted(value))]
    elif "CONTAINS" in accepted:
        found = ["an operator", *_closing(accepted)]
    elif "_AND" in accepted:
        found = ["`and`", "`or`", *_closing(accepted)]
    elif accepted == {"IN", "CONTAINS"}:
        found = ["`in`", "`contains`"]
    else:
        found = sorted(_WORDS[name] for name in accepted if name in _WORDS) or ["something else"]
    return found[0] if len(found) == 1 else f"{', '.join(found[:-1])} or {found[-1]}"


def _closing(accepted: frozenset[str]) -> list[str]:
    names = ("RPAR", "RSQB", "RBRACE", "$END")
    comma = ["`,`"] if {"_COMMA", "COMMA"} & accepted and {"RPAR", "RSQB", "RBRACE"} & accepted else []
    return [*comma, *(_WORDS[name] for name in names if name in accepted)]
