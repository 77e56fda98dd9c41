"""What endpoints may ask of the mock, in the session of a request."""

from __future__ import annotations

from llmposter.core.clock import ManualClock
from llmposter.core.embedding import embedding
from llmposter.core.mock import Mock
from llmposter.core.tokens import of_turn
from llmposter.model import Connection, Message, Request, Turn

REQUEST = Request("POST", "/v1/embeddings", {}, {}, b"{}", Connection(1))
TURN = Turn("openai", REQUEST, "m", False, "be brief", (Message("user", "hello there"),))


def test_a_desk_knows_time_and_counts() -> None:
    """The clock is the server's, and tokens are those that usage counts."""
    clock = ManualClock(1000.0)
    desk = Mock([], clock).desk(REQUEST)
    clock.advance(5)
    assert (1005.0, of_turn(TURN)) == (desk.now(), desk.tokens(TURN))


def test_without_rules_a_desk_makes_vectors_and_flags_nothing() -> None:
    """A text has the vector of its words."""
    desk = Mock([], ManualClock()).desk(REQUEST)
    assert embedding("hello", 8) == desk.vector("hello", "m", 8)
    assert frozenset() == desk.flags("hello", "m")
