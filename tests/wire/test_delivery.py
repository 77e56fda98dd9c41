"""Delivery: a reply cut into pieces, and a step made into a plan."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from speaker import request, step
from wire_cases import CHUNKS, MATRIX, REPLIES, reply

from llmposter.core.delivery import pieces, plan
from llmposter.core.tokens import estimate
from llmposter.model import Delta, Ended, Failure, Miss, Reply, Response, Send, Started, Text, ToolCall, Turn, Wait
from llmposter.wire import load
from llmposter_dsl.program import Chunk

WIRES = load()
TURN = Turn("openai", request(b""), "m", stream=False, system="", messages=())
STREAMED = Turn("openai", request(b""), "m", stream=True, system="", messages=())


def said(part: object) -> str:
    return part.arguments if isinstance(part, ToolCall) else part.text


def cut(text: str, chunk: Chunk) -> list[str]:
    return [p.text for p in pieces(reply(Text(text)), chunk) if isinstance(p, Delta)]


CUTS = [
    # text, chunk, what comes
    ("abcdefg", Chunk(3, "characters"), ["abc", "def", "g"]),
    ("é𝄞x", Chunk(1, "characters"), ["é", "𝄞", "x"]),
    ("  one two\n\nthree ", Chunk(1, "words"), ["  one", " two", "\n\nthree "]),
    ("one two three four five", Chunk(2, "words"), ["one two", " three four", " five"]),
    (" \n ", Chunk(1, "words"), [" \n "]),
    ("a,b c", Chunk(1, "words"), ["a,b", " c"]),
    ("abcdefghij", Chunk(1, "tokens"), ["abcd", "efgh", "ij"]),
    ("abcdefghij", Chunk(2, "tokens"), ["abcdefgh", "ij"]),
    ("東京都", Chunk(1, "tokens"), ["東", "京", "都"]),
    ("東京都", Chunk(2, "tokens"), ["東京", "都"]),
    ("𝄞𝄞", Chunk(1, "tokens"), ["𝄞", "𝄞"]),
    ("abc def", Chunk(1, "whole"), ["abc def"]),
    *(("", chunk, []) for chunk in CHUNKS.values()),
]


@pytest.mark.parametrize("text, chunk, expected", CUTS)
def test_text_is_cut_by_its_unit(text: str, chunk: Chunk, expected: list[str]) -> None:
    """Characters, words with the white space before them, tokens of four bytes, or all at once."""
    assert expected == cut(text, chunk)


def test_the_words_of_arguments_are_those_between_the_punctuation() -> None:
    """Arguments are JSON without white space, and yet are cut by words."""
    call = ToolCall("c", "f", '{"city":"New York","n":-1.5}')
    cuts = [p.text for p in pieces(reply(call), Chunk(1, "words")) if isinstance(p, Delta)]
    assert cuts == ['{"city', '":"New', " York", '","n', '":-1', ".5}"]


@pytest.mark.parametrize("name, chunk", MATRIX)
def test_a_part_begins_is_spoken_and_ends(name: str, chunk: str) -> None:
    """Each part gives Started, its text in deltas that are never empty, and Ended, one part after the other."""
    given_ = REPLIES[name]
    spoken = list(pieces(given_, CHUNKS[chunk]))
    by_part: dict[int, list[object]] = {n: [] for n in range(len(given_.parts))}
    for piece in spoken:
        by_part[piece.index].append(piece)
    assert [piece.index for piece in spoken] == sorted(piece.index for piece in spoken)
    for index, part in enumerate(given_.parts):
        first, *middle, last = by_part[index]
        assert (Started(index, part), Ended(index, part)) == (first, last)
        assert all(isinstance(piece, Delta) and piece.text and piece.part == part for piece in middle)
        assert said(part) == "".join(piece.text for piece in middle)


@given(
    st.text(st.characters(), max_size=200),
    st.builds(Chunk, st.integers(1, 9), st.sampled_from(["characters", "tokens", "words", "whole"])),
)
def test_the_chunks_joined_are_the_text(text: str, chunk: Chunk) -> None:
    """No character is lost, doubled or changed, whatever the text, in texts and in arguments."""
    for part in (Text(text), ToolCall("c", "f", text)):
        chunks = [p.text for p in pieces(reply(part), chunk) if isinstance(p, Delta)]
        assert text == "".join(chunks)
        assert all(chunks)


@given(st.text(st.characters(codec="ascii"), max_size=400))
def test_as_many_tokens_go_out_as_are_counted(text: str) -> None:
    """One token at a time gives as many chunks as the estimate of the usage."""
    assert estimate(text) == len(cut(text, Chunk(1, "tokens")))


def test_long_texts_are_cut_in_linear_time() -> None:
    """Long runs of white space, of letters and of punctuation cost no more than their length."""
    for text in (" " * 60_000, "a" * 60_000, "." * 60_000, (" " * 1000 + "a") * 60):
        for chunk in CHUNKS.values():
            for part in (Text(text), ToolCall("c", "f", text)):
                assert text == "".join(p.text for p in pieces(reply(part), chunk) if isinstance(p, Delta))


# --- plans --------------------------------------------------------------------------------------------------------

OUTCOMES = {
    "reply": REPLIES["text"],
    "failure": Failure(name="overloaded", message="later"),
    "miss": Miss("no rule matches"),
}


@pytest.mark.parametrize("wire", WIRES.values(), ids=WIRES)
@pytest.mark.parametrize("latency", [0.0, 0.25])
@pytest.mark.parametrize("kind", OUTCOMES)
def test_a_body_goes_out_at_once_after_its_latency(wire, latency: float, kind: str) -> None:
    """What is not streamed is one Send, behind a Wait if there is a latency, as the wire words it."""
    outcome = OUTCOMES[kind]
    match outcome:
        case Reply():
            expected = wire.whole(TURN, outcome)
        case Failure():
            expected = wire.failure(outcome, 5.0)
        case Miss(message=message):
            expected = wire.miss(message, 5.0)
    planned = plan(step(outcome, latency=latency), TURN, wire, 5.0)
    assert isinstance(expected, Response)
    assert (expected.status, expected.headers, False) == (planned.status, planned.headers, planned.streamed)
    assert ([Wait(0.25)] if latency else []) + [Send(expected.body)] == list(planned.items)


@pytest.mark.parametrize("wire", WIRES.values(), ids=WIRES)
@pytest.mark.parametrize("kind", ["failure", "miss"])
def test_an_error_is_never_streamed(wire, kind: str) -> None:
    """A request for a stream gets its error as a body."""
    planned = plan(step(OUTCOMES[kind]), STREAMED, wire, 0.0)
    assert not planned.streamed
    assert planned.status >= 400
    assert len(list(planned.items)) == 1


@pytest.mark.parametrize("wire", WIRES.values(), ids=WIRES)
def test_a_stream_is_one_send_for_each_frame(wire) -> None:
    """A streamed reply waits, then sends each frame of the wire by itself."""
    chunk = CHUNKS["1 word"]
    planned = plan(step(REPLIES["text"], chunk, 0.5), STREAMED, wire, 0.0)
    frames = wire.stream(STREAMED, REPLIES["text"], pieces(REPLIES["text"], chunk))
    assert (200, True, wire.head(STREAMED, REPLIES["text"])) == (planned.status, planned.streamed, planned.headers)
    assert [Wait(0.5), *frames] == list(planned.items)


@pytest.mark.parametrize("wire", WIRES.values(), ids=WIRES)
def test_a_stream_is_cut_only_as_it_is_asked_for(wire) -> None:
    """The first bytes of a long answer are there before the rest is worked out."""
    long = reply(Text("word " * 2_000_000))
    items = plan(step(long, CHUNKS["1 character"]), STREAMED, wire, 0.0).items
    assert isinstance(items, Iterator)
    assert all(isinstance(next(items), Send) for _ in range(10))
