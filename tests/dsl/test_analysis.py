"""What conditions are said to have to do with each other holds for every value that is tried."""

from __future__ import annotations

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmposter_dsl.analysis import Atom, clauses, contradict, refuted, regex
from llmposter_dsl.analysis.follows import exclude, follows
from llmposter_dsl.expressions.parse import parse
from llmposter_dsl.expressions.patterns import compile_pattern
from llmposter_dsl.expressions.syntax import Name

SOAK = bool(os.environ.get("LLMPOSTER_SOAK"))


def read(condition):
    """Its clauses."""
    found = clauses(parse(condition, "start"))
    assert found is not None
    return found


def covered(condition, before):
    """Whether what the condition asks for is all taken by those before it."""
    taken = [clause for each in before for clause in read(each)]
    return all(refuted(clause, taken) for clause in read(condition))


@pytest.mark.parametrize(
    ("condition", "before"),
    [
        ('user contains "refund"', ['user contains "fund"']),
        ('user starts with "refund"', ['user contains "fund"']),
        ('user ends with "my order"', ['user ends with "order"']),
        ('user == "hello"', ["user matches /^h.*o$/"]),
        ('user == "hello"', ['user in ["hi", "hello"]']),
        ('user in ["hi", "hello"]', ['user starts with "h"']),
        ('user mentions "cancel order"', ['user mentions "Order"']),
        ('user starts with "order "', ['user mentions "order"']),
        ("user matches /refund/", ['user contains "fun"']),
        ("user matches /(my|an) order/", ['user contains " order"']),
        ("user matches /^refund/", ['user starts with "re"']),
        ("user matches /refund order/i", ["user matches /ORDER/i"]),
        ('user contains "Refund"', ["user matches /refund/i"]),
        ('user contains "Refund"', ['lower(user) contains "refund"']),
        ('"a" in tools', ['tools contains "a"']),
        ("attempt == 2", ["attempt < 3"]),
        ("attempt > 5", ["attempt == 1", "attempt >= 2"]),
        ("true", ["attempt < 3", "attempt >= 3"]),
        ("true", ["stream", "not stream"]),
        ("true", ['last == "user"', 'last == "tool"', 'last == "assistant"']),
        ("elapsed >= 10s", ["elapsed > 5s"]),
        ('result("a").json.temp > 5', ['result("a") exists']),
        ('result("a").json.temp > 5', ["result exists"]),
        ('result("a").json.temp > 5', ['result("a").json.temp is number']),
        ('user contains "a" and model == "m"', ['model in ["m", "n"]']),
        ('user contains "a" and (stream or model == "m")', ['model == "m"', "stream"]),
        ("not (attempt < 3 or stream)", ["attempt > 1 and not stream"]),
        ('user != "a"', ['not (user == "a")']),
        ("any(messages, it.text == 'x')", ['any(messages, it.text == "x")']),
        ("attempt < 1", []),
        ("turn == 1.5", []),
        ("false", []),
        ("1 > 2", []),
        ('user == "a" and user == "b"', []),
        ('user starts with "a" and user starts with "b"', []),
        ('lower(user) contains "Refund"', []),
        ('user mentions " "', []),
        ('not (result("a") exists) and result("a").text == "x"', []),
        ("attempt > 2 and attempt < 3", []),
        ('result("a").json.n > 2 and result("a").json.n is text', []),
        ("elapsed > 30s and age < 30s", []),
        ("not (idle < 1m) and not (age >= 1m)", []),
        ("elapsed == 10s and age <= 9s", []),
        ("visits >= 3 and turn < 3", []),
        ("age < 5s and idle >= 2s", ["elapsed < 5s"]),
    ],
)
def test_a_condition_that_leaves_nothing_is_known(condition, before):
    """Whatever the condition takes is taken before, or there is none."""
    assert covered(condition, before)


@pytest.mark.parametrize(
    ("condition", "before"),
    [
        ('user contains "fund"', ['user contains "refund"']),
        ('user contains "order"', ['user mentions "order"']),
        ('user mentions "ct"', ["user matches /ct/i"]),
        ('user contains "order"', ['user starts with "order"']),
        ("user matches /order/i", ['user contains "order"']),
        ("user matches /order$/", ["user matches /^order/"]),
        (r"user matches /a\?b/", ['user contains "?"']),
        ('user contains "a"', [r"user matches /\ba\b/"]),
        ("attempt < 4", ["attempt < 3"]),
        ("elapsed > 5s and elapsed < 6s", ["elapsed == 5500ms"]),
        ('result("a") exists', ['result("a").json.temp > 5']),
        ('result("a").json contains "ab"', ['result("a").json contains "a"']),
        ('result("a").json.n >= 2', ["result('a').json.n > 1 and result('a').json.n < 9007199254740993"]),
        ("not (body.n < 2)", ["body.n >= 2"]),
        ("chance(0.5)", ["chance(0.5)"]),
        ("not chance(0.5) and chance(0.5)", []),
        ("random(1, 2) == 1 and random(1, 2) == 2", []),
        ('lower(user) contains "refund"', ['user contains "refund"']),
        ("params.n == 'x'", []),
        ("elapsed >= 30s and age <= 30s", []),
        ("idle > 10s and elapsed < 5s", []),
        ("age > 10s", ["elapsed > 5s"]),
        ("turn > 3 and visits < 2", []),
        ("body.n >= 9007199254740993 and body.n <= 9007199254740993", []),
    ],
)
def test_a_condition_that_leaves_something_is_left_alone(condition, before):
    """Something gets through, or it is not sure that nothing does."""
    assert not covered(condition, before)


WORDS = st.sampled_from(("a", "ab", "b", " ", "a b", "AB", "x", "_", "ß", "\u017f", "s", "?", "\ud800", "", "İ", "i"))
TEXTS = st.lists(WORDS, max_size=5).map("".join)
LITERALS = st.lists(WORDS.filter(lambda text: text != "\ud800"), max_size=5).map("".join)
PATTERNS = st.sampled_from(
    ("a", "ab", "^a", "b$", "^ab$", "a.b", "a|b", r"\bab\b", "[ab]+", r"\?", r"x\?a", "(a)?b", "s+")
)
TEXT_ATOMS = st.builds(
    lambda test, text: Atom(Name("user"), test, ("text", text)),
    st.sampled_from(("has", "contains", "mentions", "starts with", "ends with", "==")),
    LITERALS,
) | st.builds(
    lambda pattern, flags: Atom(Name("user"), "matches", (pattern, flags)), PATTERNS, st.sampled_from(("", "i"))
)


@settings(max_examples=20_000 if SOAK else 300, deadline=None)
@given(TEXT_ATOMS, TEXT_ATOMS, st.lists(TEXTS, min_size=5, max_size=20))
def test_what_follows_holds_for_every_text(one, other, around):
    """A text that passes the one passes the other; texts that pass both are none where they exclude each other."""
    inner = str(one.value[1]) if one.test != "matches" else str(regex.example(one.value[0]))
    surely, never = follows(one, other), exclude(one, other)
    for text in (inner, *around, *(before + inner + after for before in around[:5] for after in around[:5])):
        if one.passes(text):
            assert not surely or other.passes(text)
            assert not (never and other.passes(text))
            assert not contradict([(one, True), (other, other.passes(text))])


@pytest.mark.parametrize(
    "pattern",
    [
        "order #(?P<id>\\d+)",
        "a{3}b?c+",
        "(x|yz)$",
        "[^a-z]\\w\\s",
        "^.$",
        "\\bword\\b",
        "(?:a|b){2}",
        "(?<n>q)\\z",
        "[\\d_]é",
    ],
)
def test_an_example_of_a_regular_expression_is_found_by_it(pattern):
    """RE2 finds something in the text that is made."""
    text = regex.example(pattern)
    assert text is not None
    assert compile_pattern(pattern, "").search(text.encode())


@pytest.mark.parametrize("pattern", ["\\pN", "[[:alpha:]]", "\\Qa\\E"])
def test_what_only_re2_reads_has_no_example(pattern):
    """Python's parser reads these otherwise, or not at all."""
    assert regex.example(pattern) is None
