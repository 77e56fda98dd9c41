"""Text to tree: the only module that asks Lark for expressions.

Lark is imported when the first expression is read, its tables are made once in a process, and equal texts share one
tree. Nothing here recurses, so that no text can exhaust the stack.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING, Literal

from llmposter_dsl.expressions.syntax import Node, ToolCall, Trouble

if TYPE_CHECKING:
    from lark import Lark
    from lark.exceptions import UnexpectedInput

LONGEST = 64 * 1024
"""Code points that one expression may have."""

DEEPEST = 100
"""Operators, brackets and attributes that may stand inside each other, so that Python's compiler keeps its stack."""

Start = Literal["start", "tool_call"]


@lru_cache(maxsize=4096)
def parse(text: str, start: Start = "start") -> Node | ToolCall | Trouble:
    """The tree of *text*, or why it is none."""
    from llmposter_dsl.expressions.build import Refused

    if len(text) > LONGEST:
        return Trouble(0, len(text), f"an expression of {len(text)} characters is too long: {LONGEST} are allowed")
    from lark.exceptions import UnexpectedInput

    try:
        tree: Node | ToolCall = _parser().parse(text, start=start)  # type: ignore[assignment]
    except UnexpectedInput as error:
        return _explain(text, error, start)
    except Refused as refused:
        return refused.trouble
    if tree.depth > DEEPEST:
        return Trouble(0, len(text), f"an expression is nested too deeply: {DEEPEST} levels are allowed")
    return tree


@cache
def _parser() -> Lark:
    from lark import Lark

    from llmposter_dsl.expressions.build import Build
    from llmposter_grammar import text

    return Lark(
        text("expression.lark"),
        parser="lalr",
        maybe_placeholders=False,
        start=["start", "tool_call"],
        transformer=Build(),
    )


def _explain(text: str, error: UnexpectedInput, start: Start) -> Trouble:
    from lark.exceptions import UnexpectedToken

    from llmposter_dsl.expressions.trouble import explain

    where: int | None = error.pos_in_stream
    accepted: frozenset[str] = frozenset(getattr(error, "allowed", None) or ())
    if isinstance(error, UnexpectedToken):
        accepted = frozenset(error.accepts or error.expected)
        where = None if error.token.type == "$END" else where
    return explain(text, len(text) if where is None else where, accepted, is_call=start == "tool_call")
