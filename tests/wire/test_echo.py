"""A history that an SDK sends back is read as it was said: the same on every wire, whatever the reply.

Nothing here knows a provider. So a conversation stands where it stood, whatever API carried it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from judging import Heard, evened, judges, said
from random_replies import CHUNKS, replies
from speaker import Speaker, speaking
from wire_cases import CHUNKS as SOME_CHUNKS
from wire_cases import REPLIES

from llmposter.core.conformance import findings
from llmposter.core.fingerprint import Prints, spoken
from llmposter.model import Reply, Turn
from llmposter.wire import load
from llmposter_dsl.program import Chunk

WIRES = sorted(load().keys() & judges().keys())
MANY = settings(
    max_examples=1500 if os.environ.get("LLMPOSTER_SOAK") else 30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(scope="module")
def speakers() -> Iterator[dict[str, Speaker]]:
    with ExitStack() as stack:
        yield {wire: stack.enter_context(speaking(load()[wire])) for wire in WIRES}


def played(speaker: Speaker, reply: Reply, *, stream: bool, chunk: Chunk) -> tuple[Heard, Turn]:
    """What the SDK hears of a reply to "hi", and its next request: results for every call, else another message."""
    speaker.say(reply, chunk=chunk)
    with closing(judges()[speaker.wire.name].agent(speaker.url, stream=stream, retries=0, system="be brief")) as agent:
        heard = agent.say("hi")
        if heard.calls:
            agent.result(*((call, f'{{"n": {n}}}') for n, call in enumerate(heard.calls)))
        else:
            agent.say("and now?")
    return heard, speaker.turns[-1]


def held(wire: str, reply: Reply, *, stream: bool, chunk: Chunk, speaker: Speaker) -> Prints:
    heard, turn = played(speaker, reply, stream=stream, chunk=chunk)
    expected = judges()[wire].within(said(reply))
    assert evened(expected) == evened(heard)
    assert judges()[wire].takes_back(reply) == (findings(turn, load()[wire].unpaired) == ()), findings(
        turn, load()[wire].unpaired
    )
    assert "be brief" == turn.system
    user, assistant, last = turn.messages
    assert ("user", "hi", "assistant") == (user.role, user.text, assistant.role)
    assert [call.id for call in expected.calls] == [call.id for call in assistant.calls]
    assert ("tool", len(heard.calls)) if heard.calls else ("user", 0) == (last.role, len(last.results))
    prints = Prints(turn.messages)
    if len(expected.calls) < len(spoken(reply).calls):
        # The provider has no form for these calls, so that no history shows them.
        return prints
    assert prints.upto(2) == Prints(turn.messages[:1]).after_answer(reply), (spoken(reply), assistant)
    assert assistant.answer in ("", reply.id)
    return prints


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("name", REPLIES)
def test_a_reply_comes_back_as_it_was_said(speakers: dict[str, Speaker], name: str, wire: str, *, stream: bool) -> None:
    """The history that the SDK sends with its next request holds the reply, and breaks nothing that it need not."""
    held(wire, REPLIES[name], stream=stream, chunk=SOME_CHUNKS["2 words"], speaker=speakers[wire])


@MANY
@given(replies(), CHUNKS, st.booleans())
def test_any_reply_comes_back_as_it_was_said_on_every_wire(
    speakers: dict[str, Speaker], reply: Reply, chunk: Chunk, stream: bool
) -> None:
    """Whatever it holds, in whatever chunks: heard as said, and with one fingerprint whatever API carried it."""
    prints = {wire: held(wire, reply, stream=stream, chunk=chunk, speaker=speakers[wire]).full for wire in WIRES}
    assert 1 == len(set(prints.values())), prints
