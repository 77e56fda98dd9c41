"""Many workers, one conversation that all of them open: nobody hears of another, on one server a worker or one for all.

`LLMPOSTER_SOAK=1` plays 400 tests on 8 workers, 20 times in a row; else it is a smaller run of each.
"""

from __future__ import annotations

import os
import re

import pytest
from plugin import GALLERY, LOADED, given, printed, ran

from llmposter import Server

pytest_plugins = ["pytester"]

SOAK = bool(os.environ.get("LLMPOSTER_SOAK"))
WORKERS, TESTS, RUNS = (8, 400, 20) if SOAK else (3, 60, 1)

SHUFFLED = """
import random

def pytest_collection_modifyitems(config, items):
    random.Random(SEED).shuffle(items)
"""
SAME = """
pytestmark = pytest.mark.llmposter("weather.toml")

@pytest.mark.parametrize("n", range(TESTS))
def test_the_same_conversation(n, llmposter):
    assert () == llmposter.requests
    agent = weather(llmposter.openai_url)
    assert "It is 22°C in Paris." == agent.messages[-1]["content"]
    llmposter.assert_path(["ask", "lookup", "done"])
    llmposter.assert_called("get_weather", city="Paris")
    assert 1 == len(llmposter.conversations)
    assert [1, 1, 2] == [each.attempt for each in llmposter.requests]
"""


def suite(pytester: pytest.Pytester, seed: int) -> None:
    pytester.makeconftest(SHUFFLED.replace("SEED", str(seed)))
    given(pytester, SAME.replace("TESTS", str(TESTS)))


@pytest.mark.timeout(600)
@pytest.mark.parametrize("run", range(RUNS))
def test_one_server_a_worker(run: int, pytester: pytest.Pytester) -> None:
    """In any order."""
    suite(pytester, run)
    result = pytester.runpytest_subprocess(*LOADED, f"-n{WORKERS}", "-q")
    result.assert_outcomes(passed=TESTS)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("run", range(RUNS))
def test_one_server_for_all(run: int, pytester: pytest.Pytester) -> None:
    """Which runs elsewhere; afterwards nothing is left on it."""
    suite(pytester, 1000 + run)
    with Server(GALLERY / "weather.toml") as server:
        result = pytester.runpytest_subprocess(*LOADED, f"-n{WORKERS}", "-q", f"--llmposter-server={server.url}")
        result.assert_outcomes(passed=TESTS)
        assert ((), ()) == (server.requests, server.conversations)


ALIKE = """
pytestmark = pytest.mark.llmposter("weather.toml", allow_open=True)

def test_looks(llmposter):
    agent = weather(llmposter.openai_url)
    agent.say("More!")
    posted(llmposter.openai_url + "/nowhere", "hi")
    for each in llmposter.requests:
        print("TOLD", [getattr(each, name) for name in each.__dataclass_fields__ if name not in VARY])
        print("TOLD", each.messages, each.tools, each.system, each.body)
    for each in (*llmposter.calls, *llmposter.conversations, *llmposter.violations):
        print("TOLD", each)
    assert llmposter.state() == "done"
    with pytest.raises(AssertionError) as caught:
        llmposter.verify()
    print("TOLD", caught.value)
    assert not "shown"

def test_stops(llmposter, llmposter_server):
    stops(llmposter)
    llmposter.assert_called("get_weather")
"""
VARY = ("number", "time", "headers", "seconds", "history")


def test_a_server_elsewhere_tells_the_same(pytester: pytest.Pytester) -> None:
    """Records, failures with their places and coverage are those of a server in the test's own process."""
    given(pytester, f"VARY = {VARY}\n{ALIKE}")
    pytester.makeini("[pytest]\nllmposter_scenarios = weather.toml\n")
    arguments = ("--llmposter-coverage", "--tb=short", "-p", "no:timeout")
    here = told(ran(pytester, *arguments, failed=2))
    with Server("weather.toml") as server:
        there = told(ran(pytester, *arguments, f"--llmposter-server={server.url}", failed=2))
    assert here == there
    assert "is not covered (weather.toml:37:1)" in here


def told(result: pytest.RunResult) -> str:
    text = printed(result).partition("FAILURES")[2].partition("short test summary")[0]
    text = re.sub(r"(-[0-9a-f]{8})-[0-9a-f]{8}\b", r"\1", text)
    text = re.sub(r"\bcall_[0-9a-f]{24}\b", "call_ID", text)
    return re.sub(r"#\d+|number=\d+|request=\d+|answered_by=\d+", "#N", text)


WRONG = {
    "nobody there": ("http://127.0.0.1:9", "no llmposter answers at http://127.0.0.1:9"),
    "another scenario": ("", 'serves no scenario "weather": it serves scenario'),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_server_that_will_not_do_is_told(name: str, pytester: pytest.Pytester) -> None:
    """Where it does not answer, or serves something else than the test is written for."""
    url, expected = WRONG[name]
    given(pytester, "@pytest.mark.llmposter('weather.toml')\ndef test_it(llmposter):\n    pass")
    with Server('[[states.talk]]\nreply = "Hello!"\n') as server:
        assert expected in printed(ran(pytester, f"--llmposter-server={url or server.url}", errors=1))


def test_what_has_to_be_its_own_is_in_the_process(pytester: pytest.Pytester) -> None:
    """Time in hand and settings of its own, whatever server the others have."""
    given(
        pytester,
        """
        pytestmark = pytest.mark.llmposter("weather.toml")
        def test_time(llmposter_clock):
            llmposter_clock.advance("15m")
        @pytest.mark.llmposter(seed=3)
        def test_seed(llmposter):
            assert llmposter.server.url
        def test_elsewhere(llmposter):
            with pytest.raises(RuntimeError, match="is no server of this process"):
                llmposter.tokens.list()
        """,
    )
    with Server(GALLERY / "weather.toml") as server:
        ran(pytester, "-o", f"llmposter_server={server.url}", passed=3)
