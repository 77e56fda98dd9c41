"""The head of an answer: whatever stands in its headers, it stays one head; and nothing piles up."""

from __future__ import annotations

import pytest

from llmposter.server import heads
from llmposter.server.heads import head

LINES = {
    "plain": (("x-a", "b"), b"x-a: b\r\n"),
    "latin-1": (("x-a", "é"), b"x-a: \xc3\xa9\r\n"),
    "no latin-1": (("x-a", "🇮"), "x-a: 🇮\r\n".encode()),
    "line breaks": (("x-a", "b\r\nx-c: d"), b"x-a: b  x-c: d\r\n"),
    "a NUL": (("x-a", "b\0"), b"x-a: b \r\n"),
    "no name": (("", "b"), b""),
    "a name with a colon": (("x:", "b"), b""),
    "a name with a line break": (("x\r\ny", "b"), b""),
    "framing": (("Content-Length", "5"), b""),
    "long": (("x-a", "b" * 5000), b"x-a: " + b"b" * 5000 + b"\r\n"),
}


@pytest.mark.parametrize("pair, line", LINES.values(), ids=LINES)
def test_a_header_is_one_line_or_none(pair: tuple[str, str], line: bytes) -> None:
    """A header that would break head or framing does not go out; the second time it is as it was the first."""
    for _ in range(2):
        told = head(200, (("x-before", "1"), pair, ("x-behind", "2")))
        start, _, rest = told.partition(b"x-before: 1\r\n")
        assert start == b"HTTP/1.1 200 OK\r\n"
        assert rest.partition(b"date: ")[0] == line + b"x-behind: 2\r\n"


def test_lines_that_never_come_again_do_not_pile_up() -> None:
    """Headers that are new with each answer, as an id is, are held only up to a bound; long ones are not held."""
    for n in range(3000):
        assert head(200, (("x-id", f"{n}"), ("x-long", f"{n}" * 300))).count(b"x-id: %d\r\n" % n) == 1
    held = heads._LINES
    assert len(held) <= 1024
    assert all(len(line) <= 256 for line in held.values())
