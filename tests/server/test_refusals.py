"""What every provider's client is told of a request that is none: in the form that its own SDK reads."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from judging import Judge, judges
from raw_http import Answer, Raw
from serving import serving

from llmposter.server import Running
from llmposter.wire import load

SCENARIO = """
[[states.talk]]
reply = "hello"
"""
JUDGES = judges()
TOO_LARGE = {"ContentTooLargeError", "RequestTooLargeError", "APIStatusError", "ClientError"}

pytestmark = pytest.mark.usefixtures("transport")


@pytest.fixture(scope="module")
def server(transport: str) -> Iterator[Running]:
    with serving(SCENARIO) as running:
        yield running


def ask(server: Running, judge: Judge, method: str = "POST", path: str = "", body: bytes = b"{}") -> Answer:
    """A request with the headers of the judge's SDK, at its own path or at another."""
    own, headers, _ = judge.request(stream=False)
    with Raw(server.url) as raw:
        return raw.ask(method, path or own, body, **{name.replace("-", "_"): value for name, value in headers.items()})


def test_every_wire_has_a_judge() -> None:
    """So that what follows is said of all of them."""
    assert set(load()) == set(JUDGES)


@pytest.mark.parametrize("judge", JUDGES.values(), ids=JUDGES)
def test_a_body_too_large_is_told_in_the_providers_words(server: Running, judge: Judge) -> None:
    """Status 413 and its kind of error; the SDK reads the message."""
    answer = ask(server, judge, body=b" " * (16 * 1024 * 1024 + 1))
    assert 413 == answer.status
    assert judge.failed(answer.status, answer.headers, answer.body) in TOO_LARGE
    assert "16 MiB" in answer.message


@pytest.mark.parametrize("judge", JUDGES.values(), ids=JUDGES)
def test_a_missing_route_is_told_in_the_providers_words(server: Running, judge: Judge) -> None:
    """A 404 that lists the routes and names the likely mistake."""
    path, *_ = judge.request(stream=False)
    answer = ask(server, judge, path=f"/elsewhere{path.partition('?')[0]}")
    assert 404 == answer.status
    assert judge.failed(answer.status, answer.headers, answer.body) in ("NotFoundError", "ClientError")
    assert "llmposter has no route POST /elsewhere" in answer.message


@pytest.mark.parametrize("judge", JUDGES.values(), ids=JUDGES)
def test_a_wrong_method_is_told_in_the_providers_words(server: Running, judge: Judge) -> None:
    """A 405 that says what the path takes."""
    path, *_ = judge.request(stream=False)
    answer = ask(server, judge, "PATCH", path.partition("?")[0])
    assert 405 == answer.status
    assert judge.failed(answer.status, answer.headers, answer.body) in ("APIStatusError", "ClientError")
    assert "POST, not PATCH" in answer.message
    assert "POST" in answer.headers["allow"]


@pytest.mark.parametrize("judge", JUDGES.values(), ids=JUDGES)
def test_a_bad_session_is_told_in_the_providers_words(server: Running, judge: Judge) -> None:
    """A 400."""
    path, *_ = judge.request(stream=False)
    answer = ask(server, judge, path=f"/@a%20b{path}")
    assert judge.failed(answer.status, answer.headers, answer.body) in ("BadRequestError", "ClientError")
    assert '"a b" is no session id' in answer.message
