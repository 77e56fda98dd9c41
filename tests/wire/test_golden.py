"""What every wire sends, to the byte; `LLMPOSTER_GOLDEN=write` writes the files again, to review what changed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from speaker import request
from wire_cases import CHUNKS, FAILURES, LIMITED, REJECTED, REPLIES

from llmposter.core.delivery import pieces
from llmposter.model import Delta, Response, Text, Turn
from llmposter.wire import load

WIRES = load()
GOLDEN = Path(__file__).parent / "golden"
WRITING = os.environ.get("LLMPOSTER_GOLDEN") == "write"
REFUSED = {"miss": "no rule matches"}


def http(answer: Response) -> bytes:
    """An answer as HTTP would show it."""
    headers = "".join(f"{name}: {value}\n" for name, value in answer.headers)
    return f"{answer.status}\n{headers}\n".encode() + answer.body


def whole(wire, name: str) -> bytes:
    turn = Turn(wire.name, request(b""), "gpt-4o", stream=False, system="", messages=())
    return http(wire.whole(turn, REPLIES[name]))


def streamed(wire, name: str) -> bytes:
    turn = Turn(wire.name, request(b""), "gpt-4o", stream=True, system="", messages=())
    spoken = pieces(REPLIES[name], CHUNKS["2 words"])
    body = b"".join(frame.data for frame in wire.stream(turn, REPLIES[name], spoken))
    return http(Response(200, wire.head(turn, REPLIES[name]), body))


def rejected(wire, name: str) -> bytes:
    return http(wire.access.rejected(REJECTED[name], 12.5))


def limited(wire, name: str) -> bytes:
    return http(wire.access.limited(LIMITED[name], "m-1", 12.5))


SAMPLES = [
    *((f"{name}.whole", whole, name) for name in REPLIES),
    *((f"{name}.stream", streamed, name) for name in REPLIES),
    *((f"{name}.error", lambda wire, name: http(wire.failure(FAILURES[name], 12.5)), name) for name in FAILURES),
    *(
        (f"{name}.error", lambda wire, name: http(wire.access.rejected(REJECTED[name], 12.5)), name)
        for name in REJECTED
    ),
    *(
        (f"{name}.error", lambda wire, name: http(wire.access.limited(LIMITED[name], "m-1", 12.5)), name)
        for name in LIMITED
    ),
    *((f"{name}.error", lambda wire, name: http(wire.miss(REFUSED[name], 12.5)), name) for name in REFUSED),
]


@pytest.mark.parametrize("wire", WIRES.values(), ids=WIRES)
@pytest.mark.parametrize("file, say, name", SAMPLES, ids=[file for file, *_ in SAMPLES])
def test_the_bytes_are_those_of_the_golden_file(wire, file: str, say, name: str) -> None:
    """Every reply, whole and streamed, and every error: status, headers and body."""
    path = GOLDEN / wire.name / file.replace(" ", "-")
    if WRITING:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(say(wire, name))
    assert path.read_bytes() == say(wire, name)


@pytest.mark.parametrize("wire", WIRES.values(), ids=WIRES)
def test_every_golden_file_is_read(wire) -> None:
    """No file is left over from a case that is gone."""
    assert {path.name for path in (GOLDEN / wire.name).iterdir()} == {file.replace(" ", "-") for file, *_ in SAMPLES}


@pytest.mark.parametrize("wire", WIRES.values(), ids=WIRES)
def test_each_piece_is_spoken_in_a_frame_of_its_own(wire) -> None:
    """The frames of a stream name the pieces they speak, in order, so that faults and pace find their place."""
    turn = Turn(wire.name, request(b""), "gpt-4o", stream=True, system="", messages=())
    for reply in REPLIES.values():
        spoken = list(pieces(reply, CHUNKS["1 word"]))
        told = [frame.piece for frame in wire.stream(turn, reply, iter(spoken)) if frame.piece is not None]
        order = [next(n for n, piece in enumerate(spoken) if piece is each) for each in told]
        assert order == sorted(order)
        assert {id(p) for p in spoken if isinstance(p, Delta) and isinstance(p.part, Text)} <= set(map(id, told))
