"""Chaos: a share of the requests gets a fault or an error, always the same ones, and what they asked for stays."""

from __future__ import annotations

import pytest
from machines import said, scenario, turn

from llmposter.core.clock import ManualClock
from llmposter.core.conversation import Step
from llmposter.core.mock import Mock
from llmposter.model import Failure, Reply
from llmposter_dsl import chaos
from llmposter_dsl.program import Chaos

ERRORS = """
[scenario]
name = "chaotic"
seed = 7

[vars]
told = 0

[chaos]
rate   = 0.25
errors = ["overloaded", { status = 503, message = "no room for ${user}, attempt ${attempt}" }]

[[states.s]]
times = 1
set   = { told = "told + 1" }
reply = "first"

[[states.s]]
reply = "told ${told}"
"""


def mock(text: str = ERRORS) -> Mock:
    return Mock([scenario(text)], ManualClock(0.0))


def asked(of: Mock, text: str, session: str = "") -> Step:
    return of.answer(turn(text, session=session)).step


def outcomes(of: Mock, count: int) -> list[str]:
    return [asked(of, f"request {number}").chaos for number in range(count)]


def test_the_share_is_kept_and_each_choice_comes() -> None:
    """Of 2,000 requests a quarter is taken, by each of the two errors about as often."""
    taken = outcomes(mock(), 2000)
    counts = {choice: taken.count(choice) for choice in set(taken)}
    assert {"", "error overloaded", "error 503"} == counts.keys()
    assert 1450 < counts[""] < 1550
    assert 200 < counts["error overloaded"] < 300


def test_the_same_run_takes_the_same_requests() -> None:
    """Seed, session and history decide, and another seed decides otherwise."""
    assert outcomes(mock(), 200) == outcomes(mock(), 200)
    assert outcomes(mock(), 200) != outcomes(mock(ERRORS.replace("seed = 7", "seed = 8")), 200)


def test_what_was_asked_for_stays_to_be_had() -> None:
    """A request that chaos took fires no rule and sets nothing; the retry draws anew, and is the next attempt."""
    of = mock(ERRORS.replace("0.25", "1"))
    first = asked(of, "hi")
    assert isinstance(first.outcome, Failure)
    assert first.rule is None
    assert (first.before.vars, dict(first.before.fired)) == (first.after.vars, {})
    of.set_chaos(Chaos(0.0))
    second = asked(of, "hi")
    assert ("first", 1) == (second.outcome.parts[0].text, second.after.vars["told"])
    assert [1, 2] == [entry["attempt"] for entry in of.journal()["entries"]]


def test_messages_of_its_errors_know_the_request() -> None:
    """A template of an error is filled as that of a rule is."""
    text = ERRORS.replace("0.25", "1").replace('"overloaded", ', "")
    assert "no room for hi, attempt 1" == asked(mock(text), "hi").outcome.message


def test_a_fault_of_chaos_strikes_the_answer() -> None:
    """What the rule says goes out, broken by the fault in place of the rule's own."""
    of = mock('[chaos]\nrate = 1\nfaults = "drop after 2 chunks"\n[[states.s]]\nreply = "whole"\nfault = "hang"')
    step = asked(of, "hi")
    assert isinstance(step.outcome, Reply)
    assert ["drop after 2 chunks"] == [fault.text for fault in step.faults]
    assert "drop after 2 chunks" == step.chaos


def test_journal_and_verify_tell_what_chaos_took() -> None:
    """Each entry says what took it, and the verdict lists their numbers without being worse for it."""
    of = mock()
    taken = outcomes(of, 50)
    entries = of.journal()["entries"]
    assert [choice or None for choice in taken] == [entry["chaos"] for entry in entries]
    verdict = of.verify()
    assert verdict.ok
    assert [entry["number"] for entry in entries if entry["chaos"]] == verdict.data()["chaos"]


def test_chaos_is_set_for_one_session_or_for_all_and_reset_clears_it() -> None:
    """A session's own comes first, then that for all, then the scenario's."""
    of = mock("[[states.s]]\nreply = 'hello'")
    of.set_chaos(Chaos(1.0, errors=always("timeout")))
    of.set_chaos(Chaos(1.0, errors=always("overloaded")), "a")
    of.set_chaos(Chaos(0.0), "b")
    assert ["error overloaded", "", "error timeout"] == [asked(of, "hi", name).chaos for name in ("a", "b", "")]
    of.reset("a")
    assert "error timeout" == asked(of, "hi", "a").chaos
    of.set_chaos(None)
    assert ["", ""] == [asked(of, "hi", name).chaos for name in ("a", "")]
    of.set_chaos(Chaos(1.0, errors=always("timeout")))
    of.reset()
    assert (None, "") == (of.chaos(), asked(of, "hi").chaos)


def test_a_second_turn_is_taken_as_the_first_is() -> None:
    """A request with a history draws too, and its conversation stays where it stood."""
    of = mock(ERRORS.replace("0.25", "0"))
    asked(of, "hi")
    of.set_chaos(Chaos(1.0, errors=always("overloaded")))
    again = of.answer(turn("hi", said("first"), "and?")).step
    assert ("error overloaded", again.before.answers) == (again.chaos, again.after.answers)
    of.set_chaos(Chaos(0.0))
    assert "told 1" == of.answer(turn("hi", said("first"), "and?")).step.outcome.parts[0].text


@pytest.mark.parametrize("rate, expected", [(0, {""}), (1, {"error 500"}), (1.0, {"error 500"})])
def test_none_and_all_are_shares_too(rate: float, expected: set[str]) -> None:
    """At 0 nothing is taken, at 1 everything."""
    text = f"[chaos]\nrate = {rate}\nerrors = [500]\n[[states.s]]\nreply = 'hello'"
    assert expected == set(outcomes(mock(text), 50))


def always(name: str):
    found = chaos.read({"rate": 1, "errors": [name]})
    assert isinstance(found, Chaos)
    return found.errors
