"""What agents do, over a real socket with each provider's own SDK, plain and streamed, ending with a clean `verify`.

One scenario (agents.toml), one set of plays; nothing here knows a provider.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path
from threading import Barrier
from typing import TYPE_CHECKING

import pytest
from judging import Agent, judges
from pydantic import BaseModel
from serving import serving

from llmposter.wire import load

if TYPE_CHECKING:
    from llmposter.server import Running

AGENTS = Path(__file__).with_name("agents.toml")
WIRES = sorted(load().keys() & judges().keys())
SESSIONS = count()
Play = Callable[[Agent], None]


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with serving(AGENTS) as running:
        yield running


@contextmanager
def agent(server: Running, wire: str, *, stream: bool, session: str = "", system: str = "be brief") -> Iterator[Agent]:
    url = server.session_url(session) if session else server.url
    with closing(judges()[wire].agent(url, stream=stream, retries=2, system=system)) as found:
        yield found


# --- plays ------------------------------------------------------------------------------------------------------------


def tool_loop(agent: Agent) -> None:
    """A call, its result, a 429 that the SDK waits for and asks again after, and the answer."""
    heard = agent.say("weather in Oslo")
    (call,) = heard.calls
    assert ("get_weather", {"city": "Oslo", "unit": "celsius"}) == (call.tool, json.loads(call.arguments))
    assert "tool_calls" == heard.finish
    heard = agent.result((call, '{"temp": -3}'))
    assert (("It is -3°C in Oslo.",), (), "stop") == (heard.texts, heard.calls, heard.finish)


def five_tool_turns(agent: Agent) -> None:
    """Five calls, one after the other."""
    heard = agent.say("what time is it?")
    for tick in range(5):
        ((_, tool, arguments),) = heard.calls
        assert ("now", {}) == (tool, json.loads(arguments))
        heard = agent.result((heard.calls[0], json.dumps({"tick": tick})))
    assert (("Five ticks.",), ()) == (heard.texts, heard.calls)


def parallel_calls(agent: Agent) -> None:
    """Text and three calls at once, their results in another order."""
    heard = agent.say("both, please")
    assert ("Let me look at both.",) == heard.texts
    paris, rome, now = heard.calls
    assert 3 == len({call.id for call in heard.calls})
    heard = agent.result((rome, '{"temp": 30}'), (now, "noon"), (paris, '{"temp": 22}'))
    assert ("Rome is the warmer of the two.",) == heard.texts


def reasoning(agent: Agent) -> None:
    """Reasoning before a call and before a text, sent back as the provider wants it."""
    heard = agent.say("think about it")
    assert "I need the time for this." == heard.thinking
    heard = agent.result((heard.calls[0], "noon"))
    assert ("Noon, then.", ("It is noon.",)) == (heard.thinking, heard.texts)
    assert ("Quite sure.",) == agent.say("sure?").texts


def refusal(agent: Agent) -> None:
    """The provider's own form of it, or what is nearest."""
    heard = agent.say("something bad")
    assert "I cannot help with that." in (heard.refusal or "", *heard.texts)
    assert () == heard.calls


class Weather(BaseModel):
    city: str
    temps: list[float]
    sunny: bool


def structured_output(agent: Agent) -> None:
    """Parsed by the SDK into the user's own class."""
    assert Weather(city="Paris", temps=[1, 2.5], sunny=True) == agent.parsed("as JSON", Weather)


PLAYS = (tool_loop, five_tool_turns, parallel_calls, reasoning, refusal, structured_output)


@pytest.mark.parametrize("play", PLAYS, ids=lambda play: play.__name__)
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
@pytest.mark.parametrize("wire", WIRES)
def test_an_agent_comes_to_its_end(server: Running, wire: str, play: Play, *, stream: bool) -> None:
    """As `verify` says: no violation, nothing unmatched, and the conversation where it may end."""
    session = f"s{next(SESSIONS)}"
    with agent(server, wire, stream=stream, session=session) as each:
        play(each)
    verdict = server.mock.verify(session)
    assert verdict.ok, verdict


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
@pytest.mark.parametrize("wire", WIRES)
def test_the_sdk_says_which_try_it_is(server: Running, wire: str, *, stream: bool) -> None:
    """After the 429 the journal shows the second attempt, which the SDK made of itself."""
    session = f"s{next(SESSIONS)}"
    with agent(server, wire, stream=stream, session=session) as each:
        tool_loop(each)
    entries = server.mock.journal(session=session)["entries"]
    assert [200, 429, 200] == [entry["status"] for entry in entries]
    assert [1, 1, 2] == [entry["attempt"] for entry in entries]


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
@pytest.mark.parametrize("wire", WIRES)
def test_what_no_rule_matches_is_asked_once_and_explained(server: Running, wire: str, *, stream: bool) -> None:
    """The SDK's exception holds the explanation, no SDK asks again, and `verify` tells of it."""
    session = f"s{next(SESSIONS)}"
    with (
        agent(server, wire, stream=stream, session=session) as each,
        pytest.raises(Exception, match="no rule of") as told,
    ):
        each.say("something that nobody wrote a rule for")
    assert '"agents"' in str(told.value)
    assert '"ask"' in str(told.value)
    (entry,) = server.mock.journal(session=session)["entries"]
    assert ("miss", 404) == (entry["outcome"], entry["status"])
    assert ["miss", "unfinished"] == [problem.kind for problem in server.mock.verify(session).problems]


@pytest.mark.parametrize("wire", WIRES)
def test_a_request_sent_again_is_answered_as_before(server: Running, wire: str) -> None:
    """Also once its answer has arrived, and the conversation goes on from there."""
    session = f"s{next(SESSIONS)}"
    with agent(server, wire, stream=False, session=session) as each:
        (call,) = each.say("think about it").calls
        first = each.result((call, "noon"))
        assert first == each.again()
        assert ("Quite sure.",) == each.say("sure?").texts
    verdict = server.mock.verify(session)
    assert verdict.ok, verdict


@pytest.mark.parametrize("play", [tool_loop, five_tool_turns, reasoning], ids=lambda play: play.__name__)
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
@pytest.mark.parametrize("wire", WIRES)
def test_two_agents_alike_do_not_cross(server: Running, wire: str, play: Play, *, stream: bool) -> None:
    """In one session at the same time, saying the same, each has a conversation of its own."""
    session, together = f"s{next(SESSIONS)}", Barrier(2)

    def go(_: int) -> None:
        with agent(server, wire, stream=stream, session=session) as each:
            together.wait(10)
            play(each)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(go, range(2)))
    verdict = server.mock.verify(session)
    assert verdict.ok, verdict
    assert 2 == len(server.mock.conversations(session))


def test_agents_of_all_providers_share_a_session(server: Running) -> None:
    """At the same time, each with a system prompt of its own as sub-agents have it, and each ends where it should."""
    session = f"s{next(SESSIONS)}"

    def go(wire: str) -> None:
        for play in PLAYS:
            with agent(server, wire, stream=play is not tool_loop, session=session, system=f"be {wire}") as each:
                play(each)

    with ThreadPoolExecutor(len(WIRES)) as pool:
        list(pool.map(go, WIRES))
    verdict = server.mock.verify(session)
    assert verdict.ok, verdict
