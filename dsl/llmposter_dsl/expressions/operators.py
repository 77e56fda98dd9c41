"""Which types go together under which operator."""

from __future__ import annotations

from llmposter_dsl.expressions.syntax import Arithmetic, Comparison
from llmposter_dsl.types import DURATION, JSON, NUMBER, TEXT, Type, join

ORDERED = frozenset(("text", "number", "duration"))
_LOOSE = frozenset(("json",))


def clash(operator: Comparison, left: Type, right: Type) -> str | None:
    """Why the comparison can never hold; None if it can."""
    match operator:
        case "==" | "!=":
            if left.kind == right.kind or {left.kind, right.kind} & {"json", "null"}:
                return None
            return "they are never equal"
        case "<" | "<=" | ">" | ">=":
            return _order(left, right)
        case "in" | "not in":
            return _holds(right, left)
        case "contains" | "not contains":
            return _holds(left, right)
        case "mentions" | "starts with" | "ends with":
            return None if {left.kind, right.kind} <= {"text", "json"} else f"`{operator}` takes two texts"


def _order(left: Type, right: Type) -> str | None:
    kinds = {left.kind, right.kind} - _LOOSE
    if not kinds <= ORDERED:
        return "only numbers, durations and texts have an order"
    return None if len(kinds) <= 1 else "they have no common order"


def _holds(whole: Type, part: Type) -> str | None:
    if whole.kind in ("text", "map"):
        return None if part.kind in ("text", "json") else f"a {whole.kind} holds only texts"
    if whole.kind == "list":
        kind = whole.items.kind
        return None if kind == part.kind or {kind, part.kind} & {"json", "null"} else "the list never holds it"
    return None if whole.kind == "json" else "only texts, lists and maps hold something"


_RESULTS: dict[tuple[Arithmetic, str, str], Type] = {
    ("+", "number", "number"): NUMBER,
    ("+", "duration", "duration"): DURATION,
    ("+", "text", "text"): TEXT,
    ("-", "number", "number"): NUMBER,
    ("-", "duration", "duration"): DURATION,
    ("*", "number", "number"): NUMBER,
    ("*", "duration", "number"): DURATION,
    ("*", "number", "duration"): DURATION,
    ("/", "number", "number"): NUMBER,
    ("/", "duration", "number"): DURATION,
    ("/", "duration", "duration"): NUMBER,
    ("%", "number", "number"): NUMBER,
    ("%", "duration", "duration"): DURATION,
}
_OPERANDS: dict[Arithmetic, frozenset[str]] = {
    "+": frozenset(("number", "duration", "text", "list")),
    "-": frozenset(("number", "duration")),
    "*": frozenset(("number", "duration")),
    "/": frozenset(("number", "duration")),
    "%": frozenset(("number", "duration")),
}


def result(operator: Arithmetic, left: Type, right: Type) -> Type | None:
    """The type of the result, which may always be null; None if these types do not go together."""
    kinds = {left.kind, right.kind}
    if "json" in kinds:
        return JSON if kinds <= {*_OPERANDS[operator], "json"} else None
    if operator == "+" and kinds == {"list"}:
        return join(left, right).optional() if left.item == right.item else Type("list", maybe=True)
    found = _RESULTS.get((operator, left.kind, right.kind))
    return None if found is None else found.optional()


OPERATORS: tuple[tuple[str, str], ...] = (
    ("`or`", "Either holds; the right one is asked only if the left one does not."),
    ("`and`", "Both hold; the right one is asked only if the left one does."),
    ("`not`", "It does not hold. Stands before a whole comparison: `not user exists`."),
    ("`==` `!=`", "Exactly equal, lists and maps by what they hold: `1 == 1.0`, but `true != 1` and `1s != 1`."),
    ("`<` `<=` `>` `>=`", "Order of two numbers, two durations or two texts (by code points)."),
    ("`in` `not in`", "An item of a list, a key of a map, or a stretch of a text: `turn in [1, 2]`."),
    ("`contains` `not contains`", 'The same from the other side: `user contains "refund"`.'),
    ("`mentions`", 'Whole words, in any case: `user mentions "refund"` finds `Refund!` and not `refunds`.'),
    ("`starts with` `ends with`", "How a text begins or ends."),
    ("`matches`", "Searches a regular expression (RE2) anywhere: `user matches /order #(?P<id>\\d+)/i`."),
    ("`is TYPE`", "Of this type: `text` `number` `bool` `duration` `list` `map` `null`."),
    ("`exists`", "Not null."),
    ("`+` `-`", "Numbers and durations; `+` also joins texts, and lists."),
    ("`*` `/` `%`", "Numbers; a duration and a number. `%` has the sign of its left side. By zero: null."),
    ("`-`", "The negative of a number or a duration."),
    (
        "`.name` `[index]`",
        "A member of a map, an item of a list; negative indices count from the end. Null if missing.",
    ),
)
"""For the reference, loosest first: comparisons do not chain and stand at one level, as do `+ -` and `* / %`."""
