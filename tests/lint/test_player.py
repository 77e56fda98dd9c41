"""Examples are played as a client would, and what fails is told at its place."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmposter import lint
from llmposter.lint import player
from llmposter.wire import load
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
     'expected state "ask", it is "sum"; the answer was error server_error 500'),
    (LOOP, "{ user = 'again', expect = 'reply == \"2 1\"' }",
     'expected reply == "2 1": reply is "1 1"'),
    (LOOP, "{ user = 'one', expect = 'call(\"add\").a == 2' }",
     'expected call("add").a == 2: call("add").a is 1; the answer was a call add({"a":1})'),
    (LOOP, "{ user = 'one' }, { tool = 'sub', result = 1 }",
     'no call of "sub" waits for a result: "add"'),
    (LOOP, "{ user = 'again' }, { tool = 'sub', result = 1 }",
     'no call of "sub" waits for a result: no call does'),
    (LOOP, "{ user = 'one' }, { results = [{ result = 1 }, { result = 2 }] }",
     '`results` has 2, expected one for each call that waits for a result: "add"'),
    (LOOP, "{ user = 'again' }, { retry = true, times = 1000 }", "an example sends at most 1000 requests"),
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
    text = "scenario.unmatched = 'server_error'\n[[states.a]]\nwhen = 'user == \"x\"'\nreply = ''"
    assert [True] == ["no rule of scenario" in message for message in played(text, "{ user = 'y' }")]
    assert [] == played(text, "{ user = 'y', expect = 'error.status == 500' }")


@pytest.mark.parametrize(
    "how, messages",
    [
        ("foreign = 'reject'", "{ role = 'user', text = 'a' }, { role = 'assistant', text = 'q' }"),
        ("conformance = 'reject'", "{ role = 'user', text = 'a' }, { role = 'tool', results = [{ result = 1 }] }"),
    ],
)
def test_a_history_that_the_scenario_rejects_fails_an_example_that_does_not_expect_it(how: str, messages: str) -> None:
    """No rule was asked, so silence would hide it; an example that expects the error passes."""
    text = f"[scenario]\n{how}\n[[states.a]]\nreply = 'x'"
    turn = f"messages = [{messages}, {{ role = 'user', text = 'b' }}]"
    (message,) = played(text, f"{{ {turn} }}")
    assert message.startswith("no rule is asked: the answer was error bad_request 400, ")
    assert [] == played(text, f"{{ {turn}, expect = 'error.status == 400' }}")


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


def test_examples_are_played_on_the_formats_that_they_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """On all if they name none; a format that this version lacks is a clear failure; *providers* narrows them."""
    text = "[[states.a]]\nreply = ''"
    program = compile_text(f"{text}\n[[examples]]\nturns = [{{ user = 'x' }}]").program
    assert program is not None
    assert [] == lint.play(program, [])
    assert [tuple(load())] == [result.providers for result in lint.play(program)]
    assert [("openai",)] == [result.providers for result in lint.play(program, ["openai"])]
    monkeypatch.setattr(player, "load", lambda: {"openai": load()["openai"]})
    missing = ["this version has no format `gemini`: it has `openai`"]
    assert missing == played(text, "{ user = 'x' }", extra="providers = ['openai', 'gemini']")
    assert missing == played(text, "{ user = 'x', request = { provider = 'gemini' } }")


def test_a_message_names_the_formats_where_an_example_goes_otherwise_on_others() -> None:
    """What goes alike everywhere is told once; what does not, once for each way, with its formats."""
    text = "[[states.a]]\nwhen = 'provider == \"responses\"'\nreply = 'R'\n[[states.a]]\nreply = 'x'"
    example = "[[examples]]\nname = 'n'\nturns = [{ user = 'y', expect = 'reply == \"R\"' }]"
    program = compile_text(f"{text}\n{example}").program
    assert program is not None
    others = ", ".join(name for name in load() if name != "responses")
    found = {result.title: bool(result.failures) for result in lint.play(program)}
    assert {'example "n" on responses': False, f'example "n" on {others}': True} == found


def test_each_example_is_played_alone_and_always_the_same() -> None:
    """No example sees what another did, and the clock of each begins anew."""
    text = "[[states.a]]\nreply = '${now()} ${uuid()} ${random(0, 1)}'\n[[examples]]\nturns = [{ user = 'x' }]\n"
    one = f"{text}[[examples]]\nturns = [{{ user = 'x', expect = 'reply starts with \"2026-01-01T00:00:00\"' }}]"
    program = compile_text(one).program
    assert program is not None
    assert lint.play(program) == lint.play(program)
    assert lint.passed(lint.play(program))


def test_coverage_lists_what_no_example_tried() -> None:
    """States n of m, rules n of m, and each one left out with its place, but no rules of a state that is."""
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
    assert [
        "  no examples",
        "  states 0/3, rules 0/5",
        '      state "a" is not covered (scenario.toml:1:10)',
        '      state "b" is not covered (scenario.toml:7:10)',
        '      state "c" is not covered (scenario.toml:10:10)',
        '      rule "otherwise#1" is not covered (scenario.toml:12:1)',
    ] == lint.report(program, [])[1:]


def test_a_text_that_speaks_of_errors_is_no_expectation_of_one() -> None:
    """Only the fact counts, so that a miss cannot hide behind a literal."""
    text = "[[states.a]]\nwhen = 'user == \"x\"'\nreply = ''"
    assert 1 == len(played(text, "{ user = 'y', expect = 'not (reply contains \"an error\")' }"))


TEXTS = st.sampled_from(["both", "one", "again", "nothing", ""])
VALUES = st.recursive(st.none() | st.booleans() | st.integers(-9, 9) | TEXTS, lambda inner: st.lists(inner, max_size=2))
RESULT = st.fixed_dictionaries({"result": VALUES}) | st.fixed_dictionaries({"error": VALUES})
MESSAGE = st.one_of(
    st.fixed_dictionaries({"role": st.just("user"), "text": TEXTS}),
    st.fixed_dictionaries(
        {"role": st.just("assistant")},
        optional={"text": TEXTS, "calls": st.lists(st.just({"tool": "add"}) | st.just({"tool": "sub", "id": "x"}))},
    ),
    st.fixed_dictionaries({"role": st.just("tool"), "results": st.lists(RESULT)}),
)
TURN = st.one_of(
    st.fixed_dictionaries({"user": TEXTS}, optional={"times": st.integers(1, 3), "wait": st.just("2m")}),
    RESULT.map(lambda result: {"tool": "add", **result}),
    st.fixed_dictionaries({"results": st.lists(RESULT, max_size=3)}),
    st.just({"retry": True}),
    st.just({"wait": "1h"}),
    st.fixed_dictionaries({"messages": st.lists(MESSAGE, max_size=6)}),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(TURN, max_size=8))
def test_whatever_an_example_sends_it_passes_or_says_why_it_fails(turns: list[dict]) -> None:
    """Playing never raises, and gives the same result each time."""
    turns = [{"user": "one", "expect": "error exists or calls exists"}, *turns]
    document = tomllib.loads(LOOP) | {"examples": [{"turns": turns}]}
    program = compile_text(json.dumps(document), "s.yaml", "yaml").program
    assert program is not None
    first = lint.play(program)
    assert first == lint.play(program)
    assert all(fault.message for result in first for fault in result.failures)


KEYS = """
[auth]
tokens = [{ name = "first", value = "sk-first", uses = 1 }, { name = "second", value = "sk-second", lifetime = "1m" }]

[[limits]]
requests = 2
per = "1h"

[[states.talk]]
reply = "${token.name} ${token.uses}"
goto = "on"

[[states.on]]
reply = "${token.name} again"
token = "revoke"
"""
SECOND = "request = { headers = { authorization = 'Bearer sk-second' } }"
ERROR = "expect = 'error.status >= 400'"
NOT_LET_IN = "no rule is asked: the answer was error"


@pytest.mark.parametrize(
    "turns, failures",
    [
        ("{ user = 'a', expect = 'reply == \"first 1\"' }", []),
        ("{ user = 'a' }, { user = 'b', expect = 'error.name == \"invalid_api_key\"', state = 'on' }", []),
        ("{ user = 'a' }, { user = 'b', ERROR }, { retry = true, SECOND, expect = 'reply == \"second again\"' }", []),
        ("{ user = 'a', SECOND }, { wait = '1m', user = 'b', ERROR }", []),
        ("{ user = 'a', SECOND }, { user = 'b' }, { user = 'c', expect = 'error.status in [401, 403]' }", []),
        ("{ user = 'a', SECOND, times = 2 }, { wait = '10m' }, { user = 'b', ERROR }", []),
        ("{ user = 'a', SECOND }, { user = 'b', times = 2 }", [NOT_LET_IN]),
        ("{ user = 'a', request = { headers = { authorization = 'Bearer no' } } }", [NOT_LET_IN]),
    ],
)
def test_an_example_meets_credentials_and_limits_as_a_client_does(turns: str, failures: list[str]) -> None:
    """It presents the first token, or what its headers say; who is not let in moves nothing and hears the error."""
    extra = 'providers = ["openai", "responses", "anthropic"]'
    found = played(KEYS, turns.replace("SECOND", SECOND).replace("ERROR", ERROR), extra=extra)
    assert len(failures) == len({each[:38] for each in found})
    assert all(each.startswith(start) for each, start in zip(found, failures * 3, strict=False))


@pytest.mark.parametrize(
    "turns, failures",
    [
        ("{ user = 'a', request = { token = 'second' }, expect = 'reply == \"second 1\"' }", []),
        ("{ user = 'a', request = { token = 'second' } }, { user = 'b', expect = 'reply == \"second again\"' }", []),
        ("{ user = 'a' }, { user = 'b', ERROR }, { retry = true, request = { token = 'second' } }", []),
    ],
)
def test_an_example_names_the_token_that_it_presents(turns: str, failures: list[str]) -> None:
    """From its turn on, as everything that `request` says, on every format."""
    assert failures == played(KEYS, turns.replace("ERROR", ERROR))


GRANTS = """
[auth.oauth]
access_lifetime = "2m"
user = { sub = "alice" }
answers = ["invalid_grant", "ok", { lifetime = "10s" }, { status = 503 }]

[[states.talk]]
reply = "${token.name} ${token.grant} ${token.uses}"
"""


@pytest.mark.parametrize(
    "turns",
    [
        "{ user = 'a', expect = 'reply == \"alice 1 1\"' }, { user = 'b', expect = 'reply == \"alice 1 2\"' }",
        (
            "{ user = 'a' }, { wait = '119s', user = 'b' }, { wait = '1s', user = 'c', ERROR }, "
            "{ retry = true, request = { token = 2 }, expect = 'reply == \"alice 2 1\"' }, "
            "{ wait = '9s', user = 'd', expect = 'reply == \"alice 2 2\"' }, { wait = '1s', user = 'e', ERROR }, "
            "{ retry = true, request = { token = 3 }, expect = 'reply == \"alice 3 1\"' }, "
            "{ wait = '119s', user = 'f' }"
        ),
        "{ user = 'a', request = { headers = { authorization = 'Bearer granted-9' } }, ERROR }",
    ],
)
def test_an_example_presents_what_a_grant_gave(turns: str) -> None:
    """Each grant gives a token of its own when it is first presented, which ends as the scenario says."""
    assert [] == played(GRANTS, turns.replace("ERROR", ERROR))
