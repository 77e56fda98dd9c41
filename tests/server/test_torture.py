"""The fast transport under attack: nothing that comes over a socket is misread, fills memory or stops the server."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace

import pytest
import zstandard
from raw_http import CHAT, Raw, chat, text
from serving import serving

from llmposter.server import Running, fast
from llmposter.server.limits import Limits

ECHO = """
[[states.talk]]
when = 'user == "long"'
reply = "${'LONG'}"
stream = { chunk = "20000 characters" }

[[states.talk]]
when = 'user == "later"'
reply = "late"
latency = "1h"

[[states.talk]]
when = 'user == "soon"'
reply = "one two three"
stream = { chunk = "1 word" }

[[states.talk]]
reply = "you said ${user}"
""".replace("${'LONG'}", "word " * 1_000_000)


@pytest.fixture(scope="module", autouse=True)
def on_the_fast_transport() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("LLMPOSTER_TRANSPORT", "fast")
        yield


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with serving(ECHO) as running:
        yield running


@contextmanager
def within(limits: Limits, **settings: object) -> Iterator[Running]:
    """A server with other limits than it has by itself."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(fast, "Limits", lambda: limits)
        with serving(ECHO, **settings) as running:
            yield running


def alive(server: Running) -> None:
    with Raw(server.url) as raw:
        assert text(raw.ask("POST", CHAT, chat("there?"))) == "you said there?"


def post(body: bytes, *fields: bytes) -> bytes:
    return b"\r\n".join((b"POST /v1/chat/completions HTTP/1.1", b"host: x", *fields, b"", body))


BODY = json.dumps(chat("split")).encode()
PLAIN = post(BODY, b"content-length: %d" % len(BODY))
SPLIT = {
    "plain": PLAIN,
    "chunked": post(b"5;a=b\r\n%b\r\n%x\r\n%b\r\n0\r\nx-trailer: 1\r\n\r\n" % (BODY[:5], len(BODY) - 5, BODY[5:]),
                    b"transfer-encoding: chunked"),
    "h2c": post(BODY, b"connection: Upgrade, HTTP2-Settings", b"upgrade: h2c", b"http2-settings: AAA",
                b"content-length: %d" % len(BODY)),
    "empty lines before": b"\r\n\r\n" + PLAIN,
}  # fmt: skip


@pytest.mark.parametrize("data", SPLIT.values(), ids=SPLIT)
def test_a_request_split_at_any_byte_is_the_same_request(server: Running, data: bytes) -> None:
    """Wherever its bytes are parted, and if they come one by one, a request is read alike, and so is the next one."""
    with Raw(server.url) as raw:
        raw.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(1, len(data), 3):
            raw.send(data[:at])
            time.sleep(0.0005)
            raw.send(data[at:])
            assert text(raw.read()) == "you said split", data[:at]
        for at in range(len(data)):
            raw.send(data[at : at + 1])
        assert text(raw.read()) == "you said split"
        assert text(raw.ask("POST", CHAT, chat("next"))) == "you said next"


def test_an_unknown_method_split_at_any_byte_is_answered(server: Running) -> None:
    """A method that the parser does not know is answered like any other, however its bytes come."""
    data = post(b"", b"content-length: 0").replace(b"POST", b"BREW", 1)
    with Raw(server.url) as raw:
        for at in range(1, len(data), 5):
            raw.send(data[:at])
            time.sleep(0.0005)
            raw.send(data[at:])
            assert raw.read().message == "/v1/chat/completions takes POST, not BREW"
        for at in range(len(data)):
            raw.send(data[at : at + 1])
            time.sleep(0.0002)
        assert raw.read().status == 405
        assert text(raw.ask("POST", CHAT, chat("next"))) == "you said next"


HIDDEN = b"GET /_llmposter/hidden HTTP/1.1\r\nhost: x\r\n\r\n"
SMUGGLED = {
    "length and chunks": post(b"0\r\n\r\n" + HIDDEN, b"content-length: 6", b"transfer-encoding: chunked"),
    "chunks and length": post(b"0\r\n\r\n" + HIDDEN, b"transfer-encoding: chunked", b"content-length: 6"),
    "two lengths": post(HIDDEN, b"content-length: 0", b"content-length: 5"),
    "one length twice": post(HIDDEN, b"content-length: 0", b"content-length: 0"),
    "a list of lengths": post(HIDDEN, b"content-length: 0, 5"),
    "a length with a sign": post(HIDDEN, b"content-length: +0"),
    "a length below nothing": post(HIDDEN, b"content-length: -1"),
    "a hexadecimal length": post(HIDDEN, b"content-length: 0x0"),
    "an empty length": post(HIDDEN, b"content-length: "),
    "a length beyond 64 bits": post(HIDDEN, b"content-length: 18446744073709551616"),
    "a space before the colon": post(HIDDEN, b"content-length : 0"),
    "chunked in disguise": post(b"0\r\n\r\n" + HIDDEN, b"transfer-encoding: xchunked"),
    "chunked twice": post(b"0\r\n\r\n" + HIDDEN, b"transfer-encoding: chunked", b"transfer-encoding: chunked"),
    "chunked and more": post(b"0\r\n\r\n" + HIDDEN, b"transfer-encoding: chunked, identity"),
    "another coding first": post(b"0\r\n\r\n" + HIDDEN, b"transfer-encoding: gzip, chunked"),
    "chunks of HTTP/1.0": post(b"0\r\n\r\n" + HIDDEN, b"transfer-encoding: chunked").replace(b"1.1", b"1.0", 1),
    "a chunk's size with a sign": post(b"+0\r\n\r\n" + HIDDEN, b"transfer-encoding: chunked"),
    "a chunk's size with 0x": post(b"0x0\r\n\r\n" + HIDDEN, b"transfer-encoding: chunked"),
    "a chunk's size beyond 64 bits": post(b"1" + b"0" * 16 + b"\r\n" + HIDDEN, b"transfer-encoding: chunked"),
    "a chunk's end missing": post(b"1\r\nab\r\n0\r\n\r\n" + HIDDEN, b"transfer-encoding: chunked"),
    "a bare line feed after a chunk": post(b"1\r\na\n0\r\n\r\n" + HIDDEN, b"transfer-encoding: chunked"),
    "a bare line feed after a size": post(b"0\n\r\n" + HIDDEN, b"transfer-encoding: chunked"),
    "a folded header": post(HIDDEN, b"x: a", b" b", b"content-length: 0"),
    "a folded first header": b"GET / HTTP/1.1\r\n host: x\r\n\r\n" + HIDDEN,
    "bare line feeds": b"GET / HTTP/1.1\nhost: x\n\n" + HIDDEN,
    "a bare carriage return": post(HIDDEN, b"x: a\rb", b"content-length: 0"),
    "a NUL": post(HIDDEN, b"x: a\0b", b"content-length: 0"),
    "a NUL in a name": post(HIDDEN, b"x\0: a", b"content-length: 0"),
    "a NUL in the target": b"GET /\0 HTTP/1.1\r\nhost: x\r\n\r\n" + HIDDEN,
    "a space in the target": b"GET /a b HTTP/1.1\r\nhost: x\r\n\r\n" + HIDDEN,
    "no Host": b"GET / HTTP/1.1\r\n\r\n" + HIDDEN,
    "two Hosts": b"GET / HTTP/1.1\r\nhost: x\r\nhost: y\r\n\r\n" + HIDDEN,
    "a header without a name": post(HIDDEN, b": a", b"content-length: 0"),
    "HTTP/0.9": b"GET /\r\n\r\n" + HIDDEN,
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + HIDDEN,
    "another version": b"GET / HTTP/2.0\r\nhost: x\r\n\r\n" + HIDDEN,
    "a proxy's method": b"CONNECT x:1 HTTP/1.1\r\nhost: x\r\n\r\n" + HIDDEN,
    "an answer": b"HTTP/1.1 200 OK\r\n\r\n" + HIDDEN,
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + HIDDEN,
    "an expectation": post(HIDDEN, b"expect: tea", b"content-length: 0"),
}


@pytest.mark.parametrize("data", SMUGGLED.values(), ids=SMUGGLED)
def test_what_two_readers_could_read_in_two_ways_is_refused(server: Running, data: bytes) -> None:
    """Doubtful framing gets a refusal that says why, and the connection ends; what hides behind it is not read."""
    with Raw(server.url) as raw:
        raw.send(data)
        answer = raw.read()
        assert answer.status in (400, 417, 501, 505)
        assert answer.headers["connection"] == "close"
        assert answer.message.startswith("llmposter cannot read this request: ")
        assert raw.file.read() == b""
    alive(server)


def test_what_stands_before_a_refusal_is_answered(server: Running) -> None:
    """Good requests in front of bad bytes are answered first, in order."""
    with Raw(server.url) as raw:
        raw.send(PLAIN + PLAIN + b"\0")
        assert [text(raw.read()), text(raw.read())] == ["you said split"] * 2
        assert raw.read().status == 400
        assert raw.file.read() == b""


@pytest.mark.parametrize(
    "data, status",
    [
        (b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nhost: x\r\n\r\n", 414),
        (b"GET /" + b"a" * 200_000, 414),
        (b"GET / HTTP/1.1\r\nhost: x\r\n" + b"".join(b"x%d: y\r\n" % n for n in range(300)) + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\nhost: x\r\n" + b"x: y\r\n" * 300 + b"\r\n", 400),
        (b"GET / HTTP/1.1\r\nhost: x\r\nx: " + b"y" * 70_000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nhost: x\r\nx: " + b"y" * 1_000_000, 431),
        (b"GET / HTTP/1.1\r\nhost: x\r\n" + b"y" * 1_000_000, 431),
        (post(b"1;" + b"e" * 300_000, b"transfer-encoding: chunked"), 400),
        (post(b"1\r\n{\r\n0\r\nx: " + b"t" * 1_000_000, b"transfer-encoding: chunked"), 400),
        (post(b"", b"content-length: 1000000000000000000"), 413),
        (b"\r\n" * 100_000 + b"\0", 400),
    ],
)
def test_whatever_is_too_large_is_refused(server: Running, data: bytes, status: int) -> None:
    """Targets, heads, headers, chunk extensions and trailers are bounded, whether they end or not."""
    with Raw(server.url) as raw:
        with suppress(ConnectionError):
            raw.send(data)
        assert raw.read().status == status
    alive(server)


PACKED: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", gzip.compress),
    "x-gzip": ("x-gzip", gzip.compress),
    "two members": ("gzip", lambda body: gzip.compress(body[:9]) + gzip.compress(body[9:])),
    "deflate": ("deflate", zlib.compress),
    "bare deflate": ("deflate", lambda body: zlib.compress(body)[2:-4]),
    "zstd": ("zstd", zstandard.compress),
    "two at once": ("gzip, zstd", lambda body: zstandard.compress(gzip.compress(body))),
    "identity": ("identity", lambda body: body),
}


@pytest.mark.parametrize("encoding, pack", PACKED.values(), ids=PACKED)
def test_a_compressed_body_is_read(server: Running, encoding: str, pack: Callable[[bytes], bytes]) -> None:
    """gzip, deflate in both its forms, and zstd."""
    with Raw(server.url) as raw:
        answer = raw.ask("POST", CHAT, pack(json.dumps(chat("packed")).encode()), content_encoding=encoding)
        assert text(answer) == "you said packed"


BIG = b" " * (16 * 1024 * 1024 + 1)
BADLY_PACKED = {
    "no gzip": ("gzip", b"{}", 400, "The body is not the gzip that its headers say it is."),
    "gzip cut off": ("gzip", gzip.compress(BODY)[:-9], 400, "The body is not the gzip that its headers say it is."),
    "no deflate": ("deflate", b"\xff\xff", 400, "The body is not the deflate that its headers say it is."),
    "no zstd": ("zstd", b"{}", 400, "The body is not the zstd that its headers say it is."),
    "a bomb of gzip": ("gzip", gzip.compress(BIG), 413, "The body is larger than 16 MiB."),
    "a bomb of deflate": ("deflate", zlib.compress(BIG), 413, "The body is larger than 16 MiB."),
    "a bomb of zstd": ("zstd", zstandard.compress(BIG), 413, "The body is larger than 16 MiB."),
    "empty members": ("gzip", gzip.compress(b"") * 5000, 400, "The body is not the gzip that its headers say it is."),
    "unknown": ("br", b"x", 415, '"br" is no content encoding that is read: send gzip, deflate, zstd.'),
    "too often": ("gzip, gzip, gzip", b"x", 415, "The body is compressed 3 times over."),
}  # fmt: skip


@pytest.mark.parametrize("encoding, body, status, message", BADLY_PACKED.values(), ids=BADLY_PACKED)
def test_a_badly_compressed_body_is_refused(
    server: Running, encoding: str, body: bytes, status: int, message: str
) -> None:
    """What does not unpack, or unpacks to too much, is refused in the provider's words; the connection goes on."""
    with Raw(server.url) as raw:
        answer = raw.ask("POST", CHAT, body, content_encoding=encoding)
        assert (status, message) == (answer.status, answer.message)
        assert text(raw.ask("POST", CHAT, chat("on"))) == "you said on"


QUICK = replace(Limits(), head_time=0.2, body_time=0.2, idle=0.4, linger=0.2)


@pytest.mark.parametrize("data", [b"P", b"BR", PLAIN[:30], post(b"", b"content-length: 5"), PLAIN + PLAIN[:40]])
def test_a_request_that_comes_too_slowly_is_told_so(data: bytes) -> None:
    """A head or a body that has begun has so long to end, and drops of bytes do not stretch it."""
    with within(QUICK) as server, Raw(server.url) as raw:
        raw.send(data)
        if data.startswith(PLAIN):
            assert text(raw.read()) == "you said split"
        answer = raw.read()
        assert (408, "close") == (answer.status, answer.headers["connection"])
        assert raw.file.read() == b""


def test_an_idle_connection_is_closed() -> None:
    """A connection without a request is closed in time, before its first request and after it."""
    with within(QUICK) as server, Raw(server.url) as silent, Raw(server.url) as used:
        assert text(used.ask("POST", CHAT, chat("a"))) == "you said a"
        assert silent.file.read() == b""
        assert used.file.read() == b""


def test_an_answer_that_is_waited_for_is_no_idle_connection() -> None:
    """Limits on requests do not end an answer that takes longer than they do."""
    with within(QUICK, clock="manual") as server, Raw(server.url) as raw:
        raw.send(raw.request("POST", CHAT, chat("later")))
        time.sleep(0.8)
        server.clock.advance(3600)
        assert text(raw.read()) == "late"


def test_a_reader_that_has_stopped_is_parted_from() -> None:
    """A client that reads nothing of a long answer for too long loses its connection, and the journal says so."""
    with within(QUICK) as server, Raw(server.url) as raw:
        raw.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.send(raw.request("POST", CHAT, chat("long", stream=True)))
        for _ in range(300):
            entries = server.mock.journal()["entries"]
            if entries and entries[0]["how"] != "pending":
                break
            time.sleep(0.01)
        assert entries[0]["how"] == "client left"


def test_a_client_that_sends_no_more_is_still_answered(server: Running) -> None:
    """Who closes only the way to the server gets whole answers, streams that flow, and then the connection's end."""
    for said, stream in (("bye", False), ("soon", True), ("long", True)):
        with Raw(server.url) as raw:
            raw.send(raw.request("POST", CHAT, chat(said, stream=stream)))
            raw.socket.shutdown(socket.SHUT_WR)
            answer = raw.read()
            assert answer.body.endswith(b"[DONE]\n\n") if stream else text(answer) == "you said bye"
            assert raw.file.read() == b""


def test_who_sends_no_more_and_only_waits_has_left(server: Running) -> None:
    """An answer that only waits is broken off soon after its client closed its side."""
    with Raw(server.url) as raw:
        raw.send(raw.request("POST", "/@waiting" + CHAT, chat("later")))
        raw.socket.shutdown(socket.SHUT_WR)
        assert raw.file.read() == b""
    assert server.mock.journal("waiting")["entries"][-1]["how"] == "client left"


def test_a_thousand_pipelined_requests_are_answered_in_order(server: Running) -> None:
    """More requests at once than are queued, and more answers than fit into the socket, all come in order."""
    with Raw(server.url) as raw:
        asked = b"".join(raw.request("POST", CHAT, chat(f"n{n}", stream=n % 3 == 0)) for n in range(1000))

        async def send() -> None:
            await asyncio.to_thread(raw.send, asked)

        async def read() -> None:
            for n in range(1000):
                answer = await asyncio.to_thread(raw.read)
                assert f"n{n}".encode() in answer.body.replace(b'"}', b"")

        async def both() -> None:
            await asyncio.gather(send(), read())

        asyncio.run(both())


def test_a_hundred_slow_readers_do_not_slow_the_others(server: Running) -> None:
    """While a hundred clients leave long streams unread, others are answered; the slow ones then get all of theirs."""
    with ExitStack() as stack:
        slow = [stack.enter_context(Raw(server.url)) for _ in range(100)]
        for raw in slow:
            raw.send(raw.request("POST", CHAT, chat("long", stream=True)))
        with Raw(server.url) as other:
            for n in range(50):
                assert text(other.ask("POST", CHAT, chat(f"n{n}"))) == f"you said n{n}"
        assert all(entry["how"] == "pending" for entry in server.mock.journal()["entries"][-150:] if entry["stream"])
        assert slow[0].read().body.endswith(b"[DONE]\n\n")


def test_connections_that_send_nothing_hold_up_nobody() -> None:
    """As many silent connections as fit, up to ten thousand, and one that asks is answered; one too many is told so."""
    from llmposter.server.files import room_for

    many = min(10_000, room_for(20_300) // 2 - 150)
    with serving(ECHO, most_connections=many) as server, ExitStack() as stack:
        for _ in range(many - 1):
            stack.callback(socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2]))).close)
        with Raw(server.url) as raw:
            assert text(raw.ask("POST", CHAT, chat("there?"))) == "you said there?"
            with Raw(server.url) as late:
                answer = late.read()
                assert answer.status == 503
                assert answer.message == f"llmposter has {many} connections open, which is the most that it takes"
            assert text(raw.ask("POST", CHAT, chat("still?"))) == "you said still?"


def test_stopping_takes_no_longer_with_many_open() -> None:
    """A server with clients that wait, that do not read, and that are half through a request stops within a second."""
    with serving(ECHO) as server, ExitStack() as stack:
        for data in (post(b"", b"content-length: 5"), PLAIN[:20], b"BR"):
            stack.enter_context(Raw(server.url)).send(data)
        for said in ("later", "long"):
            raw = stack.enter_context(Raw(server.url))
            raw.send(raw.request("POST", CHAT, chat(said, stream=True)))
        alive(server)
        began = time.monotonic()
        server.stop()
        assert time.monotonic() - began < 2
