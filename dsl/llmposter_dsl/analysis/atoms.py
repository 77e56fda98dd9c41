"""A condition as clauses of atoms, each a test of one subject; it holds if, and only if, all atoms of a clause do.

What no test is known for is an atom of its own, true or false as it will.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import count, product
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from msgspec.structs import replace

from llmposter_dsl import facts
from llmposter_dsl.analysis.regex import plain
from llmposter_dsl.expressions import operations
from llmposter_dsl.expressions.functions import FUNCTIONS
from llmposter_dsl.expressions.make import walk
from llmposter_dsl.expressions.patterns import Pattern, compile_pattern
from llmposter_dsl.expressions.syntax import (
    Apply,
    Compare,
    Comparison,
    Exists,
    IsType,
    Item,
    Joined,
    ListOf,
    Matches,
    Member,
    Name,
    Negative,
    Node,
    Not,
)
from llmposter_dsl.expressions.syntax import Literal as Constant
from llmposter_dsl.program import Value
from llmposter_dsl.types import Type, kind_of

_OfAny: TypeAlias = Literal["==", "<", "<=", ">", ">=", "in", "contains", "is", "exists", "holds"]
_OfText: TypeAlias = Literal["has", "mentions", "starts with", "ends with", "matches"]
Test: TypeAlias = Literal[_OfAny, _OfText]
"""``has`` is ``contains`` of what is surely a text; ``holds`` is the subject's own truth."""

MOST: Final = 32
"""Clauses of one condition; what has more of them is not looked into."""


class Atom(NamedTuple):
    """A test of one subject.

    Attributes:
        value: what it is tested with: a constant and its kind, several of ``in``, pattern and flags of ``matches``.
    """

    subject: Node
    test: Test
    value: tuple[Any, ...] = ()

    def passes(self, value: Value) -> bool:
        """Whether the subject passes where it has this value."""
        match self.test:
            case "in":
                return any(operations.equal(value, each) for _, each in self.value)
            case "is":
                return kind_of(value) in self.value
            case "exists":
                return value is not None
            case "holds":
                return value is True
            case "has":
                return isinstance(value, str) and str(self.value[1]) in value
            case "matches":
                return operations.searches(_pattern(*self.value).search, value)
            case test:
                tried: Callable[[Value, Value], bool] = _TESTS[test]
                return tried(value, self.value[1])


Signed: TypeAlias = tuple[Atom, bool]
"""An atom, and whether it is to pass."""
Clause: TypeAlias = tuple[Signed, ...]

_TESTS: Final[dict[str, Callable[[Value, Value], bool]]] = {
    "==": operations.equal,
    "<": operations.less,
    "<=": operations.less_equal,
    ">": operations.greater,
    ">=": operations.greater_equal,
    "contains": operations.contains,
    "mentions": operations.mentions,
    "starts with": operations.starts_with,
    "ends with": operations.ends_with,
}
_FLIPPED: Final[dict[str, Test]] = {"==": "==", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_OPPOSITE: Final[dict[str, Comparison]] = {"!=": "==", "not in": "in", "not contains": "contains"}
_DRAWN: Final = frozenset(name for name, each in FUNCTIONS.items() if each.form == "seeded" and name != "now")
_SCALARS: Final = frozenset(("text", "number", "bool", "duration", "null"))
_NUMBERS: Final = count()
_NEVER: Final[tuple[Clause, ...]] = ()
_ALWAYS: Final[tuple[Clause, ...]] = ((),)


def clauses(node: Node, wanted: bool = True) -> tuple[Clause, ...] | None:  # noqa: FBT001, FBT002 - it flips
    """The clauses of which one holds whenever the condition comes out as *wanted*; None where they are too many."""
    match node:
        case Not(operand=operand):
            return clauses(operand, not wanted)
        case Joined(word=word, operands=operands):
            below = [clauses(each, wanted) for each in operands]
            known = [each for each in below if each is not None]
            if len(known) < len(below):
                return None
            return _both(known) if (word == "and") == wanted else _either(known)
        case Compare(operator="!=" | "not in" | "not contains" as operator):
            return clauses(replace(node, operator=_OPPOSITE[operator]), not wanted)
        case _:
            found = _atom(node)
            if isinstance(found, bool):
                return _ALWAYS if found == wanted else _NEVER
            return (((found, wanted),),)


def _both(each: Iterable[tuple[Clause, ...]]) -> tuple[Clause, ...] | None:
    made: tuple[Clause, ...] = _ALWAYS
    for more in each:
        if len(made) * len(more) > MOST:
            return None
        made = tuple((*one, *other) for one, other in product(made, more))
    return made


def _either(each: Iterable[tuple[Clause, ...]]) -> tuple[Clause, ...] | None:
    made = tuple(clause for some in each for clause in some)
    return made if len(made) <= MOST else None


def _atom(node: Node) -> Atom | bool:
    """The atom that a condition without `and`, `or` and `not` is; a bool where it is always the same."""
    match node:
        case _ if any(isinstance(each, Apply) and each.function in _DRAWN for each in walk(node)):
            # What is drawn at one place of the file is not what is drawn at another.
            return Atom(Name(f"drawn {next(_NUMBERS)}"), "holds")
        case Compare():
            return _compared(node)
        case Matches(left=left, pattern=pattern, flags=flags):
            return _matched(left, pattern, flags)
        case IsType(operand=operand, type=kind):
            return Atom(operand, "is", (kind,))
        case Exists(operand=operand):
            return Atom(operand, "exists")
        case Constant(value=value):
            return value is True
        case _:
            return Atom(node, "holds")


def _matched(left: Node, pattern: str, flags: str) -> Atom:
    found = plain(pattern, flags)
    if found is None:
        return Atom(left, "matches", (pattern, "".join(sorted(set(flags)))))
    test, text = found
    return Atom(left, test, ("text", text))


def _compared(node: Compare) -> Atom | bool:
    left, right = _constant(node.left), _constant(node.right)
    opaque = Atom(node, "holds")
    match node.operator, left, right:
        case (operator, (one,), (other,)) if operator in _TESTS:
            return _TESTS[operator](one, other)
        case ("in", (one,), (other,)):
            return operations.contains(other, one)
        case ("in", None, (list() as values,)):
            return _among(node.left, values) or opaque
        case ("in", (one,), None):
            return _contains(node.right, one) or opaque
        case ("contains", None, (other,)):
            return _contains(node.left, other) or opaque
        case ("contains", (list() as values,), None):
            return _among(node.right, values) or opaque
        case (operator, None, (other,)) if operator in _TESTS and kind_of(other) in _SCALARS:
            return Atom(node.left, operator, (kind_of(other), other))  # type: ignore[arg-type]
        case (operator, (one,), None) if operator in _FLIPPED and kind_of(one) in _SCALARS:
            return Atom(node.right, _FLIPPED[operator], (kind_of(one), one))
        case _:
            return opaque


def _among(subject: Node, values: list[Value]) -> Atom | None:
    pairs = tuple((kind_of(each), each) for each in values)
    return Atom(subject, "in", pairs) if all(kind in _SCALARS for kind, _ in pairs) else None


def _contains(whole: Node, part: Value) -> Atom | None:
    kind = kind_of(part)
    test: Test = "has" if kind == "text" and is_text(whole) else "contains"
    return Atom(whole, test, (kind, part)) if kind in _SCALARS else None


def _constant(node: Node) -> tuple[Value] | None:
    match node:
        case Constant(value=value):
            return (value,)
        case Negative(operand=Constant(value=value)):
            return (operations.negate(value),)
        case ListOf(items=items):
            made = [_constant(each) for each in items]
            return None if any(each is None for each in made) else ([each[0] for each in made if each is not None],)
        case _:
            return None


def type_of(node: Node) -> Type | None:
    """What the subject surely is, or null; None where only the request knows."""
    match node:
        case Name(name=name):
            fact = facts.RULE.facts.get(name)
            return None if fact is None or fact.type.kind == "json" else fact.type
        case Member(of=of, name=name):
            return _inside(type_of(of), name)
        case Item(of=of, index=Constant(value=str(name))):
            return _inside(type_of(of), name)
        case Item(of=of):
            whole = type_of(of)
            known = whole is not None and whole.kind == "list" and whole.item is not None and whole.item.kind != "json"
            return whole.items.optional() if known and whole is not None else None
        case Apply(function=function):
            made = FUNCTIONS[function]
            return None if made.result.kind == "json" else made.result if made.certain else made.result.optional()
        case _:
            return None


def _inside(whole: Type | None, name: str) -> Type | None:
    if whole is None or whole.kind != "map":
        return None
    found = whole.item if whole.fields is None else whole.fields.get(name)
    # A parameter may be another thing than its type says.
    if found is None or found.kind == "json" or whole.fields == facts.PARAMS.fields:
        return None
    return found.optional()


def is_text(node: Node) -> bool:
    """Whether it is a text wherever it is not null."""
    found = type_of(node)
    return found is not None and found.kind == "text"


def _pattern(pattern: str, flags: str) -> Pattern:
    found = compile_pattern(pattern, flags)
    assert isinstance(found, Pattern)
    return found
