"""What is said to be impossible is never seen to happen, and every request that is shown does what is said of it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from random_machines import SCENARIOS, WALKS, compiled, walked

from llmposter.core.machine import Machine
from llmposter.lint.never import studied

if TYPE_CHECKING:
    from llmposter.lint.never import Never
    from llmposter_dsl.program import Program

SOAK = bool(os.environ.get("LLMPOSTER_SOAK"))


def plays(program: Program, never: Never) -> None:
    """The witness is a request that the rule would take, and that a rule before it does."""
    witness = never.witness
    assert witness is not None
    assert never.rule.when is None or never.rule.when.holds(witness.facts(program))
    step = Machine(program).stepped(witness.stands, witness.turn, witness.moment)
    assert (*step.passed, step.rule)[0] is never.taker
    assert never.taker in never.by


@settings(max_examples=10_000 if SOAK else 80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(SCENARIOS, WALKS)
def test_what_is_said_to_be_impossible_never_happens(written, walk):
    """No walk fires a rule that can never fire, or enters a state that is never reached."""
    program = compiled(written)
    study = studied(program)
    steps = walked(program, walk)
    entered = {"a", *(step.after.state for step in steps)}
    fired = [rule for step in steps for rule in (*step.passed, step.rule) if rule is not None]
    entered |= {rule.goto for rule in fired if rule.goto is not None}
    assert entered <= study.reached
    assert not {never.rule.name for never in study.nowhere()} & {rule.name for rule in fired}


@settings(max_examples=3_000 if SOAK else 50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(SCENARIOS)
def test_a_request_that_is_shown_is_taken_by_a_rule_before(written):
    """The machine, asked with the witness of a covered rule, fires one of those that cover it."""
    program = compiled(written)
    for never in studied(program).nowhere():
        if never.by:
            plays(program, never)
