"""What examples cover: states, rules, and each part of a condition as a server asks it."""

from __future__ import annotations

import pytest

from llmposter import lint
from llmposter.lint.branches import leaves
from llmposter.lint.coverage import Coverage, coverage, data, total
from llmposter.lint.telling import Told, text
from llmposter_dsl import compile_text
from llmposter_dsl.program import Program

CONDITION = "[[states.a]]\nwhen = '''{}'''\nreply = 'yes'\n[[states.a]]\nreply = 'no'\n[[examples]]\nturns = [{}]"
A, B = 'user contains "a"', 'user contains "b"'


def compiled(scenario: str) -> Program:
    program = compile_text(scenario).program
    assert program is not None
    return program


def covered(program: Program) -> Coverage:
    return coverage(program, lint.play(program, ["openai"], branches=True), branches=True)


def counts(scenario: str) -> dict[str, tuple[int, int]]:
    rule = covered(compiled(scenario)).rules[0]
    return {each.text: (each.true, each.false) for each in rule.branches}


@pytest.mark.parametrize(
    "condition, said, expected",
    [
        (A, "a", {A: (1, 0)}),
        (A, "x", {A: (0, 1)}),
        (f"{A} and {B}", "x", {A: (0, 1), B: (0, 0)}),
        (f"{A} and {B}", "a", {A: (1, 0), B: (0, 1)}),
        (f"{A} and {B}", "ab", {A: (1, 0), B: (1, 0)}),
        (f"{A} or {B}", "a", {A: (1, 0), B: (0, 0)}),
        (f"{A} or {B}", "b", {A: (0, 1), B: (1, 0)}),
        (f"not ({A} or {B})", "b", {A: (0, 1), B: (1, 0)}),
        (f"not {A} and {B}", "b", {A: (0, 1), B: (1, 0)}),
        (f"false or not {A}", "a", {A: (1, 0)}),
        ("any(words(user), it == 'a' or it == 'b')", "a", {"any(words(user), it == 'a' or it == 'b')": (1, 0)}),
    ],
)
def test_a_part_of_a_condition_counts_where_it_is_asked(
    condition: str, said: str, expected: dict[str, tuple[int, int]]
) -> None:
    """What `and` and `or` need not ask counts as neither; a `not` counts as its operand; a literal is no part."""
    assert expected == counts(CONDITION.format(condition, f"{{ user = '{said}' }}"))


def test_rules_count_where_they_are_tried_and_fire() -> None:
    """A rule behind the one that fires, and one that is used up, are not asked; those passed on to are."""
    program = compiled("""
[[always]]
name = "stop"
when = 'user == "stop"'
reply = "stopped"
[[states.a]]
name = "once"
when = 'attempt > 0'
times = 1
reply = "once"
[[states.a]]
name = "on"
when = 'user == "on"'
goto = "b"
[[states.a]]
name = "rest"
when = 'user != ""'
reply = "rest"
[[states.b]]
name = "there"
when = 'visits == 1'
reply = "there"
[[examples]]
turns = [{ user = "x" }, { user = "y" }, { user = "on", state = "b" }]
""")
    found = covered(program)
    assert {
        "stop": (0, 4),  # three requests, one of them in two states
        "once": (1, 0),
        "on": (1, 1),
        "rest": (1, 0),
        "there": (1, 0),
    } == {each.rule.name: (each.branches[0].true, each.branches[0].false) for each in found.rules}
    fired = {each.rule.name: dict(each.fired) for each in found.rules}
    assert {"stop": {}, "once": {"a": 1}, "on": {"a": 1}, "rest": {"a": 1}, "there": {"b": 1}} == fired
    assert {"a": 3, "b": 1} == {state.name: state.requests for state in found.states}
    assert {"states": "2/2", "rules": "4/5", "branches": "6/10"} == {k: str(v) for k, v in found.shares().items()}
    assert (12, 17) == total([found])


def test_what_moves_nothing_is_not_counted() -> None:
    """A request that is not let in asks no rule, and neither does one that gets its answer again."""
    program = compiled("""
[auth]
tokens = [{ name = "t", value = "t" }]
[[states.a]]
when = 'user == "x"'
reply = "y"
[[examples]]
turns = [
  { user = "x", request = { headers = { authorization = "Bearer no" } }, expect = "error exists" },
  { user = "x", request = { headers = {} } },
  { retry = true },
]
""")
    (rule,) = covered(program).rules
    assert ({"a": 1}, 1, 0) == (dict(rule.fired), rule.branches[0].true, rule.branches[0].false)


def test_the_values_of_a_condition_are_those_of_its_own_request() -> None:
    """Variables as a rule before it has set them, and attempts as the mock counts them."""
    program = compiled("""
[vars]
n = 0
[[states.a]]
set = { n = "n + 1" }
goto = "b"
[[states.b]]
name = "tries"
when = 'attempt < 3 and n == 1'
error = "overloaded"
[[states.b]]
reply = "done"
goto = "a"
[[examples]]
turns = [{ user = "x", expect = "error exists" }, { retry = true, expect = "error exists" }, { retry = true }]
""")
    rule = next(each for each in covered(program).rules if each.rule.name == "tries")
    assert [("attempt < 3", 2, 1), ("n == 1", 2, 0)] == [(each.text, each.true, each.false) for each in rule.branches]


def test_what_is_missing_is_told_with_its_place() -> None:
    """Branches of rules that fired; of others the rule alone, and of states that no example reaches the state alone."""
    program = compiled("""[[states.a]]
name = "one"
when = 'user == "x" and not (model == "m")'
reply = "no"
[[states.a]]
name = "two"
when = 'user == "y"'
goto = "b"
[[states.b]]
when = 'user == "z"'
reply = "yes"
[[examples]]
turns = [{ user = "x" }]
""")
    results = lint.play(program, branches=True)
    assert [
        "scenario (scenario.toml)",
        '  passed  example "example 1"',
        "  states 1/2, rules 1/3, branches 2/8",
        '      state "b" is not covered (scenario.toml:9:10)',
        '      user == "x" was never false (scenario.toml:3:9)',
        '      (model == "m") was never true (scenario.toml:3:29)',
        '      rule "two" is not covered (scenario.toml:5:1)',
    ] == text(Told(program, results, branches=True))


def test_coverage_is_data() -> None:
    """With places of all, and counts over all formats."""
    program = compiled(CONDITION.format(A, '{ user = "a" }'))
    found = data(coverage(program, lint.play(program, branches=True), branches=True))
    here = {"file": "scenario.toml", "line": 1, "column": 1}
    formats = 4
    assert {
        "scenario": "scenario",
        "file": "scenario.toml",
        "totals": {
            "states": {"covered": 1, "total": 1},
            "rules": {"covered": 1, "total": 2},
            "branches": {"covered": 1, "total": 2},
        },
        "states": [{"name": "a", **here, "column": 10, "requests": formats}],
        "rules": [
            {
                "name": "a#1",
                **here,
                "fired": {"a": formats},
                "branches": [{"condition": A, **here, "line": 2, "column": 8, "true": formats, "false": 0}],
            },
            {"name": "a#2", **here, "line": 4, "fired": {}, "branches": []},
        ],
    } == found


def test_a_condition_that_cannot_be_taken_apart_counts_as_one() -> None:
    """Such as those of fixture files."""
    (rule,) = compiled("[[states.a]]\nwhen = 'user == \"a\" and model == \"b\"'\nreply = ''").states["a"]
    assert 2 == len(list(leaves(rule)))
    assert rule.when is not None
    from msgspec.structs import replace

    whole = replace(rule, when=replace(rule.when, apart=None))
    assert [((), whole.when)] == list(leaves(whole))
