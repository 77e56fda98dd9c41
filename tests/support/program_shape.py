"""The shape of a Program as plain data: everything that it means, nothing of where it was written."""

from __future__ import annotations

from typing import Any

import msgspec

from llmposter_dsl.place import At, Within
from llmposter_dsl.program import Condition, Data, Expression, Template


def shape(value: Any) -> Any:
    """Two programs of the same shape answer alike. Lists keep their order, and so do the states."""
    match value:
        case Condition():
            return ["condition", value.text, value.volatile, value.groups]
        case Expression():
            return ["expression", value.text, value.type, value.volatile]
        case Template():
            return ["template", [shape(piece) for piece in value.pieces], value.constant]
        case Data():
            return ["data", written(value.place), value.constant, value.type, value.volatile]
        case At() | Within():
            return None
        case dict():
            return ["map", [[key, shape(each)] for key, each in value.items()]]
        case frozenset():
            return sorted(value)
        case list() | tuple():
            return [shape(each) for each in value]
        case msgspec.Struct():
            return [type(value).__name__, {name: shape(each) for name, each in msgspec.structs.asdict(value).items()}]
        case _:
            return [type(value).__name__, value]


def written(place: Any) -> Any:
    """What stands at a place: data, or the stretch of a text."""
    value = place.document.lookup(place.path)
    return shape(value if place.inner is None else value[slice(*place.inner)])
