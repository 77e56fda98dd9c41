"""Garbage: what a server holds is not looked through for ever, and what it drops is gone at once."""

from __future__ import annotations

import gc
import weakref

from machines import scenario, turn

from llmposter.core import heap
from llmposter.core.clock import ManualClock
from llmposter.core.mock import Mock
from llmposter.core.positions import Talk


class Watched(Talk):
    """A conversation that can be seen to go."""

    __slots__ = ("__weakref__",)


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
