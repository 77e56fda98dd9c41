"""The admin API: what was served, asked and broken, for the whole server and for one session, in JSON."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from raw_http import CHAT, Raw, chat, text
from serving import serving

from llmposter.server import Running
from llmposter.server.watch import Silent

SCENARIO = """
[scenario]
name = "admin"
final = ["done"]

[[states.ask]]
when = 'user == "hi"'
expect = 'model == "m"'
reply = "hello"
goto = "done"

[[states.done]]
when = 'user == "slow"'
latency = "30s"
reply = "at last"
"""

pytestmark = pytest.mark.usefixtures("transport")


@pytest.fixture
def server() -> Iterator[Running]:
    with serving(SCENARIO, journal_size=50) as running:
        yield running


@pytest.fixture
def raw(server: Running) -> Iterator[Raw]:
    with Raw(server.url) as connection:
        yield connection


def get(raw: Raw, name: str, session: str = "") -> object:
    answer = raw.ask("GET", f"{session and f'/@{session}'}/_llmposter/{name}")
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    return answer.json


def test_health_tells_who_answers(raw: Raw) -> None:
    """`health` tells that it is up, its version, its clock and its scenarios."""
    told = get(raw, "health")
    assert ("real", ["admin"], True) == (told["clock"], told["scenarios"], told["ok"])
    assert abs(told["now"] - time.time()) < 5
    assert told["oauth_url"] is None
    assert {"ok", "version", "clock", "now", "scenarios", "oauth_url"} == set(told)


def test_scenarios_are_told_with_their_states(raw: Raw) -> None:
    """`scenarios` tells each with its states and rules."""
    (told,) = get(raw, "scenarios")["scenarios"]
    assert ("admin", "ask", ["done"]) == (told["name"], told["start"], told["final"])
    assert {"ask": ["ask#1"], "done": ["done#1"]} == told["states"]


def test_an_exchange_is_read_back(raw: Raw) -> None:
    """A request stands in the journal with conversation, states, rule, place, status and time; no secret is whole."""
    raw.ask("POST", CHAT, chat("hi"), authorization="Bearer sk-very-secret-key")
    (entry,) = get(raw, "journal")["entries"]
    expected = {
        "scenario": "admin", "conversation": "c1", "before": "ask", "after": "done", "rule": "ask#1", "status": 200,
        "outcome": "reply", "how": "complete", "attempt": 1, "path": CHAT, "method": "POST",
    }  # fmt: skip
    assert expected == {name: entry[name] for name in expected}
    assert entry["place"].startswith("scenario.toml:")
    assert entry["seconds"] >= 0
    assert "very-secret" not in str(entry)
    (conversation,) = get(raw, "conversations")["conversations"]
    assert ("c1", "done", True) == (conversation["id"], conversation["state"], conversation["final"])


def test_the_journal_is_paged_and_says_what_it_dropped(raw: Raw) -> None:
    """`after` and `limit` page through the journal; `more` and `dropped` tell what is not shown."""
    for n in range(60):
        raw.ask("GET", f"/n{n}")
    whole = get(raw, "journal")
    assert (50, 10, False) == (len(whole["entries"]), whole["dropped"], whole["more"])
    page = get(raw, "journal?limit=20&after=30")
    assert list(range(31, 51)) == [entry["number"] for entry in page["entries"]]
    assert page["more"] is True
    page = get(raw, "journal?limit=20&after=50")
    assert (10, False) == (len(page["entries"]), page["more"])
    assert any("dropped" in line for line in get(raw, "verify")["lines"])


def test_verify_tells_a_clean_run_from_others(raw: Raw) -> None:
    """`verify` is ok for a clean run, and tells violations, misses, unknown paths and unfinished conversations."""
    assert {"ok": True, "problems": [], "lines": [], "chaos": []} == get(raw, "verify")
    raw.ask("POST", CHAT, chat("hi") | {"model": "other"})
    (violation,) = get(raw, "violations")["violations"]
    assert "expect" == violation["kind"]
    raw.ask("POST", CHAT, chat("what?"))
    raw.ask("POST", "/nowhere")
    told = get(raw, "verify")
    assert told["ok"] is False
    assert {"violation", "miss", "unrouted"} <= {problem["kind"] for problem in told["problems"]}


@pytest.mark.parametrize("path", ["/_llmposter/", "/_llmposter", "/@one/_llmposter/"])
def test_an_index_lists_the_admin_api(raw: Raw, path: str) -> None:
    """So that nobody has to know a name to begin with."""
    assert {"GET /_llmposter/journal", "POST /_llmposter/reset"} < {*raw.ask("GET", path).json["routes"]}


def test_a_session_reads_and_resets_its_own(raw: Raw) -> None:
    """Under `/@ID` the admin API shows and forgets that session alone; without one, everything."""
    for session in ("one", "two"):
        raw.ask("POST", f"/@{session}{CHAT}", chat("hi"))
    raw.ask("POST", "/@two/nowhere")
    assert get(raw, "verify", "one")["ok"]
    assert not get(raw, "verify", "two")["ok"]
    assert ["one"] == [entry["session"] for entry in get(raw, "journal", "one")["entries"]]
    assert ["two"] == [each["session"] for each in get(raw, "conversations", "two")["conversations"]]
    by_header = raw.ask("GET", "/_llmposter/journal", x_llmposter_session="one").json
    assert len(by_header["entries"]) == 1
    assert raw.ask("POST", "/@two/_llmposter/reset").json == {"ok": True}
    assert get(raw, "journal", "two")["entries"] == []
    assert len(get(raw, "journal")["entries"]) == 1
    raw.ask("POST", "/_llmposter/reset")
    assert get(raw, "journal")["entries"] == []
    assert get(raw, "conversations")["conversations"] == []


@pytest.mark.parametrize(
    "method, path, body, status, message",
    [
        (
            "GET",
            "/_llmposter/nothing",
            None,
            404,
            "the admin API has no /_llmposter/nothing; it has GET /_llmp",
        ),
        ("GET", "/_llmposter/a/b", None, 404, "the admin API has no /_llmposter/a/b; it has GET"),
        ("POST", "/_llmposter/", None, 405, "/_llmposter/ takes GET, not POST"),
        ("GET", "/_llmposter/reset", None, 405, "/_llmposter/reset takes POST, not GET"),
        ("DELETE", "/_llmposter/journal", None, 405, "/_llmposter/journal takes GET, not DELETE"),
        ("GET", "/_llmposter/journal?limit=0", None, 400, '"limit" is "0" and should be a whole number from 1 on'),
        ("GET", "/_llmposter/journal?after=x", None, 400, '"after" is "x" and should be a whole number from 0 on'),
        ("GET", "/@a!/_llmposter/journal", None, 400, '"a!" is no session id: it takes 1 to 128'),
        ("POST", "/_llmposter/clock/advance", {"by": "1s"}, 409, "the clock is the real one and moves by itself"),
        ("BREW", "/_llmposter/health", None, 405, ""),
    ],
)
def test_a_faulty_request_is_told_what_is_right(
    raw: Raw, method: str, path: str, body: object, status: int, message: str
) -> None:
    """Errors of the admin API are JSON and say what would be right; the connection goes on."""
    answer = raw.ask(method, path, body)
    assert status == answer.status
    assert answer.message.startswith(message)
    assert get(raw, "health")["ok"]


@pytest.mark.parametrize(
    "host, origin, status",
    [
        ("localhost:1", None, 200),
        ("127.0.0.1", None, 200),
        ("[::1]:2112", None, 200),
        ("my.localhost", None, 200),
        ("LOCALHOST", "http://localhost:3000", 200),
        ("evil.example", None, 403),
        ("evil.example:2112", None, 403),
        ("localhost.evil.example", None, 403),
        ("127.0.0.1", "http://evil.example", 403),
        ("127.0.0.1", "null", 403),
    ],
)
def test_no_web_page_reaches_the_admin_api(raw: Raw, host: str, origin: str | None, status: int) -> None:
    """On loopback, a request by another host's name, or from another site's page, is refused."""
    more = {} if origin is None else {"origin": origin}
    answer = raw.ask("GET", "/_llmposter/health", host=host, **more)
    assert status == answer.status
    if status == 403:
        assert "is no name of this server: it answers 127.0.0.1, ::1, localhost" in answer.message


def test_a_bug_in_the_admin_api_is_json_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception inside the admin API is a JSON 500 and is told to the log; the server goes on."""
    told = []

    class Watch(Silent):
        def broke(self, error: BaseException, what: str) -> None:
            told.append((type(error), what))

    with serving(SCENARIO, watch=Watch()) as server, Raw(server.url) as raw:
        with monkeypatch.context() as broken:
            broken.setattr(server.mock, "verify", lambda _: 1 / 0)
            answer = raw.ask("GET", "/_llmposter/verify")
        assert (500, "llmposter failed inside (ZeroDivisionError); its log has more") == (answer.status, answer.message)
        assert [(ZeroDivisionError, "GET /_llmposter/verify")] == told
        assert get(raw, "health")["ok"]


@pytest.mark.parametrize(
    "body, message",
    [
        (b"", "the body is not JSON"),
        (b"[", "the body is not JSON"),
        (b"\xff", "the body is not JSON"),
        ([], "the body is no object"),
        ({"by": 5}, "the body says not how far"),
        ({"by": "5"}, '"5" is no duration: write a number and a unit'),
        ({"by": "-5s"}, '"-5s" is no duration'),
    ],
)
def test_a_manual_clock_wants_a_duration(body: object, message: str) -> None:
    """`clock/advance` takes a duration as the language writes it, and nothing else."""
    with serving(SCENARIO, clock="manual") as server, Raw(server.url) as raw:
        answer = raw.ask("POST", "/_llmposter/clock/advance", body)
        assert answer.status == 400
        assert answer.message.startswith(message)


def test_a_manual_clock_lets_time_pass_only_when_told() -> None:
    """With a manual clock a delay of 30 s takes as long as nobody moves the clock, and no time once it is moved."""
    with serving(SCENARIO, clock="manual") as server, Raw(server.url) as slow, Raw(server.url) as admin:
        assert text(slow.ask("POST", CHAT, chat("hi"))) == "hello"
        slow.send(slow.request("POST", CHAT, chat("hi", "hello", "slow")))
        for by in ("10s", "19.9s"):
            began = admin.ask("GET", "/_llmposter/health").json["now"]
            moved = admin.ask("POST", "/_llmposter/clock/advance", {"by": by})
            assert moved.json["now"] > began
            time.sleep(0.05)
            assert admin.ask("GET", "/_llmposter/journal?after=1").json["entries"][0]["how"] == "pending"
        admin.ask("POST", "/@any/_llmposter/clock/advance", {"by": "100ms"})
        assert text(slow.read()) == "at last"
        (entry,) = admin.ask("GET", "/_llmposter/journal?after=1").json["entries"]
        assert (30, 30) == (entry["latency"], round(entry["seconds"], 6))


def test_a_client_may_leave_a_wait_of_the_manual_clock() -> None:
    """A client that leaves before the clock was moved ends its answer; the clock goes on without it."""
    with serving(SCENARIO, clock="manual") as server, Raw(server.url) as admin:
        with Raw(server.url) as slow:
            slow.ask("POST", CHAT, chat("hi"))
            slow.send(slow.request("POST", CHAT, chat("hi", "hello", "slow")))
            assert admin.ask("GET", "/_llmposter/health").status == 200
        for _ in range(100):
            entries = admin.ask("GET", "/_llmposter/journal?after=1").json["entries"]
            if entries and entries[0]["how"] == "client left":
                break
            time.sleep(0.01)
        assert entries[0]["sent"] == 0
        assert admin.ask("POST", "/_llmposter/clock/advance", {"by": "1h"}).status == 200


RATED = """
[[states.s]]
when  = 'user == "soon"'
error = { name = "rate_limited", retry_after = "250ms" }

[[states.s]]
when  = 'user == "later"'
error = { name = "overloaded", retry_after = "30s as date" }

[[states.s]]
error = "overloaded"
"""


def test_the_journal_tells_what_an_error_told() -> None:
    """`retry_after` is what the head of an error said, in seconds, however it said it."""
    with serving(RATED, clock="manual") as running, Raw(running.url) as raw:
        for text_ in ("soon", "later", "never"):
            raw.ask("POST", CHAT, chat(text_))
        told = [entry["retry_after"] for entry in get(raw, "journal")["entries"]]
    assert [0.25, 30.0, None] == told
