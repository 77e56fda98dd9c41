"""What a provider cannot say is a finding of the checker, and what is sent then is what the finding and the page say.

Nothing here knows a provider: its own words are those of its SDK's types.
"""

from __future__ import annotations

import pytest
from judging import Heard, judges
from speaker import CONNECTION
from wire_cases import PARIS, reply

from llmposter.core.delivery import pieces
from llmposter.model import Request, Text, Turn
from llmposter.wire import load
from llmposter.wire.finishes import MEANING
from llmposter_dsl.place import At
from llmposter_dsl.program import Chunk, Rule
from llmposter_dsl.source import Source, Span

WIRES = sorted(load())
PLACE = At(Source("fake.toml", "fake"), Span(0, 4))
OWN = [(wire, word) for wire in WIRES for word in judges()[wire].words]
WORDS = [(wire, word) for wire in WIRES for word in MEANING]


def findings(wire: str, word: str) -> list[str]:
    return list(load()[wire].cannot(Rule("ask#1", "ask", PLACE, finish=word)))


def sent(wire: str, word: str) -> tuple[Heard, Heard, bytes]:
    """What is heard of an answer that ends so, whole and streamed; and its bytes."""
    call = MEANING.get(word) == "tool_calls"
    said_ = reply(PARIS if call else Text("It is so."), finish=word)
    turns = []
    for stream in (False, True):
        path, headers, body = judges()[wire].request(stream=stream)
        turn = load()[wire].read(Request("POST", path, {}, headers, body, CONNECTION))
        assert isinstance(turn, Turn)
        turns.append(turn)
    whole = load()[wire].whole(turns[0], said_).body
    frames = load()[wire].stream(turns[1], said_, pieces(said_, Chunk(1, "words")))
    return judges()[wire].whole(whole), judges()[wire].streamed(b"".join(frame.data for frame in frames)), whole


@pytest.mark.parametrize("wire, word", OWN)
def test_a_providers_own_word_goes_out_as_it_is(wire: str, word: str) -> None:
    """Every finish reason of the SDK's types can be had, with nothing for the checker to report."""
    assert [] == findings(wire, word)
    whole, streamed, _ = sent(wire, word)
    assert [word, word] == [whole.raw, streamed.raw]


@pytest.mark.parametrize("wire, word", WORDS)
def test_any_providers_word_means_the_same_on_all(wire: str, word: str) -> None:
    """It is sent as the word that means the same, or the checker says that there is none."""
    whole, streamed, _ = sent(wire, word)
    assert whole.finish == streamed.finish
    assert (whole.finish != MEANING[word]) == bool(findings(wire, word)), whole


@pytest.mark.parametrize("wire", WIRES)
def test_a_word_that_nobody_knows_is_reported(wire: str) -> None:
    """The sentence quotes it and tells words that the provider has; some of them can be used."""
    (told,) = findings(wire, "done")
    assert 'no finish reason "done"' in told.replace("stop reason", "finish reason")
    assert any(f'"{word}"' in told for word in judges()[wire].words)
