"""What the reference says of expressions is what they do."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest
from fake_env import FakeEnv
from lark import Lark, logger
from paper import Bench

import llmposter_grammar
from llmposter_dsl import reference
from llmposter_dsl.expressions.functions import FUNCTIONS
from llmposter_dsl.expressions.operations import text as written
from llmposter_dsl.facts import ANSWER, INPUT, REQUEST, RULE

PAGE = Path(__file__).parents[2].joinpath("docs/language/expressions.md").read_text("utf-8")
_ROWS = PAGE.split("| expression | value |")[1].split("\n\n")[0].splitlines()[2:]
EXAMPLES = [
    tuple(cell.strip().removeprefix("`").removesuffix("`") for cell in row.strip("|").split(" | ")) for row in _ROWS
]


@pytest.mark.parametrize("text, value", EXAMPLES)
def test_examples(text, value):
    """Each example of the page has the value that stands beside it."""
    bench = Bench()
    made = bench.value(text)
    if value == "error":
        assert made is None
        return
    found = made.evaluate(FakeEnv())
    shown = json.dumps(found, separators=(",", ":")) if isinstance(found, (str, list)) else written(found) or "null"
    assert shown == value


def test_operators_are_current():
    """The table of operators in the page is the one that the code holds."""
    assert reference.operators() in PAGE


def test_tables_are_whole():
    """Every fact and every function stands in the tables of the reference, once for each place that has it."""
    facts = reference.facts()
    for name in RULE.facts:
        assert facts.count(f"\n| `{name}` |") == 1 + (name in ANSWER.facts) + (name in INPUT.facts)
    for name in (*ANSWER.facts, *INPUT.facts):
        assert f"| `{name}` |" in facts
    assert [row.split("`")[1].split("(")[0] for row in reference.functions().splitlines()[2:]] == list(FUNCTIONS)


def test_functions_are_known_somewhere():
    """Every function stands in some vocabulary, and every vocabulary names known functions only."""
    assert REQUEST.functions | RULE.functions | ANSWER.functions == FUNCTIONS.keys()


def test_functions_are_compiled():
    """Every function that is not answered by the engine has an operation."""
    from llmposter_dsl.expressions import operations

    engine = {"result_of", "call_of", "fired", "uuid", "now"}
    assert all(hasattr(operations, each.operation) or each.operation in engine for each in FUNCTIONS.values())


def test_grammar_has_no_conflicts(caplog):
    """The grammar is LALR(1) as it stands: the parser never had to choose between shift and reduce."""
    logger.setLevel(logging.DEBUG)
    try:
        with caplog.at_level(logging.DEBUG, logger="lark"):
            Lark(llmposter_grammar.text("expression.lark"), parser="lalr", start=["start", "tool_call"], debug=True)
    finally:
        logger.setLevel(logging.CRITICAL)
    assert [record.message for record in caplog.records if "onflict" in record.message] == []


def test_importing_is_light():
    """Neither Lark nor RE2 nor JSONPath is loaded before an expression is read."""
    import subprocess
    import sys

    late = "('lark', 're2', 'jsonpath_rfc9535')"
    code = f"import sys, llmposter_dsl.expressions; print([name for name in {late} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
