"""Places in JSON: every span reads back as its value, and what is no JSON is told where it stands."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from llmposter_dsl import reading
from llmposter_dsl.tree import Document, walk

TEXTS = st.text(st.sampled_from('ab"\\/{}[],: \n\té😀'), max_size=8) | st.text(max_size=6)
SCALARS = (
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
)
VALUES = st.recursive(
    SCALARS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=15,
)


@settings(deadline=None)
@given(data=st.dictionaries(TEXTS, VALUES, min_size=1), indent=st.sampled_from([None, 2, "\t"]), ascii_=st.booleans())
@example(data={"😀": [{}, [], {"a": [[1]]}]}, indent="\t", ascii_=True)
def test_every_place_reads_back_as_its_value(data: Any, indent: Any, ascii_: bool) -> None:
    """Keys too, whatever the escapes and the white space."""
    text = json.dumps(data, indent=indent, ensure_ascii=ascii_)
    document = reading.read_text(text, "a.json", "json")
    assert isinstance(document, Document)
    assert data == document.data
    for path, value, _ in walk(data):
        span = document.value_span(path)
        assert value == json.loads(text[span.start : span.end])
        if path and isinstance(path[-1], str):
            key = document.key_span(path)
            assert path[-1] == json.loads(text[key.start : key.end])


BROKEN = {
    '{"a": }': (6, "broken JSON: expecting value"),
    '{"a": 1': (7, "broken JSON: expecting ',' delimiter"),
    "{'a': 1}": (1, "broken JSON: expecting property name enclosed in double quotes"),
    '{"a": 1} x': (9, "broken JSON: extra data"),
    '{"a": Infinity}': (0, "broken JSON: `Infinity` is no JSON"),
    '{"a": ' + "1" * 5000 + "}": (0, "broken JSON: Exceeds the limit"),
    "[" * 101: (100, "values are nested more than 100 levels deep"),
    "[]": (0, "a scenario is a map of keys, this is a list"),
    '{"a": 123456789012345678901}': (6, "an integer beyond 64 bits is no number that JSON can hold"),
}


@pytest.mark.parametrize("text", BROKEN, ids=range(len(BROKEN)))
def test_what_is_no_json_is_told_where_it_stands(text: str) -> None:
    """In one sentence."""
    at, message = BROKEN[text]
    found = reading.read_text(text, "a.json", "json")
    assert isinstance(found, tuple)
    assert found[0].message.startswith(message)
    assert at == found[0].place.span.start


@given(text=st.text(st.sampled_from('{}[]",:1tnufals \\eE+-.'), max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    """With a finding, and no exception."""
    found = reading.read_text(text, "a.json", "json")
    assert isinstance(found, Document) or found
    if isinstance(found, Document):
        assert found.value_span(()).end <= len(text)
