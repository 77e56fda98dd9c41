"""A server in the process of a test: from `with` to its end, several at once, and nothing left behind."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psutil
import pytest
from agents import posted, weather

import llmposter
from llmposter import CannotListen, Scenario, ScenarioError, Server, rule

WEATHER = Path(__file__).parents[2] / "scenarios" / "weather.toml"
HELLO = '[[states.talk]]\nreply = "Hello!"\n'
BYE = "states:\n  talk:\n    - reply: Bye!\n"


def text(server: llmposter.Server | llmposter.Session, said: str = "hi") -> str:
    return posted(server.openai_url, said).json()["choices"][0]["message"]["content"]


def test_a_server_answers_while_it_is_open() -> None:
    """`with` starts it on a free port of loopback and ends it; what was asked stays to be looked at."""
    with Server(HELLO) as server:
        assert f"http://127.0.0.1:{server.port}" == server.url == server.anthropic_url == server.gemini_url
        assert f"{server.url}/v1" == server.openai_url
        assert "Hello!" == text(server)
    with pytest.raises(httpx.ConnectError):
        text(server)
    assert ["reply"] == [each.outcome for each in server.requests]


def test_a_server_runs_in_the_loop_of_its_caller() -> None:
    """`async with` takes no thread, and the client runs beside it."""

    async def main() -> None:
        before = threading.active_count()
        async with Server(HELLO) as server, httpx.AsyncClient() as client:
            body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]}
            answer = await client.post(f"{server.openai_url}/chat/completions", json=body)
            assert "Hello!" == answer.json()["choices"][0]["message"]["content"]
            assert before == threading.active_count()
        server.assert_matched("hi")

    asyncio.run(main())


def test_a_server_in_a_loop_leaves_nothing_there() -> None:
    """No task and no socket, although an answer was still waiting for its time."""

    async def main() -> None:
        process = psutil.Process()
        async with Server(HELLO):
            pass
        before = process.num_fds(), len(asyncio.all_tasks())
        for _ in range(20):
            async with Server(HELLO + 'latency = "1h"\n') as server:
                reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
                body = b'{"model": "m", "messages": [{"role": "user", "content": "hi"}]}'
                head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n"
                writer.write(head.encode() + body)
                while not server.requests:  # noqa: ASYNC110 - nobody tells when a request has come
                    await asyncio.sleep(0.001)
            assert b"" == await reader.read()
            writer.close()
            await writer.wait_closed()
        assert before == (process.num_fds(), len(asyncio.all_tasks()))
        assert "server stopped" == server.requests[0].how

    asyncio.run(main())


SOURCES = {
    "a path": ([WEATHER], ["weather"]),
    "a path as text": ([str(WEATHER)], ["weather"]),
    "TOML": ([HELLO], ["scenario"]),
    "YAML": ([BYE], ["scenario"]),
    "TOML after a comment": (["# first\n\n# second\nllmposter = '1'\n" + HELLO], ["scenario"]),
    "YAML after a comment": (["# first: a = b\n" + BYE], ["scenario"]),
    "a folder": ([WEATHER.parent / "several-agents"], ["critic", "writer"]),
    "several": (
        [WEATHER, Scenario(name="built", serves='model == "x"').state("a", rule(reply="b"))],
        ["weather", "built"],
    ),
}


@pytest.mark.parametrize("name", SOURCES)
def test_what_a_server_takes(name: str) -> None:
    """Paths, folders, texts in both formats, and scenarios that were built; in their order."""
    sources, expected = SOURCES[name]
    with Server(*sources) as server:
        assert expected == httpx.get(f"{server.url}/_llmposter/health").json()["scenarios"]


WRONG = {
    "a typo": (['[[states.a]]\nreplay = "x"\n'], "scenario.toml:2:1-2:7 LP110 unknown key `replay`"),
    "no such file": (["nowhere.toml"], "there is no file or folder `nowhere.toml`"),
    "no such path": ([Path("nowhere.toml")], "`nowhere.toml` cannot be read: no such file or directory"),
    "a text of one line": (["states: {a: [{reply: x}]}"], "a scenario, and has a line break in it"),
    "a long text of one line": (["x" * 9_999], "there is no file or folder `xxx"),
    "no text": ([""], 'there is no file or folder `""`'),
    "two of one name": ([HELLO, '[scenario]\nname = "scenario"\n' + HELLO], 'two scenarios are called "scenario"'),
    "every finding": (
        ['[[states.a]]\nreplay = "x"\n', '[[states.a]]\nreply = "x"\ngoto = "b"\n'],
        "scenario-2.toml:3:8-3:11 LP201 unknown state `b`",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_scenarios_are_told_at_once(name: str) -> None:
    """One exception has all findings, each with its place, before anything listens."""
    sources, expected = WRONG[name]
    with pytest.raises(ScenarioError) as caught:
        Server(*sources)
    assert expected in str(caught.value)
    assert "every finding" != name or "scenario.toml:2:1" in str(caught.value)


def test_a_finding_that_is_no_error_keeps_nobody_from_serving() -> None:
    """As `llmposter run` does."""
    with Server('[vars]\nunused = 1\n[[states.talk]]\nreply = "Hello!"\n') as server:
        assert "Hello!" == text(server)


MISUSED = {
    "nothing to serve": (TypeError, "a server has something to serve", Server),
    "no source": (TypeError, "is nothing to serve", lambda: Server(3)),  # type: ignore[arg-type]
    "no clock": (ValueError, '"slow" and should be "real" or "manual"', lambda: Server(HELLO, clock="slow")),  # type: ignore[arg-type]
    "not started": (RuntimeError, "use it as `with Server", lambda: Server(HELLO).url),
    "no session": (ValueError, '"a b" is no session id', lambda: Server(HELLO).session("a b")),
}


@pytest.mark.parametrize("name", MISUSED)
def test_misuse_is_told(name: str) -> None:
    """With what would be right."""
    kind, expected, do = MISUSED[name]
    with pytest.raises(kind, match=expected):
        do()


def test_a_server_that_runs_is_not_started_again() -> None:
    """But one that has ended may be, and begins anew."""
    server = Server(HELLO)
    with server:
        text(server)
        with pytest.raises(RuntimeError, match="runs already, at http"):
            server.start()
    with server:
        assert () == server.requests
    server.stop()


def test_a_port_that_is_taken_is_told() -> None:
    """As an exception of who starts it, in words of the library and not of the command line."""
    told = "the port is taken; choose another `port`, or leave it out for any free one"
    with Server(HELLO) as server, pytest.raises(CannotListen, match=f":{server.port}: {told}"):
        Server(HELLO, port=server.port).start()


def test_servers_know_nothing_of_each_other() -> None:
    """Several at once, each with its own port and journal."""
    with Server(HELLO) as one, Server(BYE) as other, Server(HELLO) as third:
        assert ("Hello!", "Bye!", "Hello!") == (text(one), text(other), text(third))
        assert 3 == len({one.port, other.port, third.port})
        assert [1, 1, 1] == [len(each.requests) for each in (one, other, third)]


def test_a_thousand_servers_leave_nothing() -> None:
    """No thread, no socket, no open file and no warning, whether a connection was left open or not."""
    process = psutil.Process()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with Server(HELLO) as server:
            text(server)
        before = threading.active_count(), process.num_fds(), len(process.net_connections())
        for n in range(1000):
            with Server(HELLO) as server:
                if n % 100 == 0:
                    with socket.create_connection(("127.0.0.1", server.port)) as left_open:
                        left_open.sendall(b"GET /health HTTP/1.1\r\n")
                        server.stop()
        assert before == (threading.active_count(), process.num_fds(), len(process.net_connections()))


def test_sessions_are_isolated() -> None:
    """Each has its own URLs, requests and conversations; the server sees all."""
    with Server(WEATHER) as server:
        one, other = server.session("one"), server.session()
        weather(one.openai_url)
        weather(other.openai_url, "Oslo", None)
        assert "done" == one.state()
        assert "lookup" == other.state()
        assert (3, 1, 4) == (len(one.requests), len(other.requests), len(server.requests))
        assert {"one", other.name} == {each.session for each in server.conversations}
        assert f"{server.url}/@one" == one.url
        one.reset()
        assert (0, 1) == (len(one.requests), len(other.requests))
        assert other.name != server.session().name


def test_sessions_at_the_same_time_see_nothing_of_each_other() -> None:
    """Forty agents with the same words, eight at a time, are each told of their own city alone."""
    with Server(WEATHER) as server, ThreadPoolExecutor(8) as pool:

        def one(number: int) -> None:
            session = server.session()
            weather(session.openai_url, f"City{number}")
            session.assert_called("get_weather", city=f"City{number}")
            session.assert_path(["ask", "lookup", "done"])
            session.assert_not_matched(f"City{number + 1}")
            session.verify()

        assert 40 * [None] == list(pool.map(one, range(100, 140)))
        assert 40 == len(server.conversations) == len(server.calls)
        assert 120 == len(server.requests)


def test_scenarios_are_put_in_place_of_others() -> None:
    """At once; a wrong one leaves what is served, and conversations that stand nowhere any more are named."""
    with Server(WEATHER) as server:
        weather(server.openai_url, result=None)
        with pytest.raises(ScenarioError):
            server.set_scenarios("[[states.a]]\n")
        assert "lookup" == server.state()
        swapped = server.set_scenarios(Scenario(name="weather").state("talk", rule(reply="New!")))
        assert ["lookup"] == [each.state for each in swapped.ended]
        assert "New!" == text(server)


def test_the_library_is_loaded_when_it_is_asked_for() -> None:
    """`llmposter` alone names what it has and loads none of it."""
    named = "import llmposter, sys; print(*dir(llmposter)); print(*[m for m in sys.modules if 'llmposter' in m])"
    told = subprocess.run([sys.executable, "-c", named], check=True, capture_output=True, text=True).stdout.splitlines()
    assert {"Fixture", "Server", "Session", "Scenario", "ScenarioError", "rule"} <= set(told[0].split())
    assert set(llmposter.__all__) <= set(told[0].split())
    assert ["llmposter"] == told[1].split()
    with pytest.raises(AttributeError, match="has no attribute 'Sever'"):
        _ = llmposter.Sever  # type: ignore[attr-defined]
