"""What the machine tells of a request or of its own answer that should not be so."""

from __future__ import annotations

import pytest
from machines import Talk, scenario, text

from llmposter.model import Miss


def test_expectations_become_violations() -> None:
    """A condition of the rule that fires, or of the scenario, that does not hold is told with its place and values."""
    file = """[scenario]
expect = 'system contains "brief"'
[[states.a]]
when = 'user matches /(?P<n>\\d)/'
expect = ['n == "1" and n is text', 'user != ""']
reply = "${n}"
[[states.a]]
expect = 'user is number'
reply = "other"
"""
    talk = Talk(scenario(file, "e.toml"))
    step = talk.ask("2", system="Be brief.")
    assert text(step) == "2"
    assert [(v.kind, v.place, v.message) for v in step.violations] == [
        ("expect", "e.toml:5:11", 'expected n == "1": n is "2"')
    ]
    assert [v.message for v in talk.ask("1", system="no").violations] == [
        'expected system contains "brief": system is "no"'
    ]


def test_an_expectation_of_the_scenario_holds_for_a_miss_too() -> None:
    """What every request must satisfy is asked of one that no rule matches as well."""
    step = Talk(scenario("[scenario]\nexpect = 'stream'\n[[states.a]]\nwhen = 'user == \"x\"'\nreply = 'x'")).ask("y")
    assert isinstance(step.outcome, Miss)
    assert [violation.kind for violation in step.violations] == ["expect"]


@pytest.mark.parametrize(
    "declared, in_file, violations",
    [
        (("get",), "", 0),
        (("get",), "[tools.get]", 0),
        (("put",), "", 1),
        ((), "", 0),
        ((), "[tools.get]", 1),
    ],
)
def test_a_call_of_an_undeclared_tool(declared, in_file, violations) -> None:
    """Where request or scenario say what tools there are, a call of one that the request does not declare is told."""
    step = Talk(scenario(f"{in_file}\n[[states.a]]\ncall = 'get()'")).ask("x", tools=declared)
    assert violations == len(step.violations)
    if violations:
        (found,) = step.violations
        assert found.kind == "tools"
        assert found.message == 'rule "a#1" calls the tool "get", which the request does not declare'


def test_a_call_that_says_it_is_undeclared_is_no_violation() -> None:
    """A model that calls a tool which is not there is what the scenario is about; other calls are told all the same."""
    calls = "[{ tool = 'made_up', undeclared = true }, 'put()']"
    step = Talk(scenario(f"[tools.put]\n[[states.a]]\ncall = {calls}")).ask("x", tools=("get",))
    assert ['rule "a#1" calls the tool "put", which the request does not declare'] == [
        found.message for found in step.violations
    ]
