"""Examples are played as a client would, and what fails is told at its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmposter import lint
from llmposter_dsl import compile_text
from llmposter_dsl.place import where

HERE = Path(__file__).parent
LOOP = (HERE / "loop.toml").read_text(encoding="utf-8").partition("[[examples]]")[0]
SPEECH = (HERE / "speech.toml").read_text(encoding="utf-8").partition("[[examples]]")[0]


def played(text: str, turns: str, kind: str = "toml", extra: str = "") -> list[str]:
    compiled = compile_text(f"{text}\n[[examples]]\n{extra}\nturns = [{turns}]", f"s.{kind}", kind)
    assert compiled.program is not None, [finding.message for finding in compiled.diagnostics]
    return [failure.message for result in lint.play(compiled.program) for failure in result.failures]


@pytest.mark.parametrize("name", ["loop", "speech"])
def test_an_example_is_played_as_a_client_would(name: str) -> None:
    """Histories, echoed ids, retries, waiting, what holds from a turn on, and every fact of the answer."""
    (program,) = lint.check([HERE / f"{name}.toml"]).programs
    failures = [(result.name, fault.message) for result in lint.play(program) for fault in result.failures]
    assert [] == failures
    assert len(lint.play(program)) >= 5


FAILING = [
    (LOOP, "{ user = 'again', state = 'sum' }",
     'expected state "sum", it is "ask"; the answer was the text "1 1"'),
    (LOOP, "{ user = 'one' }, { tool = 'add', result = 1, state = 'ask' }",
     'expected state "ask", it is "sum"; the answer was error overloaded 503'),
    (LOOP, "{ user = 'again', expect = 'reply == \"2 1\"' }",
     'expected reply == "2 1": reply is "1 1"'),
    (LOOP, "{ user = 'one', expect = 'call(\"add\").a == 2' }",
     'expected call("add").a == 2: call("add").a is 1; the answer was a call add({"a": 1})'),
    (LOOP, "{ user = 'one' }, { tool = 'sub', result = 1 }",
     'no call of "sub" waits for a result: "add"'),
    (LOOP, "{ user = 'again' }, { tool = 'sub', result = 1 }",
     'no call of "sub" waits for a result: no call does'),
    (LOOP, "{ user = 'one' }, { results = [{ result = 1 }, { result = 2 }] }",
     '`results` has 2, expected one for each call that waits for a result: "add"'),
    (LOOP, "{ user = 'again' }, { retry = true, times = 1000 }", "an example sends at most 1000 requests"),
    (LOOP, "{ user = 'again', request = { provider = 'gemini' } }",
     "this version has no format `gemini`: it has `openai`"),
    (SPEECH, "{ user = 'slow' }",
     'the request breaks what is expected of it: expected system == "be good": system is ""'),
]  # fmt: skip


@pytest.mark.parametrize("text, turns, message", FAILING)
def test_a_failing_example_says_what_was_expected_and_what_came(text: str, turns: str, message: str) -> None:
    """One sentence for what was expected, with the values that came."""
    assert [message] == played(text, turns)


def test_a_request_that_no_rule_matches_fails_an_example_that_does_not_expect_it() -> None:
    """A miss is told with its whole explanation."""
    (message,) = played("[[states.a]]\nwhen = 'user == \"x\"'\nreply = ''", "{ user = 'y' }")
    assert 'user == "x" (s.toml:2:8) was false: user is "y"' in message


def test_an_unmatched_answer_of_the_authors_own_is_a_miss_too() -> None:
    """`scenario.unmatched` answers, but does not make an example pass in silence."""
    text = "scenario.unmatched = 'overloaded'\n[[states.a]]\nwhen = 'user == \"x\"'\nreply = ''"
    assert [True] == ["no rule of scenario" in message for message in played(text, "{ user = 'y' }")]
    assert [] == played(text, "{ user = 'y', expect = 'error.status == 503' }")


def test_a_scenario_that_does_not_serve_the_request_fails_its_example() -> None:
    """`serves` is asked, and a refusal is a failure even where the example speaks of errors."""
    text = "[scenario]\nserves = 'system == \"me\"'\n[[states.a]]\nreply = ''"
    (message,) = played(text, "{ user = 'y', expect = 'error exists' }")
    assert message.startswith("the scenario does not take this conversation: no scenario serves this request")
    assert [] == played(text, "{ user = 'y', request = { system = 'me' } }")


def test_the_place_is_that_of_the_expectation() -> None:
    """A condition, a state, or the turn where neither is to blame."""
    text = """[[states.a]]
reply = "x"
[[examples]]
turns = [{ user = "y", expect = ["reply == 'x'", "reply == 'z'"], state = "b" }]
[[examples]]
turns = [{ user = "y" }, { tool = "t", result = 1 }]
[[states.b]]
when = "visits > 3"
goto = "a"
"""
    program = compile_text(text).program
    assert program is not None
    first, second = lint.play(program)
    assert ["scenario.toml:4:50", "scenario.toml:4:75"] == [where(failure.place) for failure in first.failures]
    assert ["scenario.toml:6:26"] == [where(failure.place) for failure in second.failures]


def test_examples_are_played_on_the_formats_that_they_name() -> None:
    """A format that this version lacks is a clear failure, and *providers* narrows what is played."""
    text = "[[states.a]]\nreply = ''"
    assert ["this version has no format `anthropic`: it has `openai`"] == played(
        text, "{ user = 'x' }", extra="providers = ['openai', 'anthropic']"
    )
    program = compile_text(f"{text}\n[[examples]]\nturns = [{{ user = 'x' }}]").program
    assert program is not None
    assert [] == lint.play(program, [])
    assert ["openai"] == [result.provider for result in lint.play(program, ["openai"])]


def test_each_example_is_played_alone_and_always_the_same() -> None:
    """No example sees what another did, and the clock of each begins anew."""
    text = "[[states.a]]\nreply = '${now()} ${uuid()} ${random(0, 1)}'\n[[examples]]\nturns = [{ user = 'x' }]\n"
    one = f"{text}[[examples]]\nturns = [{{ user = 'x', expect = 'reply starts with \"2026-01-01T00:00:00\"' }}]"
    program = compile_text(one).program
    assert program is not None
    assert lint.play(program) == lint.play(program)
    assert lint.passed(lint.play(program))


def test_coverage_lists_what_no_example_tried() -> None:
    """States n of m, rules n of m, and each one left out with its place."""
    text = """[[states.a]]
when = "user == 'x'"
goto = "b"
[[states.a]]
name = "the rest"
reply = "no"
[[states.b]]
reply = "yes"
goto = "c"
[[states.c]]
reply = "end"
[[otherwise]]
reply = "what?"
[[examples]]
name = "one"
turns = [{ user = "x", state = "c" }]
[[examples]]
turns = [{ user = "x", state = "b" }]
"""
    program = compile_text(text).program
    assert program is not None
    assert [
        "scenario (scenario.toml)",
        '  passed  example "one"',
        '  FAILED  example "example 2"',
        '      scenario.toml:18:32 expected state "b", it is "c"; the answer was the text "yes"',
        "  states 3/3, rules 2/5",
        '      rule "the rest" is not covered (scenario.toml:4:1)',
        '      rule "c#1" is not covered (scenario.toml:10:1)',
        '      rule "otherwise#1" is not covered (scenario.toml:12:1)',
    ] == lint.report(program, lint.play(program))
    assert lint.report(program, [])[1:4] == [
        "  no examples",
        "  states 0/3, rules 0/5",
        '      state "a" is not covered (scenario.toml:1:10)',
    ]
