"""`--llmposter-coverage`: what all tests of a run together covered of their scenarios, with workers and without."""

from __future__ import annotations

import pytest
from plugin import LOADED, given, printed, ran

pytest_plugins = ["pytester"]

TESTS = """
pytestmark = pytest.mark.llmposter("weather.toml", allow_open=True)

def test_whole(llmposter):
    weather(llmposter.openai_url)

def test_stops(llmposter):
    weather(llmposter.openai_url, result=None)

def test_idle(llmposter):
    pass

def test_fails(llmposter):
    weather(llmposter.openai_url, "Atlantis", result=None).bring("Error: no such place")
    assert MODE != "fail"

@pytest.mark.llmposter(TALK)
def test_another(llmposter):
    posted(llmposter.openai_url, "hi")
"""
TALK = '[[states.talk]]\nwhen = \'user == "no"\'\nreply = "No."\n[[states.talk]]\nreply = "Hello!"\n'
TOLD = """
scenario (scenario.toml)
  states 1/1, rules 1/2
      rule "talk#1" is not covered (scenario.toml:1:1)
weather (weather.toml)
  states 3/3, rules 4/5
      rule "ask#2" is not covered (weather.toml:29:1)
82 % of all states and rules are covered
"""


def a_suite(pytester: pytest.Pytester, mode: str = "") -> None:
    given(pytester, f"TALK = {TALK!r}\nMODE = {mode!r}\n{TESTS}")


def told(result: pytest.RunResult) -> str:
    out = printed(result)
    return out[out.index(" llmposter coverage ") :].partition("\n")[2].partition("\n==")[0].strip()


def test_states_and_rules_are_told(pytester: pytest.Pytester) -> None:
    """Those of every test, one that fails included, for all scenarios that were played."""
    a_suite(pytester, "fail")
    assert TOLD.strip() == told(ran(pytester, "--llmposter-coverage", "--tb=no", "-rN", passed=4, failed=1))


def test_workers_tell_as_much(pytester: pytest.Pytester) -> None:
    """What they covered is put together."""
    a_suite(pytester)
    result = pytester.runpytest_subprocess(*LOADED, "-n2", "--llmposter-fail-under=82.1", "-p", "no:timeout")
    result.assert_outcomes(passed=5)
    expected = TOLD.strip() + ", and 82.1 % should be (--llmposter-fail-under)"
    assert (expected, pytest.ExitCode.TESTS_FAILED) == (told(result), result.ret)


@pytest.mark.parametrize(
    ("under", "mode", "expected"),
    [
        ("81", "", pytest.ExitCode.OK),
        ("81.9", "", pytest.ExitCode.TESTS_FAILED),
        ("0", "fail", pytest.ExitCode.TESTS_FAILED),
    ],
)
def test_a_run_fails_that_covers_too_little(
    under: str, mode: str, expected: pytest.ExitCode, pytester: pytest.Pytester
) -> None:
    """To the fraction of a percent; the coverage is told without being asked for."""
    a_suite(pytester, mode)
    result = pytester.runpytest_inprocess(*LOADED, f"--llmposter-fail-under={under}")
    assert expected == result.ret
    assert "82 % of all states and rules are covered" in printed(result)


def test_a_run_without_scenarios_says_so(pytester: pytest.Pytester) -> None:
    """It covers nothing, so that no bound is met."""
    pytester.makepyfile("def test_it():\n    pass")
    result = pytester.runpytest_inprocess(*LOADED, "--llmposter-fail-under=1")
    assert pytest.ExitCode.TESTS_FAILED == result.ret
    assert "no scenario was played, and 1 % should be" in printed(result)


def test_nothing_is_told_that_nobody_asked_for(pytester: pytest.Pytester) -> None:
    """Without the option a run looks as ever."""
    a_suite(pytester)
    assert "coverage" not in printed(ran(pytester, passed=5))
