"""What clients must send back unchanged is told apart from what they changed and from what was never ours."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmposter.wire.seal import Seal, opened, sealed


@given(answer=st.text(max_size=40), text=st.text(max_size=200), other=st.text(max_size=200))
def test_a_token_names_its_answer_and_tells_a_changed_text(answer: str, text: str, other: str) -> None:
    """Opened beside its own text it is unbroken; beside another it still names the answer."""
    told = Seal(answer.encode("utf-8", "surrogatepass").decode("utf-8", "replace"), unbroken=True)
    assert told == opened(sealed(answer, text), text)
    assert (text == other) == opened(sealed(answer, text), other).unbroken


@pytest.mark.parametrize("token", ["", "EqQBCkYIBxgC", "no base64!", "ä", sealed("abc", "x")[:20]])
def test_a_token_that_was_never_ours_is_none(token: str) -> None:
    """Whatever stands there, nothing is believed and nothing is raised."""
    assert opened(token, "x") is None


@given(token=st.text())
def test_any_text_is_opened_or_not(token: str) -> None:
    """No text raises."""
    assert opened(token, "x") is None
