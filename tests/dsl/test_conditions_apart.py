"""A condition can be taken apart into those that it joins, each with its own value and place."""

from __future__ import annotations

import pytest
from fake_env import FakeEnv
from paper import Bench

from llmposter_dsl.program import Branch, Condition

FACTS = {"user": "weather in Paris", "attempt": 2, "model": "gpt", "vars": {}}


def holds(branch: Branch) -> bool:
    """What the operands say, put together again."""
    match branch.word:
        case "and":
            return all(map(holds, branch.operands))
        case "or":
            return any(map(holds, branch.operands))
        case "not":
            return not holds(branch.operands[0])
        case "":
            return branch.condition.holds(FakeEnv(**FACTS))


def made(text: str) -> Condition:
    condition = Bench().condition(text)
    assert condition is not None
    return condition


@pytest.mark.parametrize("text", [
    'user contains "weather"',
    'user contains "weather" and attempt == 3',
    'not (user contains "tea" or attempt > 1) and model == "gpt"',
    "not not (attempt == 2)",
    '(attempt == 1 or (attempt == 2 and not (user mentions "paris"))) or false',
])  # fmt: skip
def test_operands_say_what_the_whole_says(text: str) -> None:
    """Put together by their words, they come to the value of the whole."""
    condition = made(text)
    assert condition.apart is not None
    assert condition.holds(FakeEnv(**FACTS)) == holds(condition.apart())


def test_an_operand_stands_where_it_was_written() -> None:
    """Its text and its place are its own, brackets included."""
    condition = made('not (attempt == 3 or user contains "x")')
    assert condition.apart is not None
    whole = condition.apart()
    (inner,) = whole.operands
    assert ("not", "or") == (whole.word, inner.word)
    assert ["attempt == 3", 'user contains "x"'] == [each.condition.text for each in inner.operands]
    assert '(attempt == 3 or user contains "x")' == inner.condition.text
    assert [("attempt", 2)] == [(s.text, s.evaluate(FakeEnv(**FACTS))) for s in inner.operands[0].condition.subjects]
