"""What is wrong with an expression is told at its exact place, in the user's own words."""

from __future__ import annotations

from pathlib import Path

import pytest
from paper import Bench

from llmposter_dsl import facts
from llmposter_dsl.expressions import condition
from llmposter_dsl.expressions.parse import LONGEST

CASES = Path(__file__).with_name("expressions.err").read_text("utf-8").strip().split("\n\n")
"""An expression each; below it, for every finding, carets under the stretch, code and message, and the help."""


def _picture(bench: Bench, text: str) -> str:
    lines = [text]
    for found in bench.found:
        span = found.place.span
        lines += [" " * span.start + "^" * (span.end - span.start), f"{found.code} {found.message}"]
        lines += [f"help: {found.help}"] if found.help else []
    return "\n".join(lines)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.split("\n")[0][:40])
def test_faulty(case):
    """A faulty expression gives these findings and no condition."""
    text = case.split("\n")[0]
    bench = Bench(tools={"get": {}}, rules=frozenset({"greet"}))
    assert bench.condition(text) is None
    assert _picture(bench, text) == case


EATEN = "the file's own escape ate the backslash"
LINES = [
    ("", "LP120", "", "an expression is missing here"),
    (" \n ", "LP120", " \n ", "an expression is missing here"),
    ("user ==\n  'a' and\n  usr == 'b'", "LP202", "usr", "unknown name `usr`"),
    ("user contains 'a'\nattempt == 1", "LP120", "attempt", "found `attempt`, expected `and`, `or` or the end"),
    ("user == 'a\nb", "LP120", "'a\nb", "the text `'a b` is not closed"),
    ("user matches /\bfoo/", "LP122", "\b", f"a control character, `\\b`, stands in a regular expression: {EATEN}"),
    ("user matches /a\tb/", "LP122", "\t", f"a control character, `\\t`, stands in a regular expression: {EATEN}"),
    ("user matches /a\nb/", "LP122", "\n", f"a control character, `\\n`, stands in a regular expression: {EATEN}"),
    ("user matches /a\x7fb/", "LP122", "\x7f", f"a control character, U+007F, stands in a regular expression: {EATEN}"),
]


@pytest.mark.parametrize("text, code, stretch, message", LINES)
def test_lines_and_control_characters(text, code, stretch, message):
    """Places hold across lines, and characters that no caret can show are named."""
    bench = Bench()
    assert bench.condition(text) is None
    assert [(code, stretch, message)] == [told[:3] for told in bench.told()]


HUGE = [
    ("(" * 10_000 + "1" + ")" * 10_000, "an expression is nested too deeply: 100 levels are allowed"),
    ("[" * 10_000 + "]" * 10_000, "an expression is nested too deeply: 100 levels are allowed"),
    ("not " * 10_000 + "stream", "an expression is nested too deeply: 100 levels are allowed"),
    ("-" * 10_000 + "1", "an expression is nested too deeply: 100 levels are allowed"),
    ("1" + " + 1" * 10_000, "an expression is nested too deeply: 100 levels are allowed"),
    ("body" + ".a" * 10_000, "an expression is nested too deeply: 100 levels are allowed"),
    ("(" * 10_000, "`(` is not closed: expected `)`"),
    ("'" + "a" * LONGEST + "'", f"an expression of {LONGEST + 2} characters is too long: {LONGEST} are allowed"),
    ("1" * 10_000, "a number is too large"),
]


@pytest.mark.parametrize("text, message", HUGE, ids=[text[:10] for text, _ in HUGE])
def test_huge_expressions(text, message):
    """However deep or long a text is, it gets a syntax error, soon."""
    bench = Bench()
    assert bench.condition(text) is None
    assert [("LP120", message)] == [(told[0], told[2]) for told in bench.told()]


def test_wide_expressions():
    """What is long without being deep is an expression."""
    bench = Bench()
    made = bench.condition(" or ".join(f"user == 'word{number}'" for number in range(2000)))
    assert bench.told() == []
    assert len(made.subjects) == 1


def test_deepest_expression():
    """A hundred levels still compile and answer."""
    bench = Bench()
    made = bench.value("(" * 99 + "1" + ")" * 99)
    assert made.evaluate(None) == 1
    nested = bench.value("[" * 99 + "x" + "]" * 99)
    assert bench.told() == []
    assert nested.type == "list"


CALLS = [
    ("get_weather", "get_weather", "`get_weather` is no call: expected `(`", "write `get_weather()`"),
    ("", "", "a call is missing here", "write `tool(argument: value)`"),
    ("get(", "(", "`(` is not closed: expected `)`", None),
    ("get(city)", "city", "the arguments of a call have names", "write `name: value`"),
    ("get(city: )", ")", "found `)`, expected a value", None),
    ("get(city: 1 unit: 2)", "unit", "found `unit`, expected an operator, `,` or `)`", None),
    ("get(a: 1, a: 2)", "a", "the argument `a` stands twice", None),
    ("get(a: usr)", "usr", "unknown name `usr`", "did you mean `user`?"),
    ('get(city = "x")', "=", "`=` gives no argument its value", "write `city: …`"),
    ("get(a: 1, b = 2)", "=", "`=` gives no argument its value", "write `b: …`"),
    ("get(a: {b = 2})", "b", "found `b`, expected `name:` or `}`", None),
    ("get(a: [1, user = 2])", "=", "`=` does not compare", "write `==`"),
    ("get(a: b = 2)", "=", "`=` does not compare", "write `==`"),
    ("get(a: 1) + 1", "+", "found `+`, expected the end", None),
]


@pytest.mark.parametrize("text, stretch, message, help_", CALLS)
def test_faulty_calls(text, stretch, message, help_):
    """A faulty call is told as exactly as any expression."""
    bench = Bench()
    assert bench.call(text) is None
    assert [(stretch, message, help_)] == [told[1:] for told in bench.told()]


SCOPES = [
    (facts.REQUEST, "attempt == 1", "LP202", "unknown name `attempt`"),
    (facts.REQUEST, "chance(0.5)", "LP204", "`chance` is not known here"),
    (facts.REQUEST, "fired('a') == 1", "LP204", "`fired` is not known here"),
    (facts.ANSWER, "user == 'a'", "LP202", "unknown name `user`"),
    (facts.ANSWER, "jsonpath('$') == []", "LP204", "`jsonpath` is not known here"),
    (facts.ANSWER, "error.nme == 'a'", "LP203", "`error` has no `nme`"),
    (facts.ANSWER, "calls[0].name == 'a'", "LP203", "`calls[0]` has no `name`"),
]


@pytest.mark.parametrize("vocabulary, text, code, message", SCOPES)
def test_facts_of_other_places(vocabulary, text, code, message):
    """A place knows its own facts and functions only."""
    bench = Bench(vocabulary)
    assert bench.condition(text) is None
    assert [(code, message)] == [(told[0], told[2]) for told in bench.told()]


def test_place_inside_a_stretch():
    """An expression that is itself a stretch of a string is placed from the string's own start."""
    bench = Bench()
    text = "see: usr == 'a'"
    place = bench.at(text).stretch(5, len(text))
    assert condition(text[5:], place, bench.scope, bench.found.append) is None
    assert bench.found[0].place.inner == (5, 8)
