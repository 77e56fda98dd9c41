"""Targets of requests, taken apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmposter.server.target import Target, faulty, parse, query

TARGETS = [
    ("/v1/x", Target("/v1/x", "", None)),
    ("/v1/x/", Target("/v1/x", "", None)),
    ("/", Target("/", "", None)),
    ("", Target("/", "", None)),
    ("*", Target("*", "", None)),
    ("/v1/x?a=1?b", Target("/v1/x", "a=1?b", None)),
    ("/@id/v1/x?a", Target("/v1/x", "a", "id")),
    ("/@id", Target("/", "", "id")),
    ("/@/v1", Target("/v1", "", "")),
    ("/%40id/v1", Target("/v1", "", "id")),
    ("/@a%2Fb/v1", Target("/v1", "", "a/b")),
    ("/@id//v1", Target("//v1", "", "id")),
    ("/v1/@id", Target("/v1/@id", "", None)),
    ("/v1/a%20b%zz%ff", Target("/v1/a b%zz\ufffd", "", None)),
    ("http://host:1/@id/v1/x?q", Target("/v1/x", "q", "id")),
    ("HTTP://host", Target("/", "", None)),
    ("http://[bad/v1", Target("http://[bad/v1", "", None)),
]


@pytest.mark.parametrize("raw, expected", TARGETS, ids=[raw for raw, _ in TARGETS])
def test_a_target_is_taken_apart(raw: str, expected: Target) -> None:
    """Session, path and query are found in every form of a target."""
    assert expected == parse(raw)


@given(st.text(st.characters(max_codepoint=255), max_size=40))
def test_any_target_is_taken_apart(raw: str) -> None:
    """Any text gives a target, whose query and session can be looked at."""
    found = parse(raw)
    assert found.path
    assert isinstance(query(found.query), dict)
    assert found.session is None or faulty(found.session) is None or "session id" in str(faulty(found.session))


@given(st.from_regex(r"\A[A-Za-z0-9_.\-~:]{1,128}\Z"))
def test_any_session_of_the_form_is_found(session: str) -> None:
    """A session's id of the right form comes out as it went in."""
    assert faulty(session) is None
    assert Target("/v1/x", "", session) == parse(f"/@{session}/v1/x")
