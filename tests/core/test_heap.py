"""Garbage: what a server holds is not looked through for ever, and what it drops is gone at once."""

from __future__ import annotations

import gc
import weakref

from machines import scenario, turn

from llmposter.core import heap
from llmposter.core.clock import ManualClock
from llmposter.core.conversation import Conversation, Counts, counted, read, written
from llmposter.core.mock import Mock
from llmposter.core.positions import Talk


class Watched(Talk, weakref=True):
    """A conversation that can be seen to go."""


def test_a_settled_process_seldom_looks_for_garbage() -> None:
    """After settling, what exists is set aside and the thresholds are ours."""
    before = gc.get_threshold()
    try:
        heap.settle()
        assert heap.THRESHOLDS == gc.get_threshold()
        assert gc.get_freeze_count() > 1000
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)


def test_a_dropped_conversation_leaves_no_cycle(monkeypatch) -> None:
    """A conversation that is dropped is freed without the garbage collector."""
    monkeypatch.setattr("llmposter.core.sessions.Talk", Watched)
    mock = Mock([scenario("[[states.a]]\nreply = 'x'")], ManualClock(), most_conversations=2, journal_size=1)
    mock.answer(turn("first"))
    (talk,) = mock._talks(None)
    seen = weakref.ref(talk)
    del talk
    gc.disable()
    try:
        for word in ("second", "third", "fourth"):
            mock.answer(turn(word))
        assert seen() is None
    finally:
        gc.enable()


def test_conversations_that_did_alike_share_their_counts() -> None:
    """Counts are one table for all that counted the same; past the bound each has its own, with the same content."""
    none = Counts()
    assert counted(counted(none, "a"), "b") is counted(counted(none, "a"), "b")
    assert {"a": 2} == counted(counted(none, "a"), "a")
    assert {} == none
    for number in range(20_000):
        assert {f"n{number}": 1} == counted(none, f"n{number}")
    assert counted(none, "n19999") is not counted(none, "n19999")
    assert {"n19999": 2} == counted(counted(none, "n19999"), "n19999")


def test_shared_counts_are_written_as_any_others() -> None:
    """A conversation with shared counts survives JSON."""
    stands = Conversation("a", {}, counted(Counts(), "a"), counted(Counts(), "a#1"))
    assert stands == read(written(stands))
