"""Secrets of clients are shown so far that they can be told from each other."""

from __future__ import annotations

import pytest

from llmposter.core.masking import hidden, hidden_key


@pytest.mark.parametrize(
    "secret, shown",
    [
        ("sk-very-secret", "sk-…"),
        ("Bearer sk-very-secret", "Bearer sk-…"),
        ("Bearer secret", "Bearer …"),
        ("secret", "…"),
        ("", "…"),
    ],
)
def test_a_secret_is_hidden(secret: str, shown: str) -> None:
    """Three characters of a long one, none of a short one, and the scheme of a header."""
    assert shown == hidden(secret)


@pytest.mark.parametrize(
    "expression, shown",
    [
        ('headers["x-session-id"]', "sk-very-secret"),
        ("metadata.session", "sk-very-secret"),
        ('headers["Authorization"]', "sk-…#d755623a"),
        ("default(headers['x-api-key'], query.key)", "sk-…#d755623a"),
        ("query.key", "sk-…#d755623a"),
        ('query["key"]', "sk-…#d755623a"),
        ("query.keyword", "sk-very-secret"),
    ],
)
def test_a_key_that_is_a_secret_is_hidden(expression: str, shown: str) -> None:
    """With a mark that tells it from others that begin alike."""
    assert shown == hidden_key("sk-very-secret", expression)
    assert (hidden_key("sk-very-secret", expression) == hidden_key("sk-very-other", expression)) is False
