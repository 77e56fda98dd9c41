"""The picture of a place: carets stand below what is meant, whatever the line holds, and no line does harm."""

from __future__ import annotations

from unicodedata import east_asian_width

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmposter_dsl.snippet import WIDEST, snippet
from llmposter_dsl.source import Source, Span

CASES = {
    "one word": ("ab cd ef", (3, 5), ["1|ab cd ef", " |   ^^"]),
    "nothing, between two": ("ab", (1, 1), ["1|ab", " | ^"]),
    "the end of the file": ("ab\n", (3, 3), ["2|", " |^"]),
    "tabs are as wide as they are shown": ("\ta\tb", (3, 4), ["1|    a   b", " |        ^"]),
    "a tab itself": ("a\tb", (1, 2), ["1|a   b", " | ^^^"]),
    "wide characters take two cells": ("日本 x", (3, 4), ["1|日本 x", " |     ^"]),
    "a wide one is underlined whole": ("a日", (1, 2), ["1|a日", " | ^^"]),
    "combining marks take none": ("e\u0301 x", (3, 4), ["1|e\u0301 x", " |  ^"]),
    "what moves the cursor is a picture": ("a\x1b[2Jb", (5, 6), ["1|a␛[2Jb", " |     ^"]),
    "what turns text around is a sign": ("a\u202eb", (2, 3), ["1|a\N{REPLACEMENT CHARACTER}b", " |  ^"]),
    "two lines": ("a {\n  b }\nc", (2, 9), ["1|a {", " |  ^", "2|  b }", " |  ^^^"]),
    "a line with its end": ("ab\ncd", (0, 3), ["1|ab", " |^^"]),
    "of many lines the first and the last": (
        "a(\n1\n2\n3\n4)",
        (1, 11),
        ["1|a(", " | ^", "...", "5|4)", " |^^"],
    ),
    "no text": ("", (0, 0), []),
}


def drawn(text: str, start: int, end: int) -> list[str]:
    found = []
    for number, line, marks in snippet(Source("x", text), Span(start, end)):
        found += ["..."] if number is None else [f"{number}|{line}", f" |{marks}"]
    return found


@pytest.mark.parametrize("case", CASES)
def test_a_place_is_drawn(case: str) -> None:
    """Line for line."""
    text, span, expected = CASES[case]
    assert expected == drawn(text, *span)


@pytest.mark.parametrize("at", [0, 5, 60, 300, 995])
def test_of_a_long_line_what_is_around_the_place_is_shown(at: int) -> None:
    """No line is wider than agreed, cuts are marked, and the caret stands below its word."""
    text = " ".join(f"{n:04}" for n in range(200)) + " end"
    line, marks = drawn(text, at, at + 4)[:2]
    shown, carets = line[2:], marks[2:]
    assert len(shown) <= WIDEST
    assert text[at : at + 4].strip() in shown[carets.index("^") :][:4]
    assert shown.startswith("…") == (shown[:4] != text[:4])


def test_many_places_on_one_very_long_line_are_drawn_in_time() -> None:
    """A line of a million characters is not looked through for each."""
    text = "x" * 1_000_000
    assert all(drawn(text, at, at + 3)[1].endswith("^^^") for at in range(0, 1_000_000, 2_000))


@given(st.text(alphabet=st.sampled_from("ab \t\n日é😀\x07\u200d"), max_size=60), st.data())
def test_carets_stand_below_the_place(text: str, data: st.DataObject) -> None:
    """What stands to the left of the first caret is as wide as what stands to the left of the place."""
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    source = Source("x", text)
    shown = next(snippet(source, Span(start, end)), None)
    if shown is None:
        assert text == ""
        return
    line, column = source.position(start)
    assert line == shown.number
    left = "".join(source.line(line)[: column - 1])
    assert cells(left) == len(shown.marks) - len(shown.marks.lstrip(" "))
    assert set(shown.marks.lstrip(" ")) == {"^"}


def cells(text: str) -> int:
    """How many cells a terminal takes."""
    width = 0
    for character in text:
        if character == "\t":
            width += 4 - width % 4
        elif character != "\u200d":
            width += 2 if east_asian_width(character) in "WF" else 1
    return width
