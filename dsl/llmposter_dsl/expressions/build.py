"""Makes the tree while Lark parses: one method for each rule of the grammar, under the rule's name.

A method is handed what its rule consists of, tokens and finished nodes, in order.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

from msgspec.structs import replace

from llmposter_dsl.expressions.syntax import (
    Apply,
    Calculate,
    Compare,
    Exists,
    IsType,
    Item,
    Joined,
    ListOf,
    Literal,
    MapOf,
    Matches,
    Member,
    Name,
    Negative,
    Node,
    Not,
    Pair,
    ToolCall,
    Trouble,
)
from llmposter_dsl.program import Duration

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Protocol

    class Token(Protocol):
        """What is used of Lark's tokens, which are also strings."""

        start_pos: int
        end_pos: int

        def __str__(self) -> str: ...


UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
LARGEST = 1.7976931348623157e308
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", '"': '"', "'": "'", "\\": "\\", "/": "/"}


class Refused(Exception):  # noqa: N818  (no error of ours: it carries the user's)
    """Leaves the parser with what is wrong."""

    def __init__(self, start: int, end: int, message: str, help: str | None = None) -> None:  # noqa: A002
        super().__init__(message)
        self.trouble = Trouble(start, end, message, help)


def _span(first: Node | Pair, last: Node | Pair) -> dict[str, int]:
    return {"start": first.start, "end": last.end, "depth": 1 + max(first.depth, last.depth)}


def _around(first: Any, last: Any, inner: Sequence[Node | Pair] = ()) -> dict[str, int]:
    """The place of a node that begins with one token and ends with another."""
    depth = 1 + max((node.depth for node in inner), default=0)
    return {"start": first.start_pos, "end": last.end_pos, "depth": depth}


def unquoted(text: str, start: int) -> str:
    """What a text in quotes says, which stands at *start*.

    Raises:
        Refused: it has an escape that there is not.
    """

    def unescape(found: re.Match[str]) -> str:
        if found[1]:
            return chr(int(found[1], 16))
        if found[2] in _ESCAPED:
            return _ESCAPED[found[2]]
        at = start + 1 + found.start()
        message = f"`{found[0]}` is no escape of a text"
        raise Refused(
            at, at + len(found[0]), message, f'write `\\{found[0]}` for a backslash, or use \\n \\t \\" \\\\ \\u00e9'
        )

    raw = text[1:-1]
    if "\\" not in raw:
        return raw
    # A pair of \u escapes may spell one character beyond U+FFFF, as in JSON.
    return _ESCAPE.sub(unescape, raw).encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _once(pairs: Sequence[Pair], what: str) -> None:
    seen: set[str] = set()
    for pair in pairs:
        if pair.key in seen:
            raise Refused(pair.start, pair.key_end, f"the {what} `{pair.key}` stands twice")
        seen.add(pair.key)


class Build:
    """The rules of `expression.lark`."""

    def start(self, of: list[Any]) -> Node:
        return cast("Node", of[0])

    def tool_call(self, of: list[Any]) -> ToolCall:
        tool, arguments, end = of[0], of[1] if len(of) == 3 else (), of[-1]
        for argument in arguments:
            if not isinstance(argument, Pair):
                help_ = "write `name: value`"
                raise Refused(argument.start, argument.end, "the arguments of a call have names", help_)
        _once(arguments, "argument")
        return ToolCall(str(tool), tuple(arguments), tool_end=tool.end_pos, **_around(tool, end, arguments))

    def disjunction(self, of: list[Any]) -> Node:
        return self._joined("or", of)

    def conjunction(self, of: list[Any]) -> Node:
        return self._joined("and", of)

    def _joined(self, word: Any, of: list[Any]) -> Node:
        depth = 1 + max(node.depth for node in of)
        return Joined(word, tuple(of), start=of[0].start, end=of[-1].end, depth=depth)

    def negation(self, of: list[Any]) -> Node:
        word, operand = of
        return Not(operand, start=word.start_pos, end=operand.end, depth=operand.depth + 1)

    def compare(self, of: list[Any]) -> Node:
        left, operator, right = of
        return Compare(operator, left, right, **_span(left, right))

    def comparator(self, of: list[Any]) -> Any:
        return " ".join(map(str, of))

    def matches(self, of: list[Any]) -> Node:
        left, regex = of
        pattern, _, flags = str(regex)[1:].rpartition("/")
        span = {"start": left.start, "end": regex.end_pos, "depth": left.depth + 1}
        return Matches(left, pattern, flags, pattern_start=regex.start_pos + 1, **span)

    def is_type(self, of: list[Any]) -> Node:
        operand, word = of
        return IsType(operand, cast("Any", str(word)), start=operand.start, end=word.end_pos, depth=operand.depth + 1)

    def exists(self, of: list[Any]) -> Node:
        operand, word = of
        return Exists(operand, start=operand.start, end=word.end_pos, depth=operand.depth + 1)

    def calculation(self, of: list[Any]) -> Node:
        left: Node = of[0]
        for operator, right in zip(of[1::2], of[2::2], strict=True):
            left = Calculate(cast("Any", str(operator)), left, right, **_span(left, right))
        return left

    sum = product = calculation

    def negative(self, of: list[Any]) -> Node:
        sign, operand = of
        return Negative(operand, start=sign.start_pos, end=operand.end, depth=operand.depth + 1)

    def member(self, of: list[Any]) -> Node:
        node, name = of
        span = {"start": node.start, "end": name.end_pos, "depth": node.depth + 1}
        return Member(node, str(name), name_start=name.start_pos, **span)

    def item(self, of: list[Any]) -> Node:
        node, index, end = of
        depth = 1 + max(node.depth, index.depth)
        return Item(node, index, start=node.start, end=end.end_pos, depth=depth)

    def apply(self, of: list[Any]) -> Node:
        name, arguments, end = of[0], of[1] if len(of) == 3 else (), of[-1]
        for argument in arguments:
            if isinstance(argument, Pair):
                message = f"the arguments of `{name}` have no names"
                raise Refused(argument.start, argument.key_end, message, "write the value alone")
        return Apply(str(name), tuple(arguments), name_end=name.end_pos, **_around(name, end, arguments))

    def arguments(self, of: list[Any]) -> tuple[Node | Pair, ...]:
        return tuple(of)

    elements = arguments

    def pairs(self, of: list[Any]) -> tuple[Pair, ...]:
        return tuple(of)

    def pair(self, of: list[Any]) -> Pair:
        key, value = of
        name = unquoted(str(key), key.start_pos) if str(key)[0] in "\"'" else str(key)
        span = {"start": key.start_pos, "end": value.end, "depth": value.depth}
        return Pair(name, value, key_end=key.end_pos, **span)

    def list_of(self, of: list[Any]) -> Node:
        items = of[1] if len(of) == 3 else ()
        return ListOf(items, **_around(of[0], of[-1], items))

    def map_of(self, of: list[Any]) -> Node:
        pairs: tuple[Pair, ...] = of[1] if len(of) == 3 else ()
        _once(pairs, "key")
        return MapOf(pairs, **_around(of[0], of[-1], pairs))

    def group(self, of: list[Any]) -> Node:
        # Brackets are no node; the place takes them in, so that what is quoted is what was written.
        left, node, right = of
        return cast("Node", replace(node, start=left.start_pos, end=right.end_pos, depth=node.depth + 1))

    def name(self, of: list[Any]) -> Node:
        return Name(str(of[0]), **_around(of[0], of[0]))

    def text(self, of: list[Any]) -> Node:
        return Literal("text", unquoted(str(of[0]), of[0].start_pos), **_around(of[0], of[0]))

    def number(self, of: list[Any]) -> Node:
        return Literal("number", self._number(of[0], str(of[0])), **_around(of[0], of[0]))

    def duration(self, of: list[Any]) -> Node:
        digits, unit = cast("re.Match[str]", re.fullmatch(r"([0-9.]+)([a-z]+)", str(of[0]))).groups()
        seconds = self._number(of[0], digits) * UNITS[unit]
        if seconds > LARGEST:
            raise Refused(of[0].start_pos, of[0].end_pos, "a duration is too long")
        return Literal("duration", Duration(seconds), **_around(of[0], of[0]))

    def _number(self, token: Any, digits: str) -> float:
        value = float(digits)
        if value > LARGEST:
            raise Refused(token.start_pos, token.end_pos, "a number is too large")
        return int(digits) if digits.isdigit() else value

    def true(self, of: list[Any]) -> Node:
        return Literal("bool", value=True, **_around(of[0], of[0]))

    def false(self, of: list[Any]) -> Node:
        return Literal("bool", value=False, **_around(of[0], of[0]))

    def null(self, of: list[Any]) -> Node:
        return Literal("null", None, **_around(of[0], of[0]))
