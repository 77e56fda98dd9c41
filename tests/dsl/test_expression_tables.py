"""The packaged tables are those of the packaged grammar, and nothing but the time to start hangs on them."""

from __future__ import annotations

import importlib
from collections.abc import Iterator

import pytest
from lark import Lark

import llmposter_grammar
from llmposter_dsl.expressions.build import Build

# The package names its function of the same name.
parsing = importlib.import_module("llmposter_dsl.expressions.parse")

TEXTS = (
    'user contains "a" and not (turn > 2 or model in ["x", "y"])',
    "1 + 2 * -3 == vars.count",
    'tools.any(it.name matches /^get_/i) ? "yes" : "no"',
    "user contains",
    '"open',
    "a..b",
    "",
)


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    yield
    parsing._parser.cache_clear()
    parsing.parse.cache_clear()


def test_the_packaged_tables_are_of_the_packaged_grammar() -> None:
    """`python -m llmposter_dsl.expressions.parse` was run after the last change of the grammar, and names its Lark."""
    name, _, rest = llmposter_grammar.data(parsing.TABLES).partition(b"\n")
    grammar, _, _ = rest.partition(b"\0")
    assert (b"lark ", llmposter_grammar.text("expression.lark").encode()) == (name[:5], grammar)


def test_tables_that_fit_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """With tables of this grammar and this Lark no grammar is read."""
    made = parsing.tables()
    monkeypatch.setattr(llmposter_grammar, "data", one_file(made))
    assert isinstance(parsing._ready(Build()), Lark)


@pytest.mark.parametrize("text", TEXTS)
def test_trees_and_troubles_are_the_same_with_tables_and_without(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A text gives the same tree, or the same trouble, whichever way its parser was made."""
    made = parsing.tables()
    monkeypatch.setattr(llmposter_grammar, "data", one_file(made))
    expected = parsing.parse(text)
    parsing._parser.cache_clear()
    parsing.parse.cache_clear()
    monkeypatch.setattr(llmposter_grammar, "data", one_file(b""))
    assert expected == parsing.parse(text)


@pytest.mark.parametrize("found", [b"", b"lark 0.1\n", b"\x80\x05", None])
def test_tables_that_do_not_fit_are_left_alone(found: bytes | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables of another Lark, broken ones and missing ones make it read the grammar."""
    monkeypatch.setattr(llmposter_grammar, "data", one_file(found))
    assert parsing._ready(Build()) is None
    assert parsing.parse("1 + 1") == parsing.parse("1 + 1")


def one_file(tables: bytes | None):
    """`data` with other tables."""
    true = llmposter_grammar.data

    def data(name: str) -> bytes:
        if name != parsing.TABLES:
            return true(name)
        if tables is None:
            raise FileNotFoundError(name)
        return tables

    return data
