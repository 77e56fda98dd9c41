"""Text to tree: the only module that asks Lark for expressions.

Lark is imported when the first expression is read, its tables come ready made with the grammar if they are of this
grammar and this Lark, and equal texts share one tree. Nothing here recurses, so that no text can exhaust the stack.
`python -m llmposter_dsl.expressions.parse` makes the tables.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING, Literal

from llmposter_dsl.expressions.syntax import Node, ToolCall, Trouble

if TYPE_CHECKING:
    from lark import Lark
    from lark.exceptions import UnexpectedInput

    from llmposter_dsl.expressions.build import Build

LONGEST = 64 * 1024
"""Code points that one expression may have."""

DEEPEST = 100
"""Operators, brackets and attributes that may stand inside each other, so that Python's compiler keeps its stack."""

TABLES = "expression.tables"
"""The packaged file of Lark's tables: what they are of, then what Lark saves."""

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
    from llmposter_dsl.expressions.build import Build

    return _ready(Build()) or _made(Build())


def _made(build: Build | None) -> Lark:
    from lark import Lark

    from llmposter_grammar import text

    return Lark(
        text("expression.lark"),
        parser="lalr",
        maybe_placeholders=False,
        start=["start", "tool_call"],
        transformer=build,
    )


def _ready(build: Build) -> Lark | None:
    """The parser from the packaged tables; nothing if they are missing or of another grammar or another Lark."""
    import pickle
    from contextlib import suppress

    from lark import Lark

    from llmposter_grammar import data

    with suppress(FileNotFoundError):
        kept, head = data(TABLES), _head()
        if kept.startswith(head):
            # What Lark's own cache does; the public `Lark.load` takes no transformer. The package holds this pickle.
            return Lark.__new__(Lark)._load(pickle.loads(kept[len(head) :]), transformer=build)  # noqa: S301, SLF001
    return None


def _head() -> bytes:
    """What tables have to be of: their grammar and the exact Lark that wrote them, which may change its form."""
    from lark import __version__

    from llmposter_grammar import text

    # Lark wants "\n" as well, however the repository was checked out.
    return f"lark {__version__}\n{text('expression.lark')}\0".encode()


def tables() -> bytes:
    """What the packaged tables of this grammar and this Lark have to be."""
    from io import BytesIO

    written = BytesIO()
    _made(None).save(written)
    return _head() + written.getvalue()


def _explain(text: str, error: UnexpectedInput, start: Start) -> Trouble:
    from lark.exceptions import UnexpectedToken

    from llmposter_dsl.expressions.trouble import explain

    where: int | None = error.pos_in_stream
    accepted: frozenset[str] = frozenset(getattr(error, "allowed", None) or ())
    if isinstance(error, UnexpectedToken):
        accepted = frozenset(error.accepts or error.expected)
        where = None if error.token.type == "$END" else where
    return explain(text, len(text) if where is None else where, accepted, is_call=start == "tool_call")


if __name__ == "__main__":
    from pathlib import Path

    import llmposter_grammar

    (Path(llmposter_grammar.__path__[0]) / TABLES).write_bytes(tables())
