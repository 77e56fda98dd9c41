"""Text with unknown stretches, against regular expressions that say the same."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from llmposter.core.conversation import Unknown
from llmposter.core.pattern import fits, resembles

LETTERS = st.text("ab ", max_size=3)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(0, 2) | st.text("ab", max_size=1),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("xy"), inner, max_size=2),
    max_leaves=5,
)


@settings(max_examples=500)
@given(st.lists(LETTERS | st.none(), max_size=5), st.text("ab ", max_size=8))
def test_unknown_stretches_match_anything(pieces: list[str | None], text: str) -> None:
    """Pieces fit a text as a regular expression with `.*` for the unknown ones does, white space aside."""
    bare = "".join(".*" if piece is None else re.escape(piece.replace(" ", "")) for piece in pieces)
    assert fits(pieces, text) is bool(re.fullmatch(bare, text.replace(" ", "")))


@given(st.lists(LETTERS | st.none(), max_size=5), st.data())
def test_what_was_filled_in_fits(pieces: list[str | None], data: st.DataObject) -> None:
    """Whatever stands in the place of the unknown, the whole fits."""
    assert fits(pieces, "".join(data.draw(LETTERS) if piece is None else piece for piece in pieces))


@given(JSON, JSON)
def test_known_json_is_compared_as_it_is(value: object, other: object) -> None:
    """Without anything unknown, one value resembles another where they are equal."""
    assert resembles(value, value)
    assert resembles(value, other) is (value == other)


@given(JSON)
def test_the_unknown_matches_any_json(value: object) -> None:
    """What is unknown matches any value, in a list and in a map too; what stands beside it must be right."""
    assert resembles(Unknown(), value)
    assert resembles([1, Unknown()], [1, value])
    assert resembles({"a": Unknown(), "b": 1}, {"a": value, "b": 1})
    assert not resembles({"a": Unknown(), "b": 1}, {"a": value, "b": 2})
    assert not resembles({"a": Unknown()}, {"b": value})
    assert not resembles([Unknown()], [value, value])
