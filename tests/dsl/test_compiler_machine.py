"""The machine's checks against random walks: what is said to be impossible is never seen to happen."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from llmposter_dsl import compiler

STATES = ("a", "b", "c", "d")
CONDITIONS = ('user == "x"', "turn > 3", "attempt == 1")
RULE = st.fixed_dictionaries(
    {},
    optional={
        "when": st.sampled_from(CONDITIONS),
        "times": st.just(1),
        "reply": st.just("x"),
        "goto": st.sampled_from(STATES),
    },
).map(lambda rule: rule if {"reply", "goto"} & set(rule) else {**rule, "reply": "y"})
RULES = st.lists(RULE, max_size=3)
SCENARIO = st.fixed_dictionaries(
    {"scenario": st.just({"start": STATES[0]}), "states": st.fixed_dictionaries(dict.fromkeys(STATES, RULES))},
    optional={"always": RULES, "otherwise": RULES},
)
WALK = st.lists(st.fixed_dictionaries(dict.fromkeys(CONDITIONS, st.booleans())), min_size=1, max_size=8)


def tried(scenario, state):
    """The rules that are tried in a state, in order, each with its path in the document."""
    for path, rules in (
        (("always",), scenario.get("always", [])),
        (("states", state), scenario["states"][state]),
        (("otherwise",), scenario.get("otherwise", [])),
    ):
        yield from (((*path, index), rule) for index, rule in enumerate(rules))


def walk(scenario, requests, state=STATES[0]):
    """Sends requests of which it is known which conditions hold; yields states entered, rules fired, and "lost"."""
    fired = {}
    yield state
    for holds in requests:
        for _ in range(50):
            free = (
                (path, rule) for path, rule in tried(scenario, state) if fired.get(path, 0) < rule.get("times", 999)
            )
            found = next(((path, rule) for path, rule in free if holds.get(rule.get("when"), True)), None)
            if found is None:
                yield "stuck" if not list(tried(scenario, state)) else "miss"
                break
            path, rule = found
            fired[path] = fired.get(path, 0) + 1
            yield path
            state = rule.get("goto", state)
            yield state
            if "reply" in rule:
                break
        else:
            yield "lost"


@settings(max_examples=150, deadline=None)
@given(SCENARIO, st.lists(WALK, min_size=1, max_size=6))
def test_what_is_said_to_be_impossible_never_happens(scenario, walks):
    """No walk enters an unreachable state or fires a rule that can never fire, and one that is stuck was foretold."""
    found = compiler.compile_text(json.dumps(scenario), "a.yaml", "yaml").diagnostics
    seen = {each for requests in walks for each in walk(scenario, requests)}
    codes = {each.code for each in found}
    assert not {each.place.path[-1] for each in found if each.code == "LP301"} & seen
    assert not {each.place.path for each in found if each.code == "LP302"} & seen
    assert "stuck" not in seen or "LP303" in codes
    assert codes <= {"LP301", "LP302", "LP303", "LP304"}


@settings(max_examples=60, deadline=None)
@given(SCENARIO)
def test_a_cycle_that_is_reported_is_one(scenario):
    """Where a cycle is reported, a request that stands there is never answered, whatever holds."""
    found = compiler.compile_text(json.dumps(scenario), "a.yaml", "yaml").diagnostics
    lost = {state for state in STATES if "lost" in walk(scenario, [dict.fromkeys(CONDITIONS, False)], state)}
    for each in found:
        if each.code == "LP304":
            group, state = each.place.path[0], each.place.path[1]
            assert state in lost if group == "states" else lost
