"""Heads that came before are recognised; with that memory every connection is answered as it is without."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from serving import programs

from llmposter.core.clock import ManualClock
from llmposter.core.mock import Mock
from llmposter.server import request_head
from llmposter.server.fast import Fast
from llmposter.server.peer import HttpRequestParser, Peer
from llmposter.server.request_head import Known
from llmposter.server.service import Service

ECHO = """
[[states.talk]]
when = 'user == "later"'
reply = "late"
latency = "1h"

[[states.talk]]
reply = "you said ${user}"
"""
PROGRAMS = programs(ECHO)


class Socket:
    """A transport that keeps what is written to it, with the date left out."""

    def __init__(self) -> None:
        self.written = b""
        self.closed = False

    def write(self, data: bytes) -> None:
        self.written += re.sub(rb"date: [^\r]*\r\n", b"", data)

    def close(self) -> None:
        self.closed = True

    def write_eof(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def get_extra_info(self, _: str) -> None:
        return None

    def pause_reading(self) -> None:
        """Nothing is read but what it is given."""

    def resume_reading(self) -> None:
        """Likewise."""


class Nobody:
    """In place of Tornado's application."""

    def on_close(self, _: object) -> None:
        """Hears of every end."""


class Llhttp(HttpRequestParser):
    """Counts the bytes that it is asked to read."""

    bytes_read = 0

    def feed_data(self, data: bytes) -> None:
        Llhttp.bytes_read += len(data)
        super().feed_data(data)


def told(cuts: Iterable[bytes], known: Known | None = None, forget: bool = False, later: bool = False) -> Socket:
    """What a connection is answered whose bytes come in these cuts."""

    async def go() -> Socket:
        clock = ManualClock()
        server = Fast(Service(Mock(PROGRAMS, clock), clock), Nobody, 10)  # type: ignore[arg-type]
        server.known = server.known if known is None else known
        peer, out = Peer(server), Socket()
        peer.connection_made(out)  # type: ignore[arg-type]
        for cut in cuts:
            if forget:
                server.known = Known()
            peer.data_received(cut)
        if later:
            await asyncio.sleep(0.001)
            clock.advance(3600)
            await asyncio.sleep(0.01)
        peer.connection_lost(None)
        return out

    return asyncio.run(go())


def post(said: bytes, *fields: bytes, framed: bool = True) -> bytes:
    body = b'{"model": "m", "messages": [{"role": "user", "content": "%b"}]}' % said
    length = (b"content-length: %d" % len(body),) if framed else ()
    return b"\r\n".join((b"POST /v1/chat/completions HTTP/1.1", b"host: x", *length, *fields, b"", body))


PLAIN = post(b"one")
HEAD, BODY = PLAIN[: PLAIN.index(b"\r\n\r\n") + 4], PLAIN[PLAIN.index(b"\r\n\r\n") + 4 :]
HIDDEN = b"GET /hidden HTTP/1.1\r\nhost: x\r\n\r\n"


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """How many bytes llhttp has read since it was last asked."""
    monkeypatch.setattr("llmposter.server.peer.HttpRequestParser", Llhttp)

    def count() -> int:
        Llhttp.bytes_read, found = 0, Llhttp.bytes_read
        return found

    count()
    return count


def test_llhttp_reads_a_head_once(counted: Callable[[], int]) -> None:
    """A head that came before is recognised on every connection of the server, and its next body is read."""
    known = Known()
    first = told([PLAIN, post(b"two")], known)
    assert len(PLAIN) == counted()
    assert re.findall(rb"you said \w+", first.written) == [b"you said one", b"you said two"]
    assert told([post(b"six")], known).written.count(b"you said six") == 1
    assert counted() == 0


LEFT_TO_LLHTTP = {
    "another length": [post(b"longer")],
    "a body that is not there yet": [HEAD, BODY],
    "half of a body": [HEAD + BODY[:9], BODY[9:]],
    "two at once": [PLAIN + PLAIN],
    "another behind it": [PLAIN + HIDDEN],
    "an empty line before it": [b"\r\n" + PLAIN],
    "one more header": [post(b"one", b"x: y")],
    "another case": [PLAIN.replace(b"host", b"Host")],
}


@pytest.mark.parametrize("cuts", LEFT_TO_LLHTTP.values(), ids=LEFT_TO_LLHTTP)
def test_only_one_whole_call_is_recognised(counted: Callable[[], int], cuts: list[bytes]) -> None:
    """Whatever differs by a byte from a head that is known, or is not one call to its end, llhttp reads."""
    known = Known()
    told([PLAIN], known)
    counted()
    assert told(cuts, known).written == told(cuts).written
    assert counted() == 2 * sum(map(len, cuts))


UNUSUAL = {
    "HTTP/1.0": PLAIN.replace(b"HTTP/1.1", b"HTTP/1.0"),
    "the last": post(b"one", b"connection: close"),
    "chunks": post(b"one", b"transfer-encoding: chunked", framed=False).replace(BODY, b"2\r\n{}\r\n0\r\n\r\n"),
    "an expectation": post(b"one", b"expect: 100-continue"),
    "an offer": post(b"one", b"connection: upgrade", b"upgrade: h2c"),
    "an empty line before": b"\r\n" + PLAIN,
    "a method that llhttp does not know": PLAIN.replace(b"POST", b"BREW"),
    "the admin API": HIDDEN.replace(b"/hidden", b"/_llmposter/x"),
    "no HTTP": b"\0",
    "two lengths": post(b"one", b"content-length: 5"),
    "bare line feeds": PLAIN.replace(b"\r\n", b"\n"),
}


@pytest.mark.parametrize("data", UNUSUAL.values(), ids=UNUSUAL)
def test_what_is_unusual_is_never_known(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    """A head whose call ends, begins or goes on otherwise than by its own length is read each time."""
    monkeypatch.setattr("llmposter.server.handover.hand_over", lambda call, _: call.whole(200, (), b""))
    known = Known()
    told([data], known)
    assert len(known) == 0


def test_the_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Heads that never come again do not pile up, neither by number nor by size, and all are answered."""
    monkeypatch.setattr(request_head, "MOST_HEADS", 10)
    monkeypatch.setattr(request_head, "MOST_BYTES", 2_000)
    known = Known()
    for n in range(100):
        fields = [b"traceparent: %d" % n, b"x-long: " + b"y" * (n * 15)]
        assert b"you said one" in told([post(b"one", *fields)], known).written
        assert len(known) <= 10
    assert len(known) == 1


def test_calls_behind_an_answer_that_waits_keep_their_order() -> None:
    """What comes while another call is being answered waits for its turn, whether its head is known or not."""
    cuts = [post(b"later"), post(b"other"), post(b"third")]
    known = Known()
    told(cuts, known, later=True)
    for memory in (known, None):
        written = told(cuts, memory, later=True).written
        assert re.findall(rb"late|you said \w+", written) == [b"late", b"you said other", b"you said third"]
        assert told(cuts, memory).written == b""


def test_a_client_that_does_not_read_holds_up_its_calls() -> None:
    """Nothing is answered to who has not read what is there, whether the head is known or not."""

    async def go() -> None:
        clock = ManualClock()
        server = Fast(Service(Mock(PROGRAMS, clock), clock), Nobody, 10)  # type: ignore[arg-type]
        peer, out = Peer(server), Socket()
        peer.connection_made(out)  # type: ignore[arg-type]
        peer.data_received(PLAIN)
        peer.pause_writing()
        peer.data_received(post(b"two"))
        assert b"two" not in out.written
        peer.resume_writing()
        assert b"two" in out.written
        peer.connection_lost(None)

    asyncio.run(go())


PIECES = [PLAIN, post(b"two"), post(b"later"), HEAD, BODY, HIDDEN, b"\r\n", b"\0"]
PIECES += [data for data in UNUSUAL.values() if b"_llmposter" not in data]


@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=5), st.lists(st.floats(0, 1), max_size=4))
def test_a_memory_of_heads_changes_no_answer(pieces: list[bytes], places: list[float]) -> None:
    """Whatever is sent, and wherever it is cut, a server that knows heads answers as one that knows none."""
    data = b"".join([PLAIN, *pieces])
    at = sorted({0, len(PLAIN), *(len(PLAIN) + int(place * (len(data) - len(PLAIN))) for place in places), len(data)})
    cuts = [data[a:b] for a, b in pairwise(at)]
    with_memory, without = told(cuts, later=True), told(cuts, forget=True, later=True)
    assert (without.written, without.closed) == (with_memory.written, with_memory.closed)
