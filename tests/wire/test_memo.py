"""The memory of pieces that were read before: it changes nothing but time, and is bounded."""

from __future__ import annotations

from llmposter.wire import memo
from llmposter.wire.memo import Memo


def test_a_piece_is_read_once() -> None:
    """A piece that comes again is not read again, and gives the very same value."""
    read: list[bytes] = []
    known = Memo(lambda raw: (read.append(raw), [raw])[1])
    assert known.get(b"a") is known.get(b"a")
    assert [b"a"] == read


def test_what_is_used_outlives_what_is_not() -> None:
    """However many pieces come, few are held; one that is asked for all the while is among them."""
    read: list[bytes] = []
    known = Memo(lambda raw: (read.append(raw), [raw])[1])
    for number in range(20_000):
        known.get(b"%d" % number)
        known.get(b"often")
    assert 1 == read.count(b"often")
    assert len(known) * 600 <= 2 * memo.MOST + 1200


def test_long_pieces_are_not_held() -> None:
    """A piece that is too long is read each time."""
    known: Memo[list[int]] = Memo(lambda raw: [len(raw)])
    assert [memo.LONGEST + 1] == known.get(b"x" * (memo.LONGEST + 1))
    assert 0 == len(known)


def test_many_pieces_are_as_one_by_one() -> None:
    """Pieces that are asked for together give what each gives alone, in order, whether known or not."""
    read: list[bytes] = []
    known = Memo(lambda raw: (read.append(raw), [raw])[1])
    assert [[b"a"], [b"b"], [b"a"]] == known.all([b"a", b"b", b"a"])
    assert [[b"b"], [b"c"]] == known.all([b"b", b"c"])
    assert [b"a", b"b", b"c"] == read
    assert known.all([b"c"])[0] is known.get(b"c")
