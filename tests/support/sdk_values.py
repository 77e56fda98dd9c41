"""JSON of any shape that a type of an SDK allows: its typed dictionaries, its pydantic models, and what is in them."""

from __future__ import annotations

import base64
import collections.abc
import types
from enum import Enum
from functools import cache
from typing import Annotated, Any, Literal, NotRequired, Required, Union, get_args, get_origin

import typing_extensions
from hypothesis import strategies as st
from pydantic import BaseModel

TEXT = st.text(max_size=6)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXT, inner, max_size=2),
    max_leaves=4,
)
PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    str: TEXT,
    int: st.integers(-3, 10**6),
    float: st.floats(0, 2),
    bool: st.booleans(),
    type(None): st.none(),
    bytes: st.binary(max_size=6).map(lambda data: base64.b64encode(data).decode()),
}
NEEDED = (Required, typing_extensions.Required)
WRAPPED = (*NEEDED, Annotated, NotRequired, typing_extensions.NotRequired)


@cache
def values(kind: Any) -> st.SearchStrategy[Any]:
    """Values of this type, as they stand in a request."""
    return st.deferred(lambda: _values(kind))


def _values(kind: Any) -> st.SearchStrategy[Any]:
    origin, inner = get_origin(kind), get_args(kind)
    if kind in PLAIN:
        return PLAIN[kind]
    if origin in WRAPPED:
        return values(inner[0])
    if origin is Literal:
        return st.sampled_from(inner)
    if origin in (Union, types.UnionType):
        return st.one_of(*map(values, inner))
    if typing_extensions.is_typeddict(kind):
        hints = typing_extensions.get_type_hints(kind, include_extras=True)
        # Under `from __future__ import annotations` a typed dictionary does not know its own Required.
        marked = {name for name, hint in hints.items() if get_origin(hint) in NEEDED}
        return _dictionaries(hints, marked | kind.__required_keys__)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        fields = {field.alias or name: field for name, field in kind.model_fields.items()}
        needed = {name for name, field in fields.items() if field.is_required()}
        return _dictionaries({name: field.annotation for name, field in fields.items()}, needed)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return st.sampled_from([each.value for each in kind])
    if isinstance(origin, type) and issubclass(origin, collections.abc.Mapping):
        return st.dictionaries(TEXT, values(inner[1]), max_size=2)
    if isinstance(origin, type) and issubclass(origin, collections.abc.Iterable):
        return st.lists(values(inner[0]), max_size=2)
    # What the SDK itself makes JSON of: files, dates, anything.
    return JSON


def _dictionaries(fields: dict[str, Any], needed: collections.abc.Collection[str]) -> st.SearchStrategy[Any]:
    """The needed fields and a few of the others: most requests have few."""
    required = {name: values(kind) for name, kind in fields.items() if name in needed}
    others = {name: values(kind) for name, kind in fields.items() if name not in needed}
    if not others:
        return st.fixed_dictionaries(required)
    some = st.lists(st.sampled_from(sorted(others)), max_size=3, unique=True)
    return some.flatmap(lambda names: st.fixed_dictionaries({**required, **{name: others[name] for name in names}}))
