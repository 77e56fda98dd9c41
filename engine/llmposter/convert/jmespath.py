"""JMESPath over a request of a chat, as far as mock-llm's files use it, to expressions (https://jmespath.org/specification.html).

What there is no expression for is a `Cannot`, with a sentence for the user.
"""

from __future__ import annotations

import json
import re
from typing import Final, NamedTuple

from llmposter.convert.spelling import Either, literal

_TOKEN: Final = re.compile(
    r"\s*(?:(?P<name>[A-Za-z_]\w*)|(?P<quoted>\"(?:\\.|[^\"\\])*\")|(?P<raw>'(?:\\.|[^'\\])*')|(?P<json>`(?:\\.|[^`\\])*`)"
    r"|(?P<number>-?\d+)|(?P<sign>\|\||&&|==|!=|<=|>=|\[\?|[][().,<>!*@|&{}:]))"
)
_NOTHING: Final = '[null, false, "", [], {}]'
_NO_TEXT: Final = '[null, ""]'
"""What is false in JMESPath."""
_TEXTS: Final = {"contains": "contains", "starts_with": "starts with", "ends_with": "ends with"}


class Cannot(Exception):  # noqa: N818 - no error: it ends the reading
    """There is no expression for it; the message says for what."""


class Written(NamedTuple):
    """An expression.

    Attributes:
        says: whether it is a condition, rather than a value.
        either: whether it is one that `or` joins.
    """

    text: str
    says: bool = False
    either: bool = False


def condition(text: str) -> str | None:
    """A condition that holds where JMESPath finds something; None where it always does."""
    if text.strip() == "@":
        return None
    found = _Reader(text).whole()
    return Either(found.text) if found.either else _condition(found)


def value(text: str) -> str:
    """The value that JMESPath finds."""
    return _Reader(text).whole().text


def _condition(written: Written) -> str:
    if written.says:
        return written.text
    is_text = written.text.startswith(("headers", "query"))
    return f"{written.text} not in {_NO_TEXT if is_text else _NOTHING}"


class _Reader:
    def __init__(self, text: str, root: str = "") -> None:
        self.tokens: list[tuple[str, str]] = []
        self.root = root
        at = 0
        while text[at:].strip():
            found = _TOKEN.match(text, at)
            if found is None:
                raise Cannot(f"`{text}` is not JMESPath that is read here")
            self.tokens.append((found.lastgroup or "", found[0].strip()))
            at = found.end()
        self.text, self.at = text, 0

    def whole(self) -> Written:
        found = self._or()
        if self.at < len(self.tokens):
            raise Cannot(f"there is no expression for `{self._peek()}` in `{self.text}`")
        return found

    def _peek(self) -> str:
        return self.tokens[self.at][1] if self.at < len(self.tokens) else ""

    def _take(self, sign: str) -> bool:
        taken = self._peek() == sign and self.tokens[self.at][0] == "sign"
        self.at += taken
        return taken

    def _need(self, sign: str) -> None:
        if not self._take(sign):
            raise Cannot(f"there is no expression for `{self.text}`")

    def _or(self) -> Written:
        found = self._and()
        while self._take("||"):
            found = Written(f"{_condition(found)} or {_condition(self._and())}", says=True, either=True)
        return found

    def _and(self) -> Written:
        found = self._compared()
        while self._take("&&"):
            found = Written(f"{_condition(found)} and {_condition(self._compared())}", says=True)
        return found

    def _compared(self) -> Written:
        left = self._unary()
        for sign in ("==", "!=", "<=", ">=", "<", ">"):
            if self._take(sign):
                return Written(f"{left.text} {sign} {self._unary().text}", says=True)
        return left

    def _unary(self) -> Written:
        if self._take("!"):
            held = _condition(self._unary())
            return Written(f"not {held}" if held.startswith("(") else f"not ({held})", says=True)
        return self._path()

    def _path(self) -> Written:
        kind, word = self.tokens[self.at] if self.at < len(self.tokens) else ("", "")
        self.at += 1
        match kind, word:
            case "raw", _:
                return Written(literal(word[1:-1].replace("\\'", "'")))
            case "json", _:
                return Written(_of_json(word[1:-1], self.text))
            case "sign", "(":
                inner = self._or()
                self._need(")")
                return Written(f"({inner.text})", inner.says)
            case "sign", "@":
                return self._further(self.root or "")
            case "name", _ if self._take("("):
                return self._function(word)
            case "name" | "quoted", _:
                return self._further(self._first(json.loads(word) if kind == "quoted" else word))
            case _:
                raise Cannot(f"there is no expression for `{self.text}`")

    def _first(self, name: str) -> str:
        if self.root:
            return _member(self.root, name)
        if name not in ("body", "headers", "query", "path"):
            raise Cannot(f"a request has no `{name}` here, of which `{self.text}` speaks")
        return name

    def _further(self, path: str) -> Written:
        while True:
            if self._take("."):
                kind, word = self.tokens[self.at] if self.at < len(self.tokens) else ("", "")
                if kind not in ("name", "quoted"):
                    raise Cannot(f"there is no expression for `{self.text}`")
                self.at += 1
                path = _member(path, json.loads(word) if kind == "quoted" else word)
            elif (
                self._peek() == "["
                and self.tokens[self.at + 1 : self.at + 2]
                and self.tokens[self.at + 1][0] == "number"
            ):
                path = f"{path}[{self.tokens[self.at + 1][1]}]"
                self.at += 2
                self._need("]")
            elif self._take("[?"):
                return self._filtered(path)
            else:
                return Written(path)

    def _filtered(self, path: str) -> Written:
        """Items of a list that something holds of: whether there are any, and how many."""
        outer, self.root = self.root, "it"
        held = _condition(self._or())
        self.root = outer
        self._need("]")
        if self._peek() in (".", "[", "|"):
            raise Cannot(f"there is no expression for a part of some items in `{self.text}`")
        return Written(f"any({path}, {held})", says=True)

    def _function(self, name: str) -> Written:
        arguments = [] if self._peek() == ")" else [self._or()]
        while self._take(","):
            arguments.append(self._or())
        self._need(")")
        match name, arguments:
            case (("contains" | "starts_with" | "ends_with"), [left, right]):
                return Written(f"{left.text} {_TEXTS[name]} {right.text}", says=True)
            case "length", [Written(text, True, _)] if text.startswith("any("):
                return Written(f"count({text[4:]}")
            case "length", [Written(text, False, _)]:
                return Written(f"len({text})")
            case "not_null", [left, right]:
                return Written(f"default({left.text}, {right.text})")
            case "to_string", [left]:
                return Written(f"text({left.text})")
            case _:
                raise Cannot(f"there is no function for `{name}` in `{self.text}`")


def _member(path: str, name: str) -> str:
    if path in ("headers", "query") or not re.fullmatch(r"[^\W\d]\w*", name):
        return f"{path}[{literal(name)}]"
    return f"{path}.{name}"


def _of_json(text: str, whole: str) -> str:
    try:
        found = json.loads(text.replace("\\`", "`"))
    except ValueError:
        found = text.strip()
    match found:
        case str():
            return literal(found)
        case bool() | None | int() | float():
            return json.dumps(found)
        case _:
            raise Cannot(f"there is no expression for `{text}` in `{whole}`")
