"""The tree of an expression. Two trees are equal if they mean the same, wherever they stand.

`start` and `end` are offsets in the text that was parsed, brackets around the node included; `depth` is the height of
the tree, kept so that no later stage can run out of stack.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal as Words
from typing import TypeAlias

Kind: TypeAlias = Words["text", "number", "bool", "duration", "list", "map", "null"]
Comparison: TypeAlias = Words[
    "==", "!=", "<", "<=", ">", ">=", "in", "not in", "contains", "not contains", "mentions", "starts with", "ends with"
]
Arithmetic: TypeAlias = Words["+", "-", "*", "/", "%"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Placed:
    start: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)
    depth: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Literal(_Placed):
    """A text, number, bool, duration (seconds) or null; `kind` tells `1` from `true` from `1s`."""

    kind: Kind
    value: str | float | bool | None


@dataclass(frozen=True, slots=True)
class Name(_Placed):
    """A fact, variable, named group, or `it`."""

    name: str


@dataclass(frozen=True, slots=True)
class ListOf(_Placed):
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Pair(_Placed):
    """A key and its value, in a map or among the arguments of a call."""

    key: str
    value: Node
    key_end: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class MapOf(_Placed):
    pairs: tuple[Pair, ...]


@dataclass(frozen=True, slots=True)
class Member(_Placed):
    """`of.name`; the name stands at `name_start`."""

    of: Node
    name: str
    name_start: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Item(_Placed):
    """`of[index]`."""

    of: Node
    index: Node


@dataclass(frozen=True, slots=True)
class Apply(_Placed):
    """`function(arguments)`; the function's name begins at `start` and ends at `name_end`."""

    function: str
    arguments: tuple[Node, ...]
    name_end: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Not(_Placed):
    operand: Node


@dataclass(frozen=True, slots=True)
class Negative(_Placed):
    operand: Node


@dataclass(frozen=True, slots=True)
class Joined(_Placed):
    """Two or more operands of `and` or of `or`."""

    word: Words["and", "or"]
    operands: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Compare(_Placed):
    operator: Comparison
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Calculate(_Placed):
    operator: Arithmetic
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Matches(_Placed):
    """`left matches /pattern/flags`; the pattern's text begins at `pattern_start`."""

    left: Node
    pattern: str
    flags: str
    pattern_start: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class IsType(_Placed):
    operand: Node
    type: Kind


@dataclass(frozen=True, slots=True)
class Exists(_Placed):
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


@dataclass(frozen=True, slots=True)
class ToolCall(_Placed):
    """`tool(argument: value, …)`."""

    tool: str
    arguments: tuple[Pair, ...]
    tool_end: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a text is no expression: offsets in it, one sentence, and what would be right."""

    start: int
    end: int
    message: str
    help: str | None = None
    code: str = "LP120"
