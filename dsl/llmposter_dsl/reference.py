"""The tables of the reference as Markdown, made from the tables that the checker and the compiler read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from llmposter_dsl.facts import ANSWER_FACTS, CONVERSATION_FACTS, INPUT_FACTS, REQUEST_FACTS, Fact
from llmposter_dsl.types import Type


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [heads, tuple("---" for _ in heads), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


def type_words(of: Type) -> str:
    """``list of maps``; the members of a map are told by `members`."""
    name: str = of.kind
    if of.kind == "list" and of.item is not None and of.item.kind != "json":
        name = f"list of {of.item.kind}s"
    if of.kind == "map" and of.item is not None and of.item.kind != "json":
        name = f"map of {of.item.kind}s"
    return f"{name} or null" if of.maybe and of.kind != "json" else name


def members(of: Type) -> str:
    fields = of.fields if of.kind == "map" else of.items.fields
    return f" Each has {' '.join(f'`.{name}`' for name in fields)}." if fields and of.kind == "list" else _own(fields)


def _own(fields: Mapping[str, Type] | None) -> str:
    return f" It has {' '.join(f'`.{name}`' for name in fields)}." if fields else ""


def _facts(table: Mapping[str, Fact]) -> str:
    rows = ((f"`{fact.name}`", type_words(fact.type), fact.meaning + members(fact.type)) for fact in table.values())
    return _table(("name", "type", "meaning"), rows)


def facts() -> str:
    """The facts of the request, of the conversation, of an input and of an example's answer, each under its heading."""
    parts = (
        ("Facts of the request", REQUEST_FACTS),
        ("Facts of the conversation", CONVERSATION_FACTS),
        ("Facts of an input, in the rules of `embeddings` and `moderations`", INPUT_FACTS),
        ("Facts of the answer, in the `expect` of an example", ANSWER_FACTS),
    )
    return "\n".join(f"## {title}\n\n{_facts(table)}" for title, table in parts)


def functions() -> str:
    """The functions with what they take, give and mean."""
    from llmposter_dsl.expressions.functions import FUNCTIONS

    rows = ((f"`{each.signature}`", type_words(each.result), each.meaning) for each in FUNCTIONS.values())
    return _table(("function", "type", "meaning"), rows)


def operators() -> str:
    """The operators, loosest first."""
    from llmposter_dsl.expressions.operators import OPERATORS

    return _table(("operator", "meaning"), OPERATORS)
