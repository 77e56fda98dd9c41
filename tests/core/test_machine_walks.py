"""The machine against an independent reading of the rules, on random programs and random walks."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from machines import PLACE, turn

from llmposter.core.conversation import Conversation, Moment
from llmposter.core.machine import MOST_PASSES, Machine
from llmposter.model import Failure, Miss, Reply
from llmposter_dsl.program import Condition, Expression, Fail, Program, Rule, Say, Template

STATES = ("a", "b", "c")
VARS = ("x", "y")
WORDS = ("red", "green", "blue")
NAMES = tuple(f"r{n}" for n in range(12))


@dataclass(frozen=True)
class Spec:
    """A rule as plain data, which both sides read."""

    name: str
    test: tuple[str, Any] | None
    times: int | None
    set: tuple[tuple[str, Any], ...]
    say: str | None
    goto: str | None


@dataclass
class Oracle:
    """Rules read one after the other, with nothing of the machine in it."""

    states: dict[str, list[Spec]]
    always: list[Spec]
    otherwise: list[Spec]
    state: str = "a"
    vars: dict[str, Any] = field(default_factory=lambda: dict.fromkeys(VARS, 0))
    fired: dict[str, int] = field(default_factory=dict)
    visits: dict[str, int] = field(default_factory=dict)
    answers: int = 0

    def step(self, user: str, attempt: int) -> tuple[str, str]:
        kept = (self.state, dict(self.vars), dict(self.fired))
        for _ in range(MOST_PASSES + 1):
            rule = self._first(user, attempt)
            if rule is None:
                break
            at = self.state
            for name, value in rule.set:
                self.vars[name] = self.vars["x"] + value
            heard = f"{rule.say}:{self.vars['x']}:{at}:{self.visits.get(at, 0) + 1}"
            self.fired[rule.name] = self.fired.get(rule.name, 0) + 1
            self.state = rule.goto or at
            if rule.say == "error":
                return "error", str(self.vars["x"])
            if rule.say is not None:
                self.visits[at] = self.visits.get(at, 0) + 1
                self.answers += 1
                return "reply", heard
        self.state, self.vars, self.fired = kept
        return "miss", ""

    def _first(self, user: str, attempt: int) -> Spec | None:
        for rule in (*self.always, *self.states[self.state], *self.otherwise):
            if rule.times is not None and self.fired.get(rule.name, 0) >= rule.times:
                continue
            facts = {
                "user": user,
                "attempt": attempt,
                "x": self.vars["x"],
                "visits": self.visits.get(self.state, 0) + 1,
                "turn": self.answers + 1,
                "state": self.state,
            }
            if rule.test is None or facts[rule.test[0]] == rule.test[1]:
                return rule
        return None


def compiled(spec: Spec, group: str) -> Rule:
    outcome: Say | Fail | None
    x = Expression("x", PLACE, "number", lambda env: env.vars.get("x"))
    if spec.say is None:
        outcome = None
    elif spec.say == "error":
        outcome = Fail(status=429, message=Template(PLACE, (x,), lambda env: str(env.vars.get("x"))))
    else:
        outcome = Say(
            Template(PLACE, (), lambda env, said=spec.say: f"{said}:{env.vars.get('x')}:{env.state}:{env.visits}")
        )
        outcome = Say(reply=outcome.think)
    return Rule(
        name=spec.name,
        group=group,
        place=PLACE,
        when=None if spec.test is None else Condition("", PLACE, condition(*spec.test)),
        times=spec.times,
        set=tuple(
            (name, Expression("", PLACE, "number", lambda env, more=value: env.vars.get("x") + more))
            for name, value in spec.set
        ),
        outcome=outcome,
        goto=spec.goto,
    )


def condition(fact: str, value: Any):
    if fact in VARS:
        return lambda env: env.vars.get(fact) == value
    return lambda env: getattr(env, fact) == value


TESTS = st.none() | st.one_of(
    st.tuples(st.just("user"), st.sampled_from(WORDS)),
    st.tuples(st.sampled_from(("attempt", "visits", "turn")), st.integers(1, 3)),
    st.tuples(st.just("x"), st.integers(0, 4)),
    st.tuples(st.just("state"), st.sampled_from(STATES)),
)


@st.composite
def programs(draw: Any) -> tuple[Program, Oracle]:
    names = iter(NAMES)

    def rules(most: int) -> list[Spec]:
        found = []
        for _ in range(draw(st.integers(0, most))):
            say = draw(st.sampled_from((None, "error", "hello", "bye")))
            goto = draw(st.sampled_from(STATES) if say is None else st.none() | st.sampled_from(STATES))
            found.append(
                Spec(
                    name=next(names),
                    test=draw(TESTS),
                    times=draw(st.none() | st.integers(1, 3)),
                    set=tuple(draw(st.lists(st.tuples(st.sampled_from(VARS), st.integers(0, 1)), max_size=2))),
                    say=say,
                    goto=goto,
                )
            )
        return found

    states = {state: rules(3) for state in STATES}
    always, otherwise = rules(1), rules(1)
    program = Program(
        name="walk",
        place=PLACE,
        start="a",
        states={name: tuple(compiled(rule, name) for rule in specs) for name, specs in states.items()},
        always=tuple(compiled(rule, "always") for rule in always),
        otherwise=tuple(compiled(rule, "otherwise") for rule in otherwise),
        vars=dict.fromkeys(VARS, 0),
    )
    return program, Oracle(states, always, otherwise)


@pytest.mark.timeout(600)
@settings(max_examples=3_000 if os.environ.get("LLMPOSTER_SOAK") else 150, deadline=None)
@given(programs(), st.lists(st.sampled_from(WORDS), min_size=1, max_size=12))
def test_the_machine_walks_as_the_rules_read(made: tuple[Program, Oracle], words: list[str]) -> None:
    """Outcome, state, variables, counts and answers are those of an independent reading, request by request.

    The state machine of the `transitions` library takes the very same steps as the tables do.
    """
    program, oracle = made
    machine = Machine(program)
    stands: Conversation = machine.begin(0.0)
    attempt = 1
    for now, word in enumerate(words):
        moment = Moment(float(now), attempt)
        step = machine.advance(stands, turn(word), moment)
        assert repr(machine.stepped(stands, turn(word), moment)) == repr(step)
        match step.outcome:
            case Reply(parts=(part,)):
                heard = ("reply", part.text)
            case Failure(message=message):
                heard = ("error", message)
            case Miss():
                heard = ("miss", "")
        assert oracle.step(word, attempt) == heard
        stands = step.after
        assert (oracle.state, oracle.vars, oracle.fired) == (stands.state, dict(stands.vars), dict(stands.fired))
        assert (oracle.visits, oracle.answers) == (dict(stands.visits), stands.answers)
        attempt = 1 if heard[0] == "reply" else attempt + 1


@settings(max_examples=60, deadline=None)
@given(programs(), st.lists(st.sampled_from(WORDS), min_size=1, max_size=6))
def test_the_same_request_gets_the_same_step(made: tuple[Program, Oracle], words: list[str]) -> None:
    """Two machines of one program give equal steps to equal input, in any order, and leave their input as it was."""
    program, _ = made
    machine, other = Machine(program), Machine(program)
    stands, walked = machine.begin(0.0), []
    for now, word in enumerate(words):
        before = repr(stands)
        step = machine.advance(stands, turn(word), Moment(float(now)))
        assert before == repr(stands)
        walked.append((stands, word, Moment(float(now)), repr(step)))
        stands = step.after
    for before, word, moment, seen in reversed(walked):
        assert seen == repr(other.advance(before, turn(word), moment))
