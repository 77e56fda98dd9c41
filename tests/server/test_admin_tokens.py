"""The admin API for credentials: what is good, what became of it, and tests that issue and end them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from raw_http import CHAT, Raw, chat
from serving import serving

from llmposter.server import Running

pytestmark = pytest.mark.usefixtures("transport")

SCENARIO = """
[auth]
tokens = [{ name = "short", value = "sk-short-one", uses = 2 }, { name = "long", value = "sk-long-one" }]

[[states.s]]
reply = "ok"
"""
TOKENS = "/_llmposter/tokens"


@pytest.fixture
def server() -> Iterator[Running]:
    with serving(SCENARIO, clock="manual") as running:
        yield running


@pytest.fixture
def raw(server: Running) -> Iterator[Raw]:
    with Raw(server.url) as connection:
        yield connection


def post(raw: Raw, path: str, body: object) -> tuple[int, Any]:
    answer = raw.ask("POST", path, body)
    return answer.status, answer.json


def status(raw: Raw, key: str, session: str = "") -> int:
    return raw.ask("POST", f"{session and f'/@{session}'}{CHAT}", chat("hi"), authorization=f"Bearer {key}").status


def test_tokens_are_told_with_what_became_of_them(raw: Raw) -> None:
    """Name, state, uses and times; of a value no more than tells it from others."""
    assert 200 == status(raw, "sk-short-one", "a")
    told = raw.ask("GET", f"/@a{TOKENS}").json
    common = {"session": "a", "value": "sk-…", "since": 1767225600.0, "until": None, "grant": None, "state": "good"}
    assert {
        "auth": True,
        "tokens": [
            {**common, "name": "short", "uses": 1, "most": 2},
            {**common, "name": "long", "uses": 0, "most": None},
        ],
    } == told
    assert ["", "", "a", "a"] == [each["session"] for each in raw.ask("GET", TOKENS).json["tokens"]]


def test_a_token_is_issued_for_one_session_or_for_all(raw: Raw, server: Running) -> None:
    """Its value is told once, and made up where none is given; `reset` forgets it."""
    code, here = post(raw, f"/@a{TOKENS}/issue", {"name": "mine", "uses": 1})
    assert (200, "mine", "a") == (code, here["name"], here["session"])
    assert [401, 200, 401] == [status(raw, here["value"], session) for session in ("", "a", "a")]
    _, everywhere = post(raw, f"{TOKENS}/issue", {"name": "ours", "value": "sk-ours-for-all", "lifetime": "10s"})
    assert ("sk-ours-for-all", None) == (everywhere["value"], everywhere["session"])
    assert [200, 200] == [status(raw, "sk-ours-for-all", session) for session in ("", "b")]
    server.clock.advance(10)  # type: ignore[attr-defined]
    assert 401 == status(raw, "sk-ours-for-all")
    assert here["value"] not in str(raw.ask("GET", TOKENS).json)
    raw.ask("POST", "/_llmposter/reset")
    assert ["short", "long"] == [each["name"] for each in raw.ask("GET", TOKENS).json["tokens"]]


@pytest.mark.parametrize(
    "how, body, later, statuses",
    [
        ("expire", {"name": "long"}, 0, [401, 401, 401]),
        ("expire", {"name": "long", "after": "2 uses"}, 0, [200, 200, 401]),
        ("expire", {"name": "long", "after": "30s"}, 29, [200, 200, 200]),
        ("expire", {"name": "long", "after": "30s"}, 30, [401, 401, 401]),
        ("revoke", {"name": "long"}, 0, [401, 401, 401]),
    ],
)
def test_a_token_is_ended_by_name(
    how: str, body: dict[str, str], later: float, statuses: list[int], raw: Raw, server: Running
) -> None:
    """In its session only, and a reset restores it."""
    assert 200 == status(raw, "sk-long-one", "b")
    assert (200, {"ok": True, "ended": 1}) == post(raw, f"/@a{TOKENS}/{how}", body)
    server.clock.advance(later)  # type: ignore[attr-defined]
    assert statuses == [status(raw, "sk-long-one", "a") for _ in statuses]
    assert 200 == status(raw, "sk-long-one", "b")
    raw.ask("POST", "/@a/_llmposter/reset")
    assert 200 == status(raw, "sk-long-one", "a")


def test_without_a_session_it_is_ended_in_all(raw: Raw) -> None:
    """In those that there are."""
    assert [200, 200] == [status(raw, "sk-long-one", session) for session in ("a", "b")]
    assert (200, {"ok": True, "ended": 3}) == post(raw, f"{TOKENS}/expire", {"name": "long"})
    assert [401, 401, 401] == [status(raw, "sk-long-one", session) for session in ("", "a", "b")]


@pytest.mark.parametrize(
    "path, body, code, said",
    [
        ("issue", b"", 400, "the body is not JSON: send "),
        ("issue", [], 400, "the body is no object: send "),
        ("issue", {}, 400, "the body says not which name the token has: send "),
        ("issue", {"name": " "}, 400, "the body says not which name the token has: send "),
        ("issue", {"name": "x", "use": 1}, 400, 'nobody knows "use" here: send '),
        ("issue", {"name": "x", "uses": 0}, 400, '"uses" should be a whole number from 1 on'),
        ("issue", {"name": "x", "uses": True}, 400, '"uses" should be a whole number from 1 on'),
        ("issue", {"name": "x", "lifetime": 9}, 400, '"lifetime" is no duration: write a number and a unit'),
        ("issue", {"name": "x", "lifetime": "0s"}, 400, '"lifetime" is no duration: write a number and a unit'),
        ("issue", {"name": "x", "value": "a b"}, 400, "the value cannot be sent in a header: "),
        ("expire", {}, 400, "the body says not which token: send "),
        ("expire", {"name": "long", "after": "two"}, 400, '"after" is "two" and should be like "2 uses" or "30s"'),
        ("expire", {"name": "lang"}, 404, 'there is no token "lang"; the names are: long, short'),
        ("revoke", {"name": "long", "after": "30s"}, 400, 'nobody knows "after" here: send '),
    ],
)
def test_what_cannot_be_done_says_what_would_be_right(path: str, body: object, code: int, said: str, raw: Raw) -> None:
    """One sentence, and nothing is changed."""
    before = raw.ask("GET", TOKENS).json
    found, told = post(raw, f"{TOKENS}/{path}", body)
    assert code == found
    assert told["error"]["message"].startswith(said)
    assert before == raw.ask("GET", TOKENS).json


def test_where_requests_need_none_none_is_issued() -> None:
    """It would open nothing."""
    with serving('[[states.s]]\nreply = "ok"') as server, Raw(server.url) as raw:
        code, told = post(raw, f"{TOKENS}/issue", {"name": "x"})
        assert (409, True) == (code, told["error"]["message"].startswith("no request needs a credential: "))
        assert {"auth": False, "tokens": []} == raw.ask("GET", TOKENS).json
