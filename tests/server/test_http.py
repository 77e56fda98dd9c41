"""The server on a real socket, byte by byte: what it takes, what it sends, and what it says where it must refuse."""

from __future__ import annotations

import errno
import json
import socket
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest
from raw_http import CHAT, Raw, chat, text
from serving import serving

from llmposter.server import Running, Settings
from llmposter.server.running import CannotListen

ECHO = """
[scenario]
name = "echo"

[[states.talk]]
when = 'user == "break"'
error = 500

[[states.talk]]
when = 'user == "long"'
reply = "${'LONG'}"
stream = { chunk = "1 word" }

[[states.talk]]
when = 'user == "odd header"'
reply = "odd"
headers = { x-odd = "ünï ${user}" }

[[states.talk]]
when = 'user != "nothing"'
reply = "you said ${user}"
""".replace("${'LONG'}", "word " * 60_000)


pytestmark = pytest.mark.usefixtures("transport")


@pytest.fixture(scope="module")
def server(transport: str) -> Iterator[Running]:
    with serving(ECHO) as running:
        yield running


@pytest.fixture
def raw(server: Running) -> Iterator[Raw]:
    with Raw(server.url) as connection:
        yield connection


def last(server: Running, **expected: object) -> dict:
    """The journal's last entry, once it holds what is expected."""
    for _ in range(200):
        entry = server.mock.journal()["entries"][-1]
        if all(entry.get(name) == value for name, value in expected.items()):
            return entry
        time.sleep(0.01)
    raise AssertionError(f"expected {expected} in {entry}")


def test_one_connection_takes_many_requests(raw: Raw) -> None:
    """A connection is kept alive over good answers, errors and misses alike."""
    assert text(raw.ask("POST", CHAT, chat("a"))) == "you said a"
    assert raw.ask("POST", CHAT, chat("break")).status == 500
    assert raw.ask("POST", CHAT, chat("nothing")).status == 404
    assert raw.ask("POST", CHAT, b"{").status == 400
    assert raw.ask("GET", "/nowhere").status == 404
    assert text(raw.ask("POST", CHAT, chat("b"))) == "you said b"


def test_pipelined_requests_are_answered_in_order(raw: Raw) -> None:
    """Requests sent without waiting are answered one after the other, admin ones among them."""
    asked = [raw.request("POST", CHAT, chat(f"n{n}", stream=n % 2 == 1)) for n in range(6)]
    raw.send(b"".join((*asked, raw.request("GET", "/_llmposter/health"))))
    answers = [raw.read() for _ in range(7)]
    for n in (0, 2, 4):
        assert text(answers[n]) == f"you said n{n}"
    for n in (1, 3, 5):
        assert f"n{n}".encode() in answers[n].body
    assert answers[6].json["ok"] is True


def test_a_chunked_body_is_read(raw: Raw) -> None:
    """A request whose body comes in chunks, however small, is read whole."""
    data = json.dumps(chat("chunks")).encode()
    raw.send(f"POST {CHAT} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n".encode())
    for at in range(0, len(data), 7):
        piece = data[at : at + 7]
        raw.send(b"%x\r\n%b\r\n" % (len(piece), piece))
    raw.send(b"0\r\n\r\n")
    assert text(raw.read()) == "you said chunks"


def test_a_client_that_waits_for_leave_gets_it(raw: Raw) -> None:
    """`Expect: 100-continue` is answered before the body is sent."""
    data = json.dumps(chat("may I")).encode()
    raw.send(f"POST {CHAT} HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: {len(data)}\r\n\r\n".encode())
    assert raw.head()[0] == 100
    raw.send(data)
    assert text(raw.read()) == "you said may I"


def test_a_stream_is_chunked_and_ends(raw: Raw) -> None:
    """A streamed answer comes in chunks, ends with its terminator, and leaves the connection open."""
    answer = raw.ask("POST", CHAT, chat("hi", stream=True))
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert answer.headers["transfer-encoding"] == "chunked"
    assert "content-length" not in answer.headers
    assert answer.body.endswith(b"data: [DONE]\n\n")
    assert text(raw.ask("POST", CHAT, chat("on"))) == "you said on"


@pytest.mark.parametrize("keep", [b"", b"connection: keep-alive\r\n"])
@pytest.mark.parametrize("stream", [False, True])
def test_http_1_0_gets_what_it_can_read(server: Running, keep: bytes, *, stream: bool) -> None:
    """An HTTP/1.0 client gets no chunks; the length, or the end of the connection, ends its answer."""
    with Raw(server.url) as raw:
        data = json.dumps(chat("old", stream=stream)).encode()
        raw.send(f"POST {CHAT} HTTP/1.0\r\ncontent-length: {len(data)}\r\n".encode() + keep + b"\r\n" + data)
        answer = raw.read()
        assert "transfer-encoding" not in answer.headers
        assert answer.body.endswith(b"[DONE]\n\n") if stream else text(answer) == "you said old"


@pytest.mark.parametrize(
    "method, path, status, allow",
    [
        ("OPTIONS", CHAT, 204, "POST, OPTIONS"),
        ("HEAD", CHAT, 405, "POST"),
        ("GET", CHAT, 405, "POST"),
        ("PUT", CHAT, 405, "POST"),
        ("BREW", CHAT, 405, "POST"),
        ("HEAD", "/", 200, None),
        ("GET", "/", 200, None),
        ("POST", "/", 404, None),
        ("HEAD", "/nowhere", 404, None),
        ("OPTIONS", "/nowhere", 404, None),
        ("GET", "/favicon.ico", 204, None),
        ("HEAD", "/_llmposter/health", 200, None),
        ("OPTIONS", "/_llmposter/reset", 204, "POST, OPTIONS"),
    ],
)
def test_methods(raw: Raw, method: str, path: str, status: int, allow: str | None) -> None:
    """Every method is answered at once, says what is allowed where it is not, and the connection stays in step."""
    answer = raw.ask(method, path)
    assert (status, allow) == (answer.status, answer.headers.get("allow"))
    assert raw.ask("GET", "/_llmposter/health").json["ok"] is True


@pytest.mark.parametrize(
    "path, hint",
    [
        ("/v1/v1/chat/completions", "/v1 stands twice, so the base URL should not end in /v1"),
        ("/openai/v1/v1/chat/completions", "/v1 stands twice, so the base URL should not end in /v1"),
        ("/elsewhere/v1/chat/completions", "the base URL has /elsewhere too much"),
        ("/a/b/v1beta/models/x:generateContent", "the base URL has /a/b too much"),
        ("/v1/messages/v1/messages", "the base URL should end with the port, the SDK adds the rest"),
        ("/v1/messages/batches", ""),
        ("/v1/audio/speech", ""),
        ("/v1/chat/completions/chat/completions", "the base URL should end in /v1, the SDK adds the rest"),
        ("/v1/chat/completions/x", "did you mean /v1/chat/completions?"),
        ("/v1/chat/completion", "did you mean /v1/chat/completions?"),
        ("/something/else", ""),
    ],
)
def test_an_unknown_path_is_told_what_is_right(server: Running, raw: Raw, path: str, hint: str) -> None:
    """A wrong base URL gets a 404 in an SDK's words, which lists the routes and names the likely mistake."""
    answer = raw.ask("POST", path, chat("hi"))
    assert answer.status == 404
    said = f": {hint}" if hint else ""
    assert answer.message.startswith(f"llmposter has no route POST {path}{said}; it answers POST /v1")
    assert "POST /v1/chat/completions" in answer.message
    assert last(server, path=path)["outcome"] == "unrouted"


def test_a_wrong_base_url_is_told_where_another_method_is_taken(raw: Raw) -> None:
    """A path of the wrong base URL may happen to be one that is there."""
    answer = raw.ask("POST", "/v1/responses/responses", {"model": "m", "input": "hi"})
    assert 405 == answer.status
    assert answer.message.endswith(", not POST: the base URL should end in /v1, the SDK adds the rest")


@pytest.mark.parametrize(
    "path", [f"{CHAT}/", "/v1/chat%2Fcompletions", "/v1/ch%61t/completions", f"{CHAT}?a=1&a=2", "/v1//chat/completions"]
)
def test_a_path_may_be_written_in_several_ways(raw: Raw, path: str) -> None:
    """A slash at the end, percent-encoding and a query change nothing."""
    assert text(raw.ask("POST", path, chat("hi"))) == "you said hi"


@pytest.mark.parametrize(
    "path",
    [
        "/chat/completions",
        "/openai/v1/chat/completions",
        "/openai/chat/completions/",
        "/v1beta/openai/chat/completions",
        "/api/v1/chat/completions",
        "/openai/deployments/gpt-4o/chat/completions?api-version=2025-01-01",
    ],
)
def test_the_base_urls_of_gateways_are_understood(server: Running, raw: Raw, path: str) -> None:
    """A path of a known gateway, or one without /v1, is the route; the journal has it as it came."""
    assert text(raw.ask("POST", path, chat("hi"))) == "you said hi"
    assert last(server, outcome="reply")["path"] == path.partition("?")[0].rstrip("/")


def test_the_server_says_that_it_is_well(server: Running, raw: Raw) -> None:
    """`GET /health` is answered in any session, and leaves no trace in the journal."""
    before = len(server.mock.journal()["entries"])
    assert [{"status": "ok"}] * 2 == [raw.ask("GET", path).json for path in ("/health", "/@some/health")]
    assert before == len(server.mock.journal()["entries"])


@pytest.mark.parametrize(
    "path, status, body",
    [
        ("200", 200, {"code": 200, "description": "OK"}),
        ("404", 404, {"code": 404, "description": "Not Found"}),
        ("418", 418, {"code": 418, "description": "I'm a Teapot"}),
        ("599", 599, {"code": 599, "description": "Unknown"}),
        ("204", 204, None),
        ("205", 205, None),
        ("304", 304, None),
        ("99", 400, {"code": 400, "description": '"99" is no status: it takes 100 to 599'}),
        ("600", 400, {"code": 400, "description": '"600" is no status: it takes 100 to 599'}),
        ("abc", 400, {"code": 400, "description": '"abc" is no status: it takes 100 to 599'}),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE", "OPTIONS", "BREW"])
def test_a_status_is_to_be_had_by_its_path(raw: Raw, method: str, path: str, status: int, body: dict | None) -> None:
    """`/code/N` answers N with JSON that names it, by any method, and the connection stays in step."""
    answer = raw.ask(method, f"/code/{path}")
    assert status == answer.status
    assert (
        b"" if body is None or method == "HEAD" else json.dumps(body, separators=(",", ":")).encode()
    ) == answer.body
    assert raw.ask("GET", "/health").json == {"status": "ok"}


@pytest.mark.parametrize("status", [301, 307, 399])
def test_a_redirection_leads_to_the_root(raw: Raw, status: int) -> None:
    """So that a client that follows it arrives somewhere."""
    assert "/" == raw.ask("GET", f"/code/{status}").headers["location"]


def test_a_status_of_1xx_goes_before_an_answer(raw: Raw) -> None:
    """Such a status ends no exchange, so that a 200 that names it follows."""
    raw.send(b"GET /code/103 HTTP/1.1\r\nhost: x\r\n\r\n")
    assert 103 == raw.read().status
    answer = raw.read()
    assert (200, {"code": 103, "description": "Early Hints"}) == (answer.status, answer.json)


def test_an_endpoint_moves_no_conversation(server: Running, raw: Raw) -> None:
    """Its request stands in the journal and fails no `verify`; no scenario hears of it."""
    raw.ask("GET", "/@beside/code/500?x=1")
    (entry,) = server.mock.journal("beside")["entries"]
    assert ("endpoint", "/code/500", {"x": "1"}, 500, "") == tuple(
        entry[name] for name in ("outcome", "path", "query", "status", "scenario")
    )
    assert server.mock.conversations("beside") == []
    assert server.mock.verify("beside").ok


def test_a_target_may_be_absolute(server: Running, raw: Raw) -> None:
    """A request as a proxy sends it, with the whole URL in its first line, is answered."""
    assert text(raw.ask("POST", f"{server.url}/@abs{CHAT}?q=1", chat("hi"))) == "you said hi"
    entry = last(server, session="abs")
    assert (CHAT, {"q": "1"}) == (entry["path"], entry["query"])


def test_a_body_too_large_is_told_so(server: Running, raw: Raw) -> None:
    """More than 16 MiB gets a 413 in the provider's words, by length or by chunks, and the connection goes on."""
    big = b" " * (16 * 1024 * 1024 + 1)
    answer = raw.ask("POST", CHAT, big)
    assert (413, "The body is larger than 16 MiB.") == (answer.status, answer.message)
    raw.send(f"POST {CHAT} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n".encode())
    raw.send(b"%x\r\n%b\r\n0\r\n\r\n" % (len(big), big))
    assert raw.read().status == 413
    assert last(server, status=413)["outcome"] == "refused"
    assert text(raw.ask("POST", CHAT, chat("small"))) == "you said small"


def test_a_body_of_any_length_is_not_waited_for(raw: Raw) -> None:
    """A body that claims to be far too large is refused before it comes."""
    raw.send(f"POST {CHAT} HTTP/1.1\r\nhost: x\r\ncontent-length: {10**15}\r\n\r\n".encode())
    assert raw.read().status == 413


@pytest.mark.parametrize(
    "data",
    [
        b"hello\r\n\r\n",
        b"GET / HTTP/9.9.9\r\n\r\n",
        b"POST /v1/chat/completions HTTP/1.1\r\ncontent-length: x\r\n\r\n",
        b"POST /v1/chat/completions HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"POST /v1/chat/completions HTTP/1.1\r\nno colon\r\n\r\n",
    ],
)
def test_what_is_no_http_is_refused(server: Running, data: bytes) -> None:
    """Bytes that are no HTTP get a 400 and the end of the connection; the server goes on."""
    with Raw(server.url) as raw:
        raw.send(data)
        assert raw.file.read().startswith(b"HTTP/1.1 400")
    with Raw(server.url) as raw:
        assert raw.ask("GET", "/").status == 200


def test_a_head_too_large_ends_the_connection(server: Running, transport: str) -> None:
    """Headers over 64 KiB end the connection, with a 431 where the transport has words; the server goes on."""
    with Raw(server.url) as raw:
        raw.send(b"GET / HTTP/1.1\r\nx: " + b"y" * 100_000)
        with suppress(ConnectionResetError):  # closed with our bytes unread
            assert raw.file.read().startswith(b"HTTP/1.1 431" if transport == "fast" else b"")
    with Raw(server.url) as raw:
        assert raw.ask("GET", "/").status == 200


def test_headers_of_a_scenario_break_nothing(raw: Raw) -> None:
    """What a scenario puts into headers can neither split the answer nor change its framing."""
    answer = raw.ask("POST", CHAT, chat("odd header"))
    assert text(answer) == "odd"
    assert answer.headers["x-odd"].encode("latin-1").decode() == "ünï odd header"
    assert text(raw.ask("POST", CHAT, chat("next"))) == "you said next"


@pytest.mark.parametrize(
    "path, header, session",
    [
        ("/@a1_.-~:Z", None, "a1_.-~:Z"),
        ("/%40enc%6Fded", None, "encoded"),
        ("", "by-header", "by-header"),
        ("/@path", "header", "path"),
        ("", None, ""),
    ],
)
def test_a_session_is_named_by_path_or_header(
    server: Running, raw: Raw, path: str, header: str | None, session: str
) -> None:
    """The path names the session, before the header does."""
    headers = {} if header is None else {"x_llmposter_session": header}
    assert raw.ask("POST", path + CHAT, chat("hi"), **headers).status == 200
    assert last(server)["session"] == session


@pytest.mark.parametrize("session", ["", "a b", "a!", "ä", "x" * 129, "a%2Fb"])
@pytest.mark.parametrize("by", ["path", "header"])
def test_a_faulty_session_is_refused(server: Running, raw: Raw, session: str, by: str) -> None:
    """An id of another form gets a 400 that says which form it takes, and makes no session."""
    path, headers = CHAT, {}
    if by == "path":
        path = f"/@{session.replace(' ', '%20').replace('ä', '%C3%A4')}{CHAT}"
    else:
        headers["x_llmposter_session"] = session
    answer = raw.ask("POST", path, chat("hi"), **headers)
    assert answer.status == 400
    assert answer.message.endswith("is no session id: it takes 1 to 128 letters, digits or any of _.-~:")
    assert last(server)["session"] == ""


def test_a_client_that_leaves_ends_its_answer(server: Running) -> None:
    """A client that leaves in the middle of a stream ends it; the journal says so, and the server goes on."""
    with Raw(server.url) as raw:
        raw.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.send(raw.request("POST", "/@leaver" + CHAT, chat("long", stream=True)))
        raw.head()
        assert raw.chunk()
    entry = last(server, session="leaver", how="client left")
    assert 0 < entry["sent"] < 60_000 * 200
    with Raw(server.url) as raw:
        assert raw.ask("GET", "/_llmposter/health").status == 200


def test_a_slow_reader_holds_up_nobody(server: Running) -> None:
    """While one client does not read its stream, others are answered."""
    with Raw(server.url) as slow, Raw(server.url) as other:
        slow.send(slow.request("POST", CHAT, chat("long", stream=True)))
        for n in range(20):
            assert text(other.ask("POST", CHAT, chat(f"n{n}"))) == f"you said n{n}"
        assert slow.read().body.endswith(b"[DONE]\n\n")


def test_more_connections_than_the_most_are_told_so() -> None:
    """Above the bound a connection gets a 503 that says so, and those within it go on."""
    with serving(ECHO, most_connections=2) as server, Raw(server.url) as one, Raw(server.url) as two:
        assert text(one.ask("POST", CHAT, chat("a"))) == "you said a"
        assert text(two.ask("POST", CHAT, chat("b"))) == "you said b"
        with Raw(server.url) as three:
            answer = three.read()
            assert (503, "close") == (answer.status, answer.headers["connection"])
            assert answer.message == "llmposter has 2 connections open, which is the most that it takes"
        assert text(one.ask("POST", CHAT, chat("c"))) == "you said c"


def test_a_bug_is_a_500_that_no_sdk_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception inside gives a 500 in the provider's words, is told to the log, and fails `verify`."""
    told = []

    class Watch:
        def answered(self, entry: object) -> None:
            pass

        def broke(self, error: BaseException, what: str) -> None:
            told.append((type(error), what))

    with serving(ECHO, watch=Watch()) as server, Raw(server.url) as raw:
        with monkeypatch.context() as broken:
            broken.setattr(server.mock, "answer", lambda *_: 1 / 0)
            answer = raw.ask("POST", CHAT, chat("hi"))
        assert (500, "false") == (answer.status, answer.headers["x-should-retry"])
        assert answer.message == "llmposter failed inside (ZeroDivisionError); its log has more"
        assert [(ZeroDivisionError, f"POST {CHAT}")] == told
        assert text(raw.ask("POST", CHAT, chat("on"))) == "you said on"
        assert not server.mock.verify().ok


def test_a_bug_in_an_endpoint_is_a_500_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the words of its provider; the next request is answered."""
    with serving(ECHO) as server, Raw(server.url) as raw:
        with monkeypatch.context() as broken:
            broken.setattr(server.mock, "desk", lambda *_: 1 / 0)
            answer = raw.ask("GET", "/v1/models", anthropic_version="2023-06-01")
        assert (500, "false") == (answer.status, answer.headers["x-should-retry"])
        assert ("error", "api_error") == (answer.json["type"], answer.json["error"]["type"])
        assert answer.message == "llmposter failed inside (ZeroDivisionError); its log has more"
        assert 200 == raw.ask("GET", "/v1/models").status
        assert not server.mock.verify().ok


def test_stopping_breaks_off_what_is_open() -> None:
    """A server that stops leaves no connection open and no thread behind, within a second."""
    with serving("[[states.a]]\nreply = 'late'\nlatency = '1h'\n") as server:
        with Raw(server.url) as waiting, Raw(server.url) as idle:
            waiting.send(waiting.request("POST", CHAT, chat("hi")))
            assert idle.ask("GET", "/").status == 200
            for _ in range(100):
                if server.mock.journal()["entries"]:
                    break
                time.sleep(0.01)
            began = time.monotonic()
            server.stop()
            assert time.monotonic() - began < 1
            assert waiting.file.read() == b""
            assert idle.file.read() == b""
        assert last(server)["how"] == "server stopped"


def test_ipv6_is_served_where_the_machine_has_it() -> None:
    """An IPv6 host stands in brackets in the URL and is served; a machine without it says why not."""
    with socket.socket(socket.AF_INET6) as probe:
        missing = probe.connect_ex(("::1", 9)) == errno.EADDRNOTAVAIL
    if missing:
        with pytest.raises(CannotListen, match=r"cannot listen on \[::1\]:0: "):
            Running([], Settings(host="::1"))
        return
    with serving(ECHO, host="::1") as server, Raw(server.url) as raw:
        assert server.url.startswith("http://[::1]:")
        assert text(raw.ask("POST", CHAT, chat("six"))) == "you said six"
        assert raw.ask("GET", "/_llmposter/health").status == 200


def test_there_are_two_transports() -> None:
    """Any other name is refused in words that say which there are."""
    with pytest.raises(CannotListen, match=r'LLMPOSTER_TRANSPORT\) is "foo" and should be fast or tornado'):
        Running([], Settings(transport="foo"))
