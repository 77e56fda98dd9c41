"""Bodies that no client sends: any bytes, any JSON, and valid ones that were damaged."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from captured import Path
from hypothesis import strategies as st

PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just("\ud800")
ANY_JSON = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
)


def put(document: Any, path: Path, value: Any) -> Any:
    """The document with another value in one place."""
    if not path:
        return value
    changed = deepcopy(document)
    at = changed
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return changed


@st.composite
def damaged(draw: st.DrawFn, body: bytes) -> bytes:
    """The body with bytes put in, taken out and overwritten."""
    for _ in range(draw(st.integers(1, 4))):
        at, length = draw(st.integers(0, len(body))), draw(st.integers(0, 20))
        body = body[:at] + draw(st.binary(max_size=6)) + body[at + length :]
    return body
