"""The types of the language, and the maps whose keys ignore case.

A type says what a value may be when the file is checked; `null` may stand in for a value wherever `maybe` is true.
Only values whose type is not `maybe` are certain at run time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

from llmposter_dsl.program import Duration, Value

Kind: TypeAlias = Literal["text", "number", "bool", "duration", "list", "map", "null", "json"]


@dataclass(frozen=True, slots=True)
class Type:
    """What a value may be.

    Attributes:
        kind: as `is TYPE` spells it, or ``json`` for what only the request knows.
        maybe: it may be null, or (a variable, a parameter) another thing than it says.
        item: of the items of a list, or of the values of a map whose keys are free; None stands for json.
        fields: the only keys that a map can have; None where they are free.
    """

    kind: Kind
    maybe: bool = False
    item: Type | None = None
    fields: Mapping[str, Type] | None = None

    def __str__(self) -> str:
        return "json value" if self.kind == "json" else self.kind

    @property
    def items(self) -> Type:
        """The type of an item that is there."""
        return self.item or JSON

    def optional(self) -> Type:
        """The same, and null."""
        return self if self.maybe else replace(self, maybe=True)


TEXT = Type("text")
NUMBER = Type("number")
BOOL = Type("bool")
DURATION = Type("duration")
NULL = Type("null", maybe=True)
JSON = Type("json", maybe=True)
LIST = Type("list")
MAP = Type("map")


def list_of(item: Type) -> Type:
    """A list of such items."""
    return Type("list", item=item)


def map_of(item: Type) -> Type:
    """A map with free keys and such values."""
    return Type("map", item=item)


def record(**fields: Type) -> Type:
    """A map that has these keys and no others."""
    return Type("map", fields=fields)


def kind_of(value: Value) -> Kind:
    """The kind of a plain value: what `is TYPE` asks."""
    match value:
        case None:
            return "null"
        case bool():
            return "bool"
        case str():
            return "text"
        case Duration():
            return "duration"
        case int() | float():
            return "number"
        case dict():
            return "map"
        case _:
            return "list"


def of(value: Value) -> Type:
    """The type that a first value gives to its variable: null gives json, lists and maps are free inside."""
    kind = kind_of(value)
    return JSON if kind == "null" else Type(kind)


def join(left: Type, right: Type) -> Type:
    """The narrowest type that both belong to."""
    if left == right:
        return left
    if left.kind == "null":
        return right.optional()
    if right.kind == "null":
        return left.optional()
    if left.kind != right.kind:
        return JSON
    if left.fields == right.fields and left.item == right.item:
        return left.optional()
    return Type(left.kind, maybe=left.maybe or right.maybe)


class Headers(dict[str, Any]):
    """A map whose keys ignore case when they are looked up; they are kept in lower case."""

    __slots__ = ()

    def __init__(self, items: Mapping[str, Any] | None = None) -> None:
        super().__init__((key.lower(), value) for key, value in (items or {}).items())

    def __getitem__(self, key: str) -> Any:
        return super().__getitem__(key.lower())

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and super().__contains__(key.lower())

    def get(self, key: str, default: Any = None) -> Any:
        """The value of a key in any case, or *default*."""
        return super().get(key.lower(), default)
