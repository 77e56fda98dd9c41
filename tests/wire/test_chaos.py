"""Chaos on every wire: an answer that it broke is still there, and the conversation is where it was."""

from __future__ import annotations

from contextlib import closing

import pytest
from judging import judges
from serving import serving

from llmposter.wire import load
from llmposter_dsl.program import Chaos

SCENARIO = """
[chaos]
rate   = 1
faults = "drop after 2 chunks"

[vars]
told = 0

[[states.first]]
times = 1
set   = { told = "told + 1" }
reply = "One two three four five six seven eight nine."
goto  = "then"

[[states.then]]
reply = "I told it once: ${told}."
"""


@pytest.mark.parametrize("wire", sorted(load()))
@pytest.mark.parametrize("stream", [pytest.param(False, id="plain"), pytest.param(True, id="streamed")])
def test_a_broken_answer_is_there_for_a_retry(wire: str, *, stream: bool) -> None:
    """The SDK raises, nothing was set and no rule used up; asked again, it has all of it, and goes on from there."""
    with serving(SCENARIO) as server, closing(judges()[wire].agent(server.url, stream=stream, retries=0)) as agent:
        with pytest.raises(Exception):  # noqa: B017, PT011 - each SDK has its own
            agent.say("hi")
        (conversation,) = server.mock.conversations()
        assert ("first", 0) == (conversation["state"], conversation["vars"]["told"])
        server.mock.set_chaos(Chaos(0.0))
        assert ("One two three four five six seven eight nine.",) == agent.again().texts
        assert ("I told it once: 1.",) == agent.say("and?").texts
        entries = server.mock.journal()["entries"]
        assert ["drop after 2 chunks", None, None] == [entry["chaos"] for entry in entries]
        assert [1, 2, 1] == [entry["attempt"] for entry in entries]
        assert (True, [1]) == (server.mock.verify().ok, server.mock.verify().data()["chaos"])
