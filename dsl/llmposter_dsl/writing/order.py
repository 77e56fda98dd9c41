"""The order in which a person writes keys: that of the tables of `llmposter_dsl.keys`, which the reference has too.

Names that the user chose, and keys that nobody knows, stay in the order in which they came.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from llmposter_dsl import keys

DOCUMENT = (
    *("llmposter", "include", "scenario", "vars", "tools", "defaults", "auth", "limits", "chaos"),
    *("always", "states", "otherwise", "embeddings", "moderations", "examples"),
)
"""What holds for all stands above the rules, and the rules in the order in which they are tried."""


@dataclass(frozen=True, slots=True)
class _Order:
    """Of a table, or of each table of a list.

    Attributes:
        known: its keys; empty for a table whose keys are names.
        inside: the order of what is under a key; under ``*`` that of every other.
    """

    known: tuple[str, ...] = ()
    inside: Mapping[str, _Order] = field(default_factory=dict)


def _keys(known: Iterable[str], **inside: _Order) -> _Order:
    return _Order(tuple(known), inside)


_DELIVERY = {"stream": _keys(keys.STREAM), "usage": _keys(keys.USAGE)}
_ERROR = _keys(keys.ERROR)
_RULE = _keys(keys.RULE, call=_keys(keys.CALL), error=_ERROR, **_DELIVERY)
_MESSAGE = _keys(keys.MESSAGE)
_REQUEST = _keys(keys.REQUEST, tools=_keys(keys.REQUEST_TOOL))
_TURN = _keys(keys.TURN, request=_REQUEST, messages=_MESSAGE)
_WHOLE = _keys(
    DOCUMENT,
    scenario=_keys(keys.SCENARIO, unmatched=_ERROR),
    defaults=_keys(keys.DEFAULTS, **_DELIVERY),
    auth=_keys(keys.AUTH, tokens=_keys(keys.TOKEN)),
    limits=_keys(keys.LIMIT),
    chaos=_keys(keys.CHAOS, errors=_ERROR),
    always=_RULE,
    states=_Order((), {"*": _RULE}),
    otherwise=_RULE,
    embeddings=_keys(keys.EMBEDDING, error=_ERROR),
    moderations=_keys(keys.MODERATION, error=_ERROR),
    examples=_keys(keys.EXAMPLE, turns=_TURN),
)
_ANY = _Order()


def in_order(data: Mapping[str, Any]) -> dict[str, Any]:
    """The same scenario, with its keys in order."""
    ordered: dict[str, Any] = _ordered(data, _WHOLE)
    return ordered


def _ordered(value: Any, order: _Order) -> Any:
    match value:
        case Mapping():
            known = [name for name in order.known if name in value]
            names = known + [name for name in value if name not in known]
            other = order.inside.get("*", _ANY)
            return {name: _ordered(value[name], order.inside.get(name, other)) for name in names}
        case list() | tuple():
            return [_ordered(each, order) for each in value]
        case _:
            return value
