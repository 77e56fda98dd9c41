"""What must stand in a request for a condition to be true, where that can be read off its tree.

It only ever errs on one side: a condition that holds has one of its needs met, so who looks for the needs of many
conditions at once has to try only those that he finds.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from llmposter_dsl.expressions.literals import required
from llmposter_dsl.expressions.syntax import Apply, Compare, Joined, ListOf, Literal, Matches, Name, Node
from llmposter_dsl.program import Need, NeedKind

FACTS: Final = frozenset(("user", "system", "assistant", "model", "last", "path", "provider"))
"""Facts that are text, whatever was asked."""
_MOST: Final = 64
"""Needs of one condition; with more of them it is cheaper to try it."""
_TELLING: Final = {"user": 2, "system": 2, "assistant": 2, "model": 1}
_FOUND: Final[dict[str, NeedKind]] = {"mentions": "folded", "starts with": "holds", "ends with": "holds"}


def needs(node: Node) -> tuple[Need, ...]:
    """One of these is met whenever *node* holds; none where nothing is known."""
    match node:
        case Joined(word="and", operands=operands):
            return max(map(needs, operands), key=_worth)
        case Joined(word="or", operands=operands):
            return _any_of(map(needs, operands))
        case Compare(operator="==", left=left, right=right):
            return _compared(left, right, "is") or _compared(right, left, "is")
        case Compare(operator="in", left=left, right=ListOf(items=items)):
            return _any_of(_compared(left, item, "is") for item in items)
        case Compare(operator="in", left=left, right=right):
            return _compared(right, left, "holds")
        case Compare(operator="contains", left=left, right=right):
            return _compared(left, right, "holds")
        case Compare(operator=operator, left=left, right=right) if operator in _FOUND:
            return _compared(left, right, _FOUND[operator])
        case Matches(left=Name(name=fact), pattern=pattern, flags=flags) if fact in FACTS:
            fold = "i" in flags
            return _bounded(_need(fact, literal, "folded" if fold else "holds") for literal in required(pattern, fold))
        case _:
            return ()


def _compared(fact: Node, other: Node, kind: NeedKind) -> tuple[Need, ...]:
    if not isinstance(other, Literal) or not isinstance(other.value, str) or other.kind != "text":
        return ()
    match fact:
        case Name(name=name) if name in FACTS:
            return _bounded((_need(name, other.value, kind),))
        case Apply(function="lower", arguments=(Name(name=name),)) if name in FACTS:
            # Case folding undoes what lower case does, so that what stands in the one, folded, stands in the other.
            return _bounded((_need(name, other.value, "folded"),))
        case _:
            return ()


def _need(fact: str, text: str, kind: NeedKind) -> Need:
    return Need(fact, text.casefold().strip() if kind == "folded" else text, kind)


def _any_of(found: Iterable[tuple[Need, ...]]) -> tuple[Need, ...]:
    """One of each has to be met; where one of them is not known, none is."""
    each = list(found)
    return _bounded(need for one in each for need in one) if all(each) else ()


def _bounded(found: Iterable[Need]) -> tuple[Need, ...]:
    made = tuple(dict.fromkeys(found))
    usable = len(made) <= _MOST and all(need.kind == "is" or need.text for need in made)
    return made if usable else ()


def _worth(found: tuple[Need, ...]) -> tuple[int, bool, int, int]:
    """How few requests will meet it: what was said tells most, then equality, then the longest text, of the fewest."""
    if not found:
        return -1, False, 0, 0
    telling = min(_TELLING.get(need.fact, 0) for need in found)
    return telling, all(need.kind == "is" for need in found), min(len(need.text) for need in found), -len(found)
