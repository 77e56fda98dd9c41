"""The test case for unittest: a session a test, and a test that fails whose run was not clean."""

from __future__ import annotations

import io
import unittest
from pathlib import Path

from agents import weather

from llmposter.testing.unittest import LLMPosterTestCase

WEATHER = Path(__file__).parents[2] / "scenarios" / "weather.toml"


def ran(*cases: type[unittest.TestCase]) -> unittest.TestResult:
    loader = unittest.TestLoader()
    suite = unittest.TestSuite(loader.loadTestsFromTestCase(case) for case in cases)
    return unittest.TextTestRunner(io.StringIO()).run(suite)


def case(**methods: object) -> type[LLMPosterTestCase]:
    return type("Case", (LLMPosterTestCase,), {"scenario": WEATHER, **methods})


def whole(self: LLMPosterTestCase) -> None:
    weather(self.llmposter.openai_url)
    self.llmposter.assert_path(["ask", "lookup", "done"])


def stops(self: LLMPosterTestCase) -> None:
    weather(self.llmposter.openai_url, result=None)


def raises(self: LLMPosterTestCase) -> None:
    weather(self.llmposter.openai_url, result=None)
    self.fail("on its own")


def test_each_test_has_a_session_of_its_own() -> None:
    """So that all that go well pass, on one server."""
    result = ran(case(test_one=whole, test_two=whole))
    assert (2, [], []) == (result.testsRun, result.failures, result.errors)


def test_a_run_that_was_not_clean_fails_its_test() -> None:
    """With the transcript; not where the test has failed anyhow, and not where nobody wants it."""
    result = ran(case(test_stops=stops, test_whole=whole), case(test_raises=raises), case(test_it=stops, verify=False))
    assert (4, []) == (result.testsRun, result.errors)
    told = [text for _, text in result.failures]
    assert ["test_stops", "test_raises"] == [test._testMethodName for test, _ in result.failures]
    assert 'the conversation ended in state "lookup"' in told[0]
    assert "on its own" in told[1]
    assert "was not clean" not in told[1]


def test_a_case_without_a_scenario_says_so() -> None:
    """Once for the class."""
    result = ran(type("Case", (LLMPosterTestCase,), {"test_it": whole}))
    assert 1 == len(result.errors)
    assert "a server has something to serve" in result.errors[0][1]


def test_a_case_may_have_a_manual_clock() -> None:
    """And several scenarios."""

    def moves(self: LLMPosterTestCase) -> None:
        before = self.llmposter.clock.now
        assert before + 60 == self.llmposter.clock.advance("1m")

    scenario = (WEATHER, '[scenario]\nserves = \'model == "x"\'\n[[states.a]]\nreply = "x"\n')
    assert ran(case(test_moves=moves, clock="manual", scenario=scenario)).wasSuccessful()
