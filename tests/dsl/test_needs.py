"""What a condition needs of a request: never more than is true, and enough to be of use."""

from __future__ import annotations

import re
import sys

import pytest
import re2
from hypothesis import given, settings
from hypothesis import strategies as st

from llmposter_dsl.expressions.literals import required
from llmposter_dsl.expressions.needs import needs
from llmposter_dsl.expressions.parse import parse
from llmposter_dsl.expressions.syntax import Trouble

REQUIRED = [
    ("weather in", False, ("weather in",)),
    ("^order #(?P<id>\\d+)", False, ("order #",)),
    ("refunds?", False, ("refund",)),
    ("ab+c", False, ("ab",)),
    ("a(b|cd)*xyz", False, ("xyz",)),
    ("cat|dog", False, ("cat", "dog")),
    ("(cat|dog) food", False, (" food",)),
    ("x{0,3}yes{1,2}", False, ("yes",)),
    ("a\\.b\\/c", False, ("a.b/c",)),
    ("[abc]+def", False, ("def",)),
    ("caf\u00e9 au l", True, (" au l",)),
    ("caf\u00e9", False, ("caf\u00e9",)),
    ("cat|.*", False, ()),
    ("a?", False, ()),
    ("", False, ()),
    ("(?i)abc", False, ()),
    ("\\Qabc\\E", False, ()),
    ("\\x41bc", False, ()),
    ("[[:alpha:]]abc", False, ()),
    ("abc\\pN", False, ()),
    ("a{,3}bc", False, ()),
]


@pytest.mark.parametrize(("pattern", "fold", "expected"), REQUIRED)
def test_what_a_regular_expression_needs(pattern: str, fold: bool, expected: tuple[str, ...]) -> None:
    """Each pattern of the table needs one of its texts, or nothing that is known."""
    assert expected == required(pattern, fold)


ATOMS = st.sampled_from(
    (*"abKs\u017f\u212a.^$()|", "(?:", "\\.", "\\/", "[ab]", "[^]a]", "[a\\]]", "\\d", "\\b"),
)
REPEATS = st.sampled_from(("", "", "", "*", "+", "?", "{2}", "{0,1}", "{1,}", "*?", "+?", "??"))


@settings(max_examples=400, deadline=None)
@given(
    st.lists(st.tuples(ATOMS, REPEATS), max_size=10).map(lambda found: "".join(a + b for a, b in found)),
    st.booleans(),
    st.lists(st.text("abABkKsS\u017f\u212a./] 1\n", max_size=8), max_size=8),
)
def test_a_find_has_what_is_required(pattern: str, fold: bool, texts: list[str]) -> None:
    """Where RE2 finds something, one of the texts that were read off the pattern stands there."""
    wanted = required(pattern, fold)
    try:
        compiled = re2.compile(f"(?i){pattern}" if fold else pattern)
    except re2.error:
        return
    for text in texts:
        if wanted and compiled.search(text) is not None:
            seen = text.casefold() if fold else text
            assert any((each.casefold() if fold else each) in seen for each in wanted)


def test_folding_undoes_lower_case() -> None:
    """For every character: what stands in the lower-cased text stands, folded, in the folded text."""
    odd = [code for code in range(sys.maxunicode + 1) if chr(code).lower().casefold() != chr(code).casefold()]
    assert [] == odd
    # The only character whose lower case depends on its neighbours folds the same in both forms.
    assert "\u03c3" == "\u03c2".casefold() == "\u03a3".casefold()


NEEDS = [
    ('user contains "abc"', {("user", "abc", "holds")}),
    ('"abc" in user', {("user", "abc", "holds")}),
    ('"abc" == user', {("user", "abc", "is")}),
    ('user in ["a", "b"]', {("user", "a", "is"), ("user", "b", "is")}),
    ('user mentions " Abc "', {("user", "abc", "folded")}),
    ('lower(user) starts with "abc"', {("user", "abc", "folded")}),
    ("user matches /Refund|Chargeback/i", {("user", "refund", "folded"), ("user", "chargeback", "folded")}),
    ('last == "user" and user contains "ab" and turn == 1', {("user", "ab", "holds")}),
    ('model == "gpt-4o" and user contains "ab"', {("user", "ab", "holds")}),
    ('user contains "ab" or model == "m"', {("user", "ab", "holds"), ("model", "m", "is")}),
    ('user contains "ab" or stream', set()),
    ('not (user contains "ab")', set()),
    ('user != "ab"', set()),
    ('user contains ""', set()),
    ("user contains model", set()),
    ('"user" contains user', set()),
    ('upper(user) contains "AB"', set()),
    ('tools contains "get"', set()),
]


@pytest.mark.parametrize(("text", "expected"), NEEDS)
def test_what_a_condition_needs(text: str, expected: set[tuple[str, str, str]]) -> None:
    """Each condition of the table needs one of its texts, or nothing that is known."""
    tree = parse(text, "start")
    assert not isinstance(tree, Trouble)
    assert expected == {(need.fact, need.text, need.kind) for need in needs(tree)}


def test_no_need_is_too_long_to_be_worth_it() -> None:
    """A list of very many texts is tried as it is."""
    listed = ", ".join(f'"t{n}"' for n in range(65))
    tree = parse(f"user in [{listed}]", "start")
    assert not isinstance(tree, Trouble)
    assert () == needs(tree)
    assert re.search("t64", listed)
