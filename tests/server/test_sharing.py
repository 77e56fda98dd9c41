"""What a web page may read: answers for pages of this machine, with all of their headers, and no others."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from raw_http import CHAT, Raw, chat, text
from serving import serving

from llmposter.server import Running

SCENARIO = """
[[states.talk]]
when = 'user == "busy"'
error = { name = "rate_limited", retry_after = "1s" }

[[states.talk]]
when = 'user == "open"'
reply = "for all"
headers = { Access-Control-Allow-Origin = "*" }

[[states.talk]]
when = 'user != "nothing"'
reply = "hello there"
"""
OWN = [
    "http://localhost",
    "http://localhost:5173",
    "https://localhost:8443",
    "http://127.0.0.1:3000",
    "http://[::1]:3000",
    "HTTP://LOCALHOST:1",
]
FOREIGN = [
    "https://example.com",
    "http://localhost.example.com",
    "http://example.com/localhost",
    "http://evil-localhost",
    "http://localhost:5173.example.com",
    "http://localhost:999999",
    "http://127.0.0.1.example.com",
    "http://user@localhost",
    "null",
    "",
]
LEAVE = "access-control-allow-origin"

pytestmark = pytest.mark.usefixtures("transport")


@pytest.fixture(scope="module")
def server(transport: str) -> Iterator[Running]:
    with serving(SCENARIO) as running:
        yield running


@pytest.fixture
def raw(server: Running) -> Iterator[Raw]:
    with Raw(server.url) as connection:
        yield connection


@pytest.mark.parametrize("origin", OWN)
def test_a_page_of_this_machine_may_read_an_answer(raw: Raw, origin: str) -> None:
    """Its origin is named, and caches are told that it matters."""
    answer = raw.ask("POST", CHAT, chat("hi"), origin=origin)
    assert "hello there" == text(answer)
    assert (origin, "Origin") == (answer.headers[LEAVE], answer.headers["vary"])


@pytest.mark.parametrize("origin", FOREIGN)
@pytest.mark.parametrize("method, path", [("POST", CHAT), ("OPTIONS", CHAT), ("GET", "/v1/models")])
def test_a_page_from_elsewhere_may_not(raw: Raw, origin: str, method: str, path: str) -> None:
    """It is answered, and its browser keeps the answer from it."""
    asks = {"origin": origin, "access-control-request-method": "POST"}
    answer = raw.ask(method, path, chat("hi") if method == "POST" else None, **asks)
    assert answer.status < 300
    assert [] == [name for name in answer.headers if name.startswith("access-control")]


def test_who_is_no_page_gets_no_more_headers(raw: Raw) -> None:
    """Nothing is added where no origin is told."""
    answer = raw.ask("POST", CHAT, chat("hi"))
    assert not {"vary", LEAVE} & set(answer.headers)


@pytest.mark.parametrize(
    "method, path, body, status",
    [
        ("POST", CHAT, chat("hi"), 200),
        ("POST", CHAT, chat("hi", stream=True), 200),
        ("POST", CHAT, chat("busy"), 429),
        ("POST", CHAT, chat("nothing"), 404),
        ("POST", CHAT, b"{", 400),
        ("GET", CHAT, None, 405),
        ("POST", "/nowhere", None, 404),
        ("GET", "/v1/models", None, 200),
        ("GET", "/health", None, 200),
        ("GET", "/code/503", None, 503),
        ("GET", "/_llmposter/health", None, 200),
        ("GET", "/_llmposter/nothing", None, 404),
    ],
)
def test_every_answer_can_be_read(raw: Raw, method: str, path: str, body: object, status: int) -> None:
    """Errors too, with each of their headers: request ids, limits, and when to come back."""
    answer = raw.ask(method, path, body, origin=OWN[1])
    assert (status, OWN[1]) == (answer.status, answer.headers[LEAVE])
    framing = {"content-length", "transfer-encoding", "date", "vary", "cache-control", "allow", "connection"}
    exposed = set(answer.headers["access-control-expose-headers"].split(", "))
    added = {name for name in answer.headers if name.startswith("access-control")}
    if not path.startswith("/_llmposter"):
        assert set(answer.headers) - added - framing <= exposed
    if status == 429:
        assert {"retry-after", "x-request-id"} <= exposed


def test_an_authors_own_leave_stands(raw: Raw) -> None:
    """Two would be none."""
    answer = raw.ask("POST", CHAT, chat("open"), origin=OWN[1])
    assert "*" == answer.headers[LEAVE]


@pytest.mark.parametrize("path", [CHAT, "/v1/messages", "/v1beta/models/x:generateContent", "/_llmposter/reset", "/no"])
def test_a_browser_may_ask_before(server: Running, raw: Raw, path: str) -> None:
    """Whatever headers an SDK sends are allowed, and the question leaves no trace in the journal."""
    before = len(server.mock.journal()["entries"])
    wanted = "authorization,content-type,x-stainless-lang,anthropic-dangerous-direct-browser-access,x-goog-api-key"
    asks = {"origin": OWN[1], "access-control-request-method": "POST", "access-control-request-headers": wanted}
    answer = raw.ask("OPTIONS", path, None, **asks)
    assert (204, OWN[1], wanted) == (
        answer.status,
        answer.headers[LEAVE],
        answer.headers["access-control-allow-headers"],
    )
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert before == len(server.mock.journal()["entries"])


def test_a_browser_may_ask_without_headers(raw: Raw) -> None:
    """Then those that carry keys are allowed, and a network of one's own if that is asked for."""
    asks = {"origin": OWN[1], "access-control-request-method": "GET", "access-control-request-private-network": "true"}
    answer = raw.ask("OPTIONS", "/v1/models", None, **asks)
    assert {"authorization", "x-api-key", "x-goog-api-key"} <= set(
        answer.headers["access-control-allow-headers"].split(", ")
    )
    assert "true" == answer.headers["access-control-allow-private-network"]
