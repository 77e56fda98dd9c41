"""What assertions hold to, and what they say where they fail; `LLMPOSTER_GOLDEN=write` writes those texts again."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from agents import Agent, posted, weather

from llmposter import Scenario, Server, Session, rule

GOLDEN = Path(__file__).parent / "golden"
SCENARIOS = Path(__file__).parents[2] / "scenarios"
KEYS = '[auth]\ntokens = [{ name = "sk-first" }]\n\n[[states.talk]]\nreply = "Hello!"\n'


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.chdir(SCENARIOS)
    with Server("weather.toml", clock="manual") as server:
        yield server


def nothing(session: Session) -> None:
    """No request."""


def stops(session: Session) -> None:
    """The agent never brings the result of the tool."""
    weather(session.openai_url, result=None)


def jokes(session: Session) -> None:
    """The agent asks for something else."""
    Agent(session.openai_url).say("Tell me a joke")


def whole(session: Session) -> None:
    """All goes well."""
    weather(session.openai_url)


def warm(session: Session) -> None:
    """The agent's tool gives a text where a number is expected."""
    weather(session.openai_url, result='{"temp": "warm"}')


def fails(session: Session) -> None:
    """The agent says in its result that the tool failed, and asks on."""
    agent = weather(session.openai_url, "Atlantis", None)
    agent.bring("no such place")
    agent.say("Then in Rome?")


def never_mind(session: Session) -> None:
    """The agent goes on without the result that it owes."""
    weather(session.openai_url, result=None).say("Never mind")


def wrong_url(session: Session) -> None:
    """The agent's base URL has the path of the endpoint in it."""
    posted(f"{session.openai_url}/chat/completions", "What is the weather in Paris?")


def no_json(session: Session) -> None:
    """The agent sends something that is no request."""
    httpx.post(f"{session.openai_url}/chat/completions", content=b"What is the weather?")


def two(session: Session) -> None:
    """Two conversations in one session."""
    whole(session)
    weather(session.openai_url, "Oslo", None)


FAILING: dict[str, tuple[Callable[[Session], None], Callable[[Session], object]]] = {
    "path_stops_early": (stops, lambda s: s.assert_path(["ask", "lookup", "done"])),
    "path_elsewhere": (whole, lambda s: s.assert_path(["ask", "refused"])),
    "path_without_a_request": (nothing, lambda s: s.assert_path(["ask", "lookup", "done"])),
    "path_of_several": (two, lambda s: s.assert_path(["ask", "lookup", "done"])),
    "final_too_early": (stops, lambda s: s.assert_final()),
    "final_after_a_joke": (jokes, lambda s: s.assert_final()),
    "called_without_result": (stops, lambda s: s.assert_called("get_weather", city="Paris")),
    "called_otherwise": (whole, lambda s: s.assert_called("get_weather", city="Rome", days=3)),
    "called_another_tool": (whole, lambda s: s.assert_called("send_mail")),
    "called_nothing": (jokes, lambda s: s.assert_called("get_weather", city="Paris")),
    "not_called": (whole, lambda s: s.assert_not_called("get_weather", unit="celsius")),
    "matched": (fails, lambda s: s.assert_matched("Then in Rome?")),
    "matched_nothing": (jokes, lambda s: s.assert_matched("Paris")),
    "not_matched": (whole, lambda s: s.assert_not_matched("Paris")),
    "verify_a_miss": (never_mind, lambda s: s.verify()),
    "verify_an_expect": (warm, lambda s: s.verify()),
    "verify_a_wrong_url": (wrong_url, lambda s: s.verify()),
    "verify_no_request": (no_json, lambda s: s.verify()),
    "verify_after_the_end": (fails, lambda s: s.verify()),
}


@pytest.mark.parametrize("name", FAILING)
def test_a_failure_says_what_was_sent_and_what_was_expected(name: str, server: Server) -> None:
    """With its place in the scenario file, so that the output of a test reads by itself."""
    drive, check = FAILING[name]
    session = server.session("test")
    drive(session)
    with pytest.raises(AssertionError) as caught:
        check(session)
    file = GOLDEN / f"{name}.txt"
    if os.environ.get("LLMPOSTER_GOLDEN") == "write":
        file.write_text(f"{caught.value}\n", encoding="utf-8")
    assert file.read_text(encoding="utf-8") == f"{caught.value}\n"


def test_every_golden_file_is_of_a_failure() -> None:
    """None is left over, and there are more than ten."""
    assert sorted(FAILING) == sorted(file.stem for file in GOLDEN.iterdir())
    assert len(FAILING) > 10


def test_the_failure_of_a_scenario_in_python_names_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rule's place is the line of `rule(…)` in the test's own file."""
    monkeypatch.chdir(Path(__file__).parent)
    scenario = Scenario(name="built", final=["end"]).state("begin", rule(when='user == "go"', reply="b", goto="end"))
    line = next(n for n, each in enumerate(Path(__file__).read_text().splitlines(), 1) if 'name="built"' in each)
    with Server(scenario) as server:
        posted(server.openai_url, "stop")
        with pytest.raises(AssertionError) as caught:
            server.verify()
    column = 1 + Path(__file__).read_text().splitlines()[line - 1].index("rule(when")
    assert f'"begin#1" ({Path(__file__).name}:{line}:{column}) when user == "go" → "end"' in str(caught.value)


HOLDING: dict[str, tuple[Callable[[Session], None], Callable[[Session], object]]] = {
    "the path": (whole, lambda s: s.assert_path(["ask", "lookup", "done"])),
    "the path of one of two": (two, lambda s: s.assert_path(("ask", "lookup"), conversation="c2")),
    "the path of a scenario": (whole, lambda s: s.assert_path(["ask", "lookup", "done"], scenario="weather")),
    "a path that stays": (jokes, lambda s: s.assert_path(["ask"])),
    "a path back": (fails, lambda s: s.assert_path(["ask", "lookup", "done"])),
    "an end": (whole, lambda s: s.assert_final()),
    "the end of one of two": (two, lambda s: s.assert_final(conversation="c1")),
    "a call": (whole, lambda s: s.assert_called("get_weather")),
    "a call by some arguments": (whole, lambda s: s.assert_called("get_weather", city="Paris")),
    "no call": (jokes, lambda s: s.assert_not_called("get_weather")),
    "no call of these": (whole, lambda s: s.assert_not_called("get_weather", city="Rome")),
    "a match": (whole, lambda s: s.assert_matched("in Paris")),
    "no match": (fails, lambda s: s.assert_not_matched("Then in Rome?")),
    "a clean run": (whole, lambda s: s.verify()),
    "a clean run of nothing": (nothing, lambda s: s.verify()),
}


@pytest.mark.parametrize("name", HOLDING)
def test_what_holds_is_passed_over(name: str, server: Server) -> None:
    """No assertion fails on what it is to allow."""
    drive, check = HOLDING[name]
    session = server.session("test")
    drive(session)
    check(session)


def test_a_call_is_handed_back(server: Server) -> None:
    """With its arguments as data and the result that came back."""
    whole(session := server.session())
    call = session.assert_called("get_weather", city="Paris")
    assert ({"city": "Paris", "unit": "celsius"}, '{"temp": 22}', 2) == (call.arguments, call.result, call.answered_by)


def test_a_scenario_without_final_states_may_end_anywhere() -> None:
    """So that `assert_final` only asks for a conversation."""
    with Server('[[states.talk]]\nreply = "Hello!"\n') as server:
        with pytest.raises(AssertionError, match="no request came"):
            server.assert_final()
        posted(server.openai_url, "hi")
        server.assert_final()


def test_several_conversations_are_told_apart_or_told(server: Server) -> None:
    """`state` and `conversation` want the one that is meant."""
    two(session := server.session("test"))
    with pytest.raises(LookupError, match=r"there are 2 conversations: name one with `conversation=`"):
        session.state()
    assert ("done", "lookup") == (session.state("c1"), session.state("c2"))
    with pytest.raises(LookupError, match='there is no conversation "c3"'):
        session.conversation("c3")
    with pytest.raises(LookupError, match='there is no conversation of scenario "other"'):
        session.conversation(scenario="other")


def test_what_is_remembered_no_more_is_told() -> None:
    """A journal that was too small is named where an assertion fails."""
    with Server(SCENARIOS / "weather.toml", journal_size=2) as server:
        weather(server.openai_url)
        with pytest.raises(AssertionError, match="1 older requests are remembered no more: `journal_size`"):
            server.assert_called("get_weather", city="Paris")


def test_a_request_that_is_not_let_in_is_shown() -> None:
    """With the reason, and without its key."""
    with Server(KEYS) as server:
        posted(server.openai_url, "hi")
        with pytest.raises(AssertionError) as caught:
            server.assert_final()
    assert "rejected (401): the request presents no credential" in str(caught.value)
