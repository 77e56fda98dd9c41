"""What a request must change for a condition to hold, in words of the language.

Every sentence is about one operand; where one of several would do, they are joined by "or".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from llmposter.core import explain
from llmposter_dsl.expressions.syntax import Apply, Compare, Exists, IsType, Literal, Matches, Node

if TYPE_CHECKING:
    from llmposter.core.facts import Facts
    from llmposter_dsl.program import Branch

_VERBS: Final = {
    "==": ("be", "be anything but"),
    "!=": ("be anything but", "be"),
    "<": ("be below", "be at least"),
    "<=": ("be at most", "be above"),
    ">": ("be above", "be at most"),
    ">=": ("be at least", "be below"),
    "in": ("be one of", "be none of"),
    "not in": ("be none of", "be one of"),
    "contains": ("contain", "not contain"),
    "not contains": ("not contain", "contain"),
    "mentions": ("mention", "not mention"),
    "starts with": ("start with", "not start with"),
    "ends with": ("end with", "not end with"),
}
"""What a comparison wants of its left side, and what its opposite does."""


def changes(branch: Branch, facts: Facts, wanted: bool = True) -> tuple[str, ...]:  # noqa: FBT001, FBT002 - it flips
    """What must be otherwise for *branch* to come out as *wanted*; nothing where it does already."""
    if branch.condition.holds(facts) == wanted:
        return ()
    if branch.word == "not":
        return changes(branch.operands[0], facts, not wanted)
    if not branch.word:
        return (_leaf(branch, facts, wanted=wanted),)
    each = [found for one in branch.operands if (found := changes(one, facts, wanted))]
    if (branch.word == "and") == wanted:
        return tuple(dict.fromkeys(sentence for found in each for sentence in found))
    return (" or ".join(dict.fromkeys(" and ".join(found) for found in each)),)


def _leaf(branch: Branch, facts: Facts, *, wanted: bool) -> str:
    node, whole = branch.node, branch.condition.text
    values = {one.text: explain.shown(one.evaluate(facts), facts) for one in branch.condition.subjects}
    said = _wish(node, branch, values, wanted=wanted)
    if said is None:
        said = f"`{whole}` must be {'true' if wanted else 'false'}"
    have = ", ".join(f"{text} is {value}" for text, value in values.items() if value != "null")
    return f"{said} ({have})" if have else said


def _wish(node: Node, branch: Branch, values: dict[str, str], *, wanted: bool) -> str | None:
    """For a comparison what its left side must be."""
    match node:
        case Compare(operator=operator, left=left, right=right) if not isinstance(left, Literal):
            wish, value = _VERBS[operator][not wanted], _text(branch, right)
            return f"{_text(branch, left)} must {wish} {values.get(value, value)}"
        case Matches(left=left, pattern=pattern, flags=flags):
            return f"{_text(branch, left)} must {'' if wanted else 'not '}match /{pattern}/{flags}"
        case Exists(operand=operand):
            return f"there must be {'a' if wanted else 'no'} {_text(branch, operand)}"
        case IsType(operand=operand, type=kind):
            return f"{_text(branch, operand)} must be {'a' if wanted else 'no'} {kind}"
        case Apply(function="chance"):
            return "chance must fall otherwise: a retry draws anew"
        case _:
            return None


def _text(branch: Branch, node: Node) -> str:
    """A node below that of *branch*, as it was written."""
    text = branch.condition.text
    return text[node.start - branch.node.start : node.end - branch.node.start]
