"""What the fast transport lends to Tornado, and what it gives to an answer: handlers, WebSockets, the bare socket."""

from __future__ import annotations

import asyncio
import base64
import socket
import struct
from collections.abc import Iterator

import pytest
from raw_http import CHAT, Raw, chat, text
from serving import serving
from tornado.http1connection import HTTP1Connection
from tornado.iostream import IOStream
from tornado.web import Application, HTTPError, RequestHandler
from tornado.websocket import WebSocketHandler
from websockets.asyncio.client import connect

from llmposter.model import Connection
from llmposter.server import Running, admin
from llmposter.server.answers import Answers
from llmposter.server.handover import Borrowed, Lent
from llmposter.server.line import Gone, Line
from llmposter.server.request_head import RequestHead

ECHO = "[[states.talk]]\nreply = 'you said ${user}'\n"
ADMIN = "/_llmposter"
WEBSOCKET = {"connection": "Upgrade", "upgrade": "websocket", "sec_websocket_version": "13"}


class Plain(RequestHandler):
    def get(self) -> None:
        self.write({"ip": self.request.remote_ip, "protocol": self.request.protocol, "version": self.request.version})

    def post(self) -> None:
        self.write({"form": self.get_body_argument("x", None), "size": len(self.request.body)})


class Slow(RequestHandler):
    left = 0

    async def get(self) -> None:
        for n in range(3):
            self.write(f"part {n}\n")
            await self.flush()
            await asyncio.sleep(0.02)

    def on_connection_close(self) -> None:
        Slow.left += 1


class Endless(Slow):
    async def get(self) -> None:
        while True:
            self.write(b"x" * 100_000)
            await self.flush()


class Big(RequestHandler):
    async def get(self) -> None:
        for _ in range(100):
            self.write(b"x" * 100_000)
            await self.flush()


class Broken(RequestHandler):
    def get(self) -> None:
        raise HTTPError(418)


class Socket(WebSocketHandler):
    def on_message(self, message: str | bytes) -> None:
        self.write_message(message, binary=isinstance(message, bytes))


HANDLERS = {"plain": Plain, "slow": Slow, "endless": Endless, "big": Big, "broken": Broken, "socket": Socket}


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    routes = [(f"{ADMIN}/{name}", handler) for name, handler in HANDLERS.items()]
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("LLMPOSTER_TRANSPORT", "fast")
        patched.setattr(admin, "application", lambda _: Application(routes, log_function=lambda _: None))
        with serving(ECHO) as started:
            yield started


@pytest.fixture
def raw(server: Running) -> Iterator[Raw]:
    with Raw(server.url) as connection:
        yield connection


def test_tornado_and_wires_share_a_connection(raw: Raw) -> None:
    """Handlers and wires answer by turns on one connection, pipelined requests in order."""
    assert {"ip": "127.0.0.1", "protocol": "http", "version": "HTTP/1.1"} == raw.ask("GET", f"{ADMIN}/plain").json
    assert text(raw.ask("POST", CHAT, chat("a"))) == "you said a"
    assert {"form": "y", "size": 3} == raw.ask(
        "POST", f"{ADMIN}/plain", b"x=y", content_type="application/x-www-form-urlencoded"
    ).json
    asked = [raw.request("GET", f"{ADMIN}/slow"), raw.request("POST", CHAT, chat("b")), raw.request("HEAD", ADMIN)]
    raw.send(b"".join(asked))
    assert raw.read().body == b"part 0\npart 1\npart 2\n"
    assert text(raw.read()) == "you said b"
    assert raw.read("HEAD").status == 404


def test_handlers_answer_as_they_do_in_tornado(raw: Raw) -> None:
    """Errors, methods that are not allowed, unchanged answers and long ones."""
    assert raw.ask("GET", f"{ADMIN}/broken").status == 418
    assert raw.ask("HEAD", f"{ADMIN}/plain").status == 405
    tag = raw.ask("GET", f"{ADMIN}/plain").headers["etag"]
    assert raw.ask("GET", f"{ADMIN}/plain", if_none_match=tag).status == 304
    assert len(raw.ask("GET", f"{ADMIN}/big").body) == 10_000_000
    assert raw.ask("POST", f"{ADMIN}/plain", b"x" * 2_000_000).status == 413
    assert raw.ask("POST", f"{ADMIN}/plain", b"x" * 1_000_000).json["size"] == 1_000_000


@pytest.mark.parametrize("path", ["plain", "slow"])
def test_http_1_0_gets_what_it_can_read(server: Running, path: str) -> None:
    """A handler's answer to HTTP/1.0 has no chunks, and ends with the connection."""
    with Raw(server.url) as raw:
        raw.send(f"GET {ADMIN}/{path} HTTP/1.0\r\n\r\n".encode())
        answer = raw.read()
        assert "transfer-encoding" not in answer.headers
        assert answer.body.endswith(b"part 2\n" if path == "slow" else b"}")
        assert raw.file.read() == b""


def test_a_handler_hears_that_its_client_has_left(server: Running) -> None:
    """A client that leaves an endless answer ends it."""
    before = Slow.left
    with Raw(server.url) as raw:
        raw.send(raw.request("GET", f"{ADMIN}/endless"))
        raw.head()
        assert raw.chunk()
    with Raw(server.url) as raw:
        for _ in range(100):
            assert raw.ask("GET", f"{ADMIN}/plain").status == 200
            if Slow.left > before:
                break
    assert Slow.left == before + 1


@pytest.mark.parametrize("path", [CHAT, f"{ADMIN}/plain", f"{ADMIN}/socket"])
def test_an_offer_of_another_protocol_is_declined(raw: Raw, path: str) -> None:
    """h2c offered with a body, as Java's HttpClient does, and WebSockets offered to a plain route, are answered."""
    offer = {"connection": "Upgrade, HTTP2-Settings", "upgrade": "h2c", "http2_settings": "AAMAAABk"}
    raw.send(raw.request("POST", path, chat("java"), **offer) + raw.request("POST", CHAT, chat("next")))
    answer = raw.read()
    assert text(answer) == "you said java" if path == CHAT else answer.status in (200, 400, 405)
    assert text(raw.read()) == "you said next"
    raw.send(raw.request("GET", path, **WEBSOCKET) + raw.request("POST", CHAT, chat("next")))
    assert raw.read().status in (200, 400, 405)
    assert text(raw.read()) == "you said next"


def test_websockets_are_tornados(server: Running) -> None:
    """Fifty at once echo short and long messages, and close."""
    url = f"{server.url.replace('http', 'ws', 1)}{ADMIN}/socket"

    async def one(n: int) -> None:
        async with connect(url) as client:
            for message in (f"hello {n}", b"x" * 300_000, "bye"):
                await client.send(message)
                assert message == await client.recv()

    async def all_of_them() -> None:
        await asyncio.gather(*(one(n) for n in range(50)))

    asyncio.run(all_of_them())


def test_a_frame_may_come_with_the_handshake(raw: Raw) -> None:
    """What a client sends right behind its offer is the WebSocket's first message."""
    mask, said = b"abcd", b"early"
    frame = struct.pack("BB", 0x81, 0x80 | len(said)) + mask + bytes(c ^ mask[i % 4] for i, c in enumerate(said))
    key = base64.b64encode(b"0" * 16).decode()
    raw.send(raw.request("GET", f"{ADMIN}/socket", **WEBSOCKET, sec_websocket_key=key) + frame)
    assert raw.head()[0] == 101
    assert raw.file.read(7) == b"\x81\x05early"


def test_what_is_lent_has_the_methods_that_tornado_calls() -> None:
    """The names of what is lent are those of Tornado's own objects."""
    for lent, own in ((Lent, HTTP1Connection), (Borrowed, IOStream)):
        names = {name for name in vars(lent) if not name.startswith("_")}
        assert names <= {name for name in dir(own) if not name.startswith("_")}
        assert len(names) > 4


def controlled(monkeypatch: pytest.MonkeyPatch, told: list[str]) -> None:
    """Answers that do with their line what the path says."""

    async def go(line: Line, how: str) -> None:
        line.on_gone(lambda: told.append("gone"))
        if going := line.raw(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf"):
            await going
        await asyncio.sleep(0.02)
        getattr(line, how)()
        await asyncio.sleep(0.02)
        try:
            line.raw(b"more")
        except Gone:
            told.append("no more")

    tasks = []

    def answer(_: Answers, head: RequestHead, _body: bytes, _from: Connection, _wrong: object, line: Line) -> None:
        tasks.append(asyncio.get_running_loop().create_task(go(line, head.path[1:])))

    monkeypatch.setenv("LLMPOSTER_TRANSPORT", "fast")
    monkeypatch.setattr(Answers, "answer", answer)


@pytest.mark.parametrize("how", ["close", "half_close", "reset"])
def test_an_answer_controls_its_connection(monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    """Bytes go out as they are; then the connection is closed, closed on one side, or reset."""
    told: list[str] = []
    controlled(monkeypatch, told)
    with serving(ECHO) as server, Raw(server.url) as raw:
        raw.send(raw.request("GET", f"/{how}"))
        start = b""
        while not start.endswith(b"half"):
            start += raw.socket.recv(100)
        if how == "reset":
            with pytest.raises(ConnectionResetError):
                raw.socket.recv(100)
        else:
            assert raw.socket.recv(100) == b""
        if how == "half_close":
            raw.send(b"still taken")
            raw.socket.shutdown(socket.SHUT_WR)
        for _ in range(100):
            if told:
                break
            asyncio.run(asyncio.sleep(0.01))
    assert told == ["no more"]
