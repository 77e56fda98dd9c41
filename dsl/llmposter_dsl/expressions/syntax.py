"""The tree of an expression. Two trees are equal if they mean the same, wherever they stand.

`start` and `end` are offsets in the text that was parsed, brackets around the node included; `depth` is the height of
the tree, kept so that no later stage can run out of stack. (msgspec's structs, since a score of dataclasses costs a
command 15 ms of its start.)
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import ClassVar, Final, TypeAlias
from typing import Literal as Words

import msgspec

Kind: TypeAlias = Words["text", "number", "bool", "duration", "list", "map", "null"]
Comparison: TypeAlias = Words[
    "==", "!=", "<", "<=", ">", ">=", "in", "not in", "contains", "not contains", "mentions", "starts with", "ends with"
]
Arithmetic: TypeAlias = Words["+", "-", "*", "/", "%"]


class Placed(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    start: int = 0
    end: int = 0
    depth: int = 1

    _places: ClassVar[frozenset[str]] = frozenset(
        ("start", "end", "depth", "key_end", "name_start", "name_end", "pattern_start", "tool_end")
    )

    def _meaning(self) -> tuple[object, ...]:
        read = _READ.get(type(self))
        if read is None:
            names = (name for name in self.__struct_fields__ if name not in self._places)
            read = _READ[type(self)] = attrgetter("__class__", *names)
        values = read(self)
        # 1, 1.0 and true are equal to Python, and not the same literal.
        return (*values, *map(type, values))

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Placed) and self._meaning() == other._meaning())

    def __hash__(self) -> int:
        return hash(self._meaning())


_READ: Final[dict[type[Placed], Callable[[Placed], tuple[object, ...]]]] = {}
"""What tells the class and all that a node means: trees are compared a great many times."""


class Literal(Placed, frozen=True, eq=False):
    """A text, number, bool, duration (seconds) or null; `kind` tells `1` from `true` from `1s`."""

    kind: Kind
    value: str | float | bool | None


class Name(Placed, frozen=True, eq=False):
    """A fact, variable, named group, or `it`."""

    name: str


class ListOf(Placed, frozen=True, eq=False):
    items: tuple[Node, ...]


class Pair(Placed, frozen=True, eq=False):
    """A key and its value, in a map or among the arguments of a call."""

    key: str
    value: Node
    key_end: int = 0


class MapOf(Placed, frozen=True, eq=False):
    pairs: tuple[Pair, ...]


class Member(Placed, frozen=True, eq=False):
    """`of.name`; the name stands at `name_start`."""

    of: Node
    name: str
    name_start: int = 0


class Item(Placed, frozen=True, eq=False):
    """`of[index]`."""

    of: Node
    index: Node


class Apply(Placed, frozen=True, eq=False):
    """`function(arguments)`; the function's name begins at `start` and ends at `name_end`."""

    function: str
    arguments: tuple[Node, ...]
    name_end: int = 0


class Not(Placed, frozen=True, eq=False):
    operand: Node


class Negative(Placed, frozen=True, eq=False):
    operand: Node


class Joined(Placed, frozen=True, eq=False):
    """Two or more operands of `and` or of `or`."""

    word: Words["and", "or"]
    operands: tuple[Node, ...]


class Compare(Placed, frozen=True, eq=False):
    operator: Comparison
    left: Node
    right: Node


class Calculate(Placed, frozen=True, eq=False):
    operator: Arithmetic
    left: Node
    right: Node


class Matches(Placed, frozen=True, eq=False):
    """`left matches /pattern/flags`; the pattern's text begins at `pattern_start`."""

    left: Node
    pattern: str
    flags: str
    pattern_start: int = 0


class IsType(Placed, frozen=True, eq=False):
    operand: Node
    type: Kind


class Exists(Placed, frozen=True, eq=False):
    operand: Node


Node: TypeAlias = (
    Literal
    | Name
    | ListOf
    | MapOf
    | Member
    | Item
    | Apply
    | Not
    | Negative
    | Joined
    | Compare
    | Calculate
    | Matches
    | IsType
    | Exists
)


class ToolCall(Placed, frozen=True, eq=False):
    """`tool(argument: value, …)`."""

    tool: str
    arguments: tuple[Pair, ...]
    tool_end: int = 0


class Trouble(msgspec.Struct, frozen=True):
    """Why a text is no expression: offsets in it, one sentence, and what would be right.

    Attributes:
        instead: what to write there; from `start` to `end`, or from `since`.
        sure: nothing else can have been meant.
    """

    start: int
    end: int
    message: str
    help: str | None = None
    code: str = "LP120"
    instead: str | None = None
    sure: bool = False
    since: int | None = None
