"""What is said to be impossible is never seen to happen, and every request that is shown does what is said of it."""

from __future__ import annotations

import json
import os
from itertools import combinations, pairwise
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from msgspec.structs import replace
from random_machines import FAILING, LEAVING, SCENARIOS, WALKS, asked, compiled, walked

from llmposter.core.conversation import Moment, interrupted
from llmposter.core.machine import Machine
from llmposter.core.pattern import text_of
from llmposter.lint.calling import calls
from llmposter.lint.checking import Seen
from llmposter.lint.checks import lp312_overlapping_rules as lp312
from llmposter.lint.checks import lp313_tool_loop_without_an_exit as lp313
from llmposter.lint.checks import lp314_call_whose_result_no_rule_awaits as lp314
from llmposter.lint.checks import lp316_retry_trap as lp316
from llmposter.lint.checks import lp317_state_from_which_no_end_is_reached as lp317
from llmposter.lint.never import studied
from llmposter.lint.retrying import Retrying, retried
from llmposter.lint.witness import Witness
from llmposter.model import Reply
from llmposter_dsl.analysis.variables import set_before
from llmposter_dsl.compiler import compile_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from llmposter.core.conversation import Step
    from llmposter.lint.never import Never, Study
    from llmposter.model import Turn
    from llmposter_dsl.program import Program

SOAK = bool(os.environ.get("LLMPOSTER_SOAK"))


def plays(program: Program, never: Never) -> Witness:
    """The witness is a request that the rule would take, and that a rule before it does."""
    witness = never.witness
    assert witness is not None
    assert never.rule.when is None or never.rule.when.holds(witness.facts(program))
    step = Machine(program).stepped(witness.stands, witness.turn, witness.moment)
    assert (*step.passed, step.rule)[0] is never.taker
    assert never.taker in never.by
    return witness


@settings(max_examples=10_000 if SOAK else 80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(SCENARIOS | LEAVING, WALKS)
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
    follows_calls(Seen(program, ()), steps)
    lost = {each.place.path[-1] for each in lp317.check(Seen(program, ()))}
    stood = [step.before.state for step in steps] + [steps[-1].after.state]
    first = next((number for number, state in enumerate(stood) if state in lost), len(stood))
    assert not program.final & set(stood[first:])


def follows_calls(seen: Seen, steps: list[Step]) -> None:
    """After a call whose result nobody takes there is no rule, and after one of a loop another call."""
    untaken = {each.place for each in lp314.check(seen)}
    looping = {each.place for each in lp313.check(seen)}
    for step, after in pairwise(steps):
        made = calls(step.rule) if step.rule is not None else ()
        if made and made[0].place in untaken:
            assert after.rule is None
        if made and made[0].place in looping:
            assert after.rule is not None
            assert calls(after.rule)


@settings(max_examples=3_000 if SOAK else 50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(SCENARIOS)
def test_a_request_that_is_shown_does_what_is_said_of_it(written):
    """The machine fires a rule that covers, none where there is a gap, and the first of two that overlap."""
    program = compiled(written)
    study, shown = studied(program), list[Witness]()
    for never in study.nowhere():
        if never.by:
            shown.append(plays(program, never))
    for state in study.reached:
        if (witness := study.gap(state)) is not None:
            assert Machine(program).stepped(witness.stands, witness.turn, witness.moment).missed
            shown.append(witness)
        shown += leads(study, state)
    hold(written, [witness for witness in shown if witness.shown])


def leads(study: Study, state: str) -> Iterator[Witness]:
    """The witness of two rules that overlap is taken by the first, and the second would take it."""
    live = [rule for rule in study.live(state) if rule.group == state and rule.when is not None]
    for one, other in combinations(live, 2):
        witness = lp312.both(study, state, one, other)
        if witness is not None:
            step = Machine(study.program).stepped(witness.stands, witness.turn, witness.moment)
            assert (*step.passed, step.rule)[0] is one
            assert other.when is not None
            assert other.when.holds(witness.facts(study.program))
            yield witness


def hold(written: dict[str, Any], shown: list[Witness]) -> None:
    """The words in which a request is told are a condition of the language, and it holds for that request."""
    rules = [*written.get("otherwise", ()), *({"when": each.shown, "reply": "w"} for each in shown)]
    program = compiled({**written, "otherwise": rules})
    for rule, witness in zip(program.otherwise[len(rules) - len(shown) :], shown, strict=True):
        assert rule.when is not None
        assert rule.when.holds(witness.facts(program)), witness.shown


@settings(max_examples=10_000 if SOAK else 150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(FAILING, WALKS)
def test_no_retry_gets_past_a_trap(written, walk):
    """Each retry fails, whenever it comes and whatever its headers are; also where nothing is told of it."""
    program = compiled(written)
    traps = Retrying(studied(program)).traps
    told = list(lp316.check(Seen(program, ())))
    lost = {each.place.path[1] for each in told if len(each.place.path) == 2}
    assert traps or not told
    for turn, attempt, step in asked(program, walk) if traps else ():
        if step.rule is not None and (fired_in(step), step.rule.name) in traps:
            only_fails(program, turn, attempt, step)
        assert step.before.state not in lost or fails(program, step)


def fired_in(step: Step) -> str:
    """The state in which the rule that answered stood."""
    return step.passed[-1].goto or "" if step.passed else step.before.state


def fails(program: Program, step: Step) -> bool:
    """Whether it is an error that clients retry."""
    return step.rule is not None and retried(program, step.rule)


def only_fails(program: Program, turn: Turn, attempt: int, step: Step) -> None:
    """The step, and retries after it, some soon and some late, get nothing else."""
    machine = Machine(program)
    assert fails(program, step)
    for number, wait in enumerate((0.5, 0.0, 3600.0, 8.0, 1.0), attempt + 1):
        after = interrupted(step) if step.faults else step.after
        again = replace(turn, request=replace(turn.request, headers={"x-a": str(number)}))
        step = machine.advance(after, again, Moment(after.last + wait, attempt=number))
        assert fails(program, step)


@settings(max_examples=10_000 if SOAK else 150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(LEAVING | SCENARIOS, WALKS)
def test_what_is_said_of_times_and_variables_of_a_state_is_so(written, walk):
    """No time passes where it is said to be 0s, and nothing is set where nothing can have set it."""
    program = compiled(written)
    standing, before = studied(program).standing, set_before(program)
    for step in walked(program, walk):
        stood, now = step.before, step.after.last
        times = {"elapsed": stood.entered, "idle": stood.last, "age": stood.began}
        assert dict.fromkeys(standing.no_time(stood.state), 0.0) == {
            name: now - times[name] for name in standing.no_time(stood.state)
        }
        assert not {name for name in program.vars if stood.vars[name] != program.vars[name]} - before[stood.state]


@settings(max_examples=10_000 if SOAK else 80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(SCENARIOS, WALKS)
def test_a_variable_that_is_told_to_be_empty_is(written, walk):
    """No walk has something in it where it is filled in."""
    found = compile_text(json.dumps(written), "random.yaml", "yaml").diagnostics
    told = {each.place.path[:-1] for each in found if each.code == "LP319"}
    for step in walked(compiled(written), walk) if told else ():
        if step.rule is not None and step.rule.place.path in told:
            assert isinstance(step.outcome, Reply)
            assert text_of(step.outcome) == ""
