"""Vectors of texts: of length 1, the same for the same text, close for texts that share words, and for no others."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmposter.core.embedding import embedding

GOLDEN = (-0.243824495, 0.731473485, 0.605357367, -0.197581918)


def nearness(left: str, right: str, dimensions: int = 1536) -> float:
    """The cosine of the angle between the vectors of two texts."""
    vectors = embedding(left, dimensions), embedding(right, dimensions)
    return sum(a * b for a, b in zip(*vectors, strict=True))


@settings(deadline=None)
@given(st.text(), st.sampled_from([2, 3, 64, 256, 1536, 3072]))
def test_a_vector_is_of_length_1(text: str, dimensions: int) -> None:
    """It has as many dimensions as were asked for, and the same text always has the same one."""
    vector = embedding(text, dimensions)
    assert dimensions == len(vector)
    assert math.hypot(*vector) == pytest.approx(1, abs=1e-6)
    assert vector == embedding(text, dimensions)


@settings(deadline=None)
@given(st.text())
def test_one_dimension_is_enough(text: str) -> None:
    """Then there are two directions."""
    assert embedding(text, 1) in ((1.0,), (-1.0,))


@pytest.mark.parametrize(
    "text, near, far",
    [
        ("the capital of France", "Paris is the capital of France.", "Bread needs flour, water and salt."),
        ("how do I reset my password?", "To reset your password, open the settings.", "Invoices are sent monthly."),
        ("Wie wird das Wetter", "das Wetter in Berlin", "der Hund schläft"),
    ],
)
def test_texts_that_share_words_are_close(text: str, near: str, far: str) -> None:
    """A search by vectors finds the text that has the words."""
    assert nearness(text, near) > 0.35 > 0.2 > abs(nearness(text, far))


def test_vectors_stay_as_they_are() -> None:
    """In any version, on any machine: who stores vectors finds them again."""
    assert GOLDEN == embedding("Hello, world!", 4)


@pytest.mark.parametrize("same", ["Hello, world!", "world hello", "  HELLO\n(world)"])
def test_order_case_and_punctuation_do_not_count(same: str) -> None:
    """Only the words do."""
    assert embedding("hello world", 64) == embedding(same, 64)


def test_longer_words_count_for_more() -> None:
    """So that articles do not make all texts alike."""
    assert nearness("the elephant", "elephant") > 0.9 > 0.5 > nearness("the elephant", "the")


def test_a_long_text_is_summed_exactly() -> None:
    """No lane flows over into the next, however often a word comes."""
    assert embedding("word " * 1_000_000, 8) == pytest.approx(embedding("word", 8))
