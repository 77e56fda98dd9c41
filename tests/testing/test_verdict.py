"""What clients did with trouble, as a test in Python asks for it."""

from __future__ import annotations

from agents import posted

from llmposter import Server

STUBBORN = """
[[states.talk]]
when  = 'user == "long"'
error = "context_length_exceeded"

[[states.talk]]
reply = "Hello!"
"""


def test_a_session_has_a_verdict_of_its_own() -> None:
    """The server's is on all clients, a session's on its own; as a text it is what a failing test shows."""
    with Server(STUBBORN) as server:
        stubborn, well = server.session("stubborn"), server.session("well")
        for _ in range(2):
            posted(stubborn.openai_url, "long")
        posted(well.openai_url, "hi")
        assert [False, False, True] == [each.verdict().ok for each in (server, stubborn, well)]
        (found,) = stubborn.verdict().bad
        assert "no-retry" == found.check
        assert str(stubborn.verdict()) == found.line()
        assert "no client met with trouble" == str(well.verdict())
