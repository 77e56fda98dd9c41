"""Why no rule matched, word by word."""

from __future__ import annotations

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from machines import Talk, scenario

from llmposter.core import explain
from llmposter.model import Miss

WEATHER = """[scenario]
name = "weather"
final = ["done", "gone"]
[vars]
n = 0
[[states.ask]]
when = 'user matches /weather in (?P<place>\\w+)/'
reply = "fine"
[[states.ask]]
when = 'user contains "w" and model == "big" and turn == 1'
reply = "big"
goto = "done"
[[states.ask]]
when = 'user == "once"'
times = 1
reply = "once"
[[states.ask]]
when = 'user == "pass"'
goto = "other"
[[states.other]]
name = "hinted"
when = 'user == "elsewhere"'
reply = "there"
goto = "gone"
[[states.other]]
when = 'elapsed > 5s or len(body.x) > 3'
reply = "late"
goto = "gone"
[[states.done]]
when = 'user == "one more"'
reply = "more"
[[states.gone]]
when = 'false'
reply = "never"
"""


def why(*asked: str, file: str = WEATHER, **request: object) -> str:
    """The explanation that the last request gets."""
    talk = Talk(scenario(file, "weather.toml"), **request)
    for each in asked:
        step = talk.ask(each)
    assert isinstance(step.outcome, Miss)
    return step.missed


ASK = 'no rule of scenario "weather", state "ask" matches'


@pytest.mark.parametrize(
    "asked, said",
    [
        pytest.param(
            ("hallo",),
            f'{ASK}. Closest: rule "ask#2" (weather.toml:9): user contains "w" (weather.toml:10:9) was false: '
            'user is "hallo"; model == "big" (weather.toml:10:31) was false: model is "m"; '
            "turn == 1 (weather.toml:10:50) was true",
            id="most parts true",
        ),
        pytest.param(
            ("pass",),
            'no rule of scenario "weather", state "other" matches (after "ask#4"). '
            'Closest: rule "hinted" (weather.toml:20): user == "elsewhere" (weather.toml:22:8) was false: '
            'user is "pass". In state "ask" rule "ask#4" would match',
            id="after a pass-through rule, the first of equals, and another state",
        ),
    ],
)
def test_why(asked: tuple[str, ...], said: str) -> None:
    """The explanation names scenario, state, closest rule, each part with place and outcome, and the value it had."""
    assert said == why(*asked)


@pytest.mark.parametrize(
    "when, shown",
    [
        ('all(["a", user], it == "a")', "was false"),
        ('any(messages, it.text == "y")', 'was false: messages is [{"role":"user","text":"x"'),
        ("stream", "(weather.toml:2:8) was false"),
        ('not (user == "x")', 'was false: user is "x"'),
    ],
)  # fmt: skip
def test_what_a_condition_is_not_said_twice(when: str, shown: str) -> None:
    """Of a function the value that it looks at is told; of what is true or false by itself, no value."""
    said = why("x", file=f"[[states.a]]\nwhen = '{when}'\nreply = 'a'\n")
    assert shown in said
    assert f"{when} is false" not in said


PARTS = st.lists(st.lists(st.booleans(), min_size=1, max_size=4), min_size=1, max_size=12)


@settings(max_examples=1_000 if os.environ.get("LLMPOSTER_SOAK") else 60, deadline=None)
@given(PARTS)
def test_the_closest_is_the_first_of_which_most_parts_hold(rules: list[list[bool]]) -> None:
    """Whatever was left untried; one of which all parts hold, and only its times are used up, is closer than any."""
    tests = (" and ".join(f"user {'==' if held else '!='} 'x'" for held in rule) for rule in rules)
    file = "".join(f'[[states.a]]\ntimes = 1\nwhen = "{test}"\nreply = "a"\n' for test in tests)
    used_up = [rule for rule in rules if all(rule)]
    closest = rules.index(max(rules, key=lambda rule: (all(rule), sum(rule)))) + 1
    assert f'Closest: rule "a#{closest}" ' in why(*"x" * (len(used_up) + 1), file=file)


def test_a_miss_among_thousands_tries_few_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be closer than what was found is left alone."""
    many = "".join(f"[[states.a]]\nwhen = 'user == \"{n}\" and model == \"x{n}\"'\nreply = 'a'\n" for n in range(999))
    file = f"[[states.a]]\nwhen = 'turn == 1 and user == \"y\"'\nreply = 'a'\n{many}"
    holds, tried = explain._holds, []
    monkeypatch.setattr(explain, "_holds", lambda *given: tried.append(given) or holds(*given))
    assert 'Closest: rule "a#1" ' in why("x", file=file)
    assert len(tried) < 10


def test_times_used_up() -> None:
    """A rule of which only the number of times is used up is the closest."""
    file = "[[states.a]]\nwhen = 'user == \"x\" and turn > 9'\nreply = 'a'\n[[states.a]]\ntimes = 1\nreply = 'b'\n"
    assert why("x", "y", file=file).endswith('Closest: rule "a#2" (weather.toml:4): times = 1 is used up')


def test_no_hint_at_the_same_state() -> None:
    """A rule of this state whose number of times is used up is no hint, though its condition holds."""
    file = "[[states.a]]\nwhen = 'user == \"x\"'\ntimes = 1\nreply = 'a'\n"
    assert why("x", "x", file=file).endswith('user == "x" (weather.toml:2:8) was true; times = 1 is used up')


def test_an_ended_conversation() -> None:
    """A final state without rules says that the conversation has ended."""
    file = 'scenario = { name = "w", final = ["end"] }\nstates = { a = [{ reply = "bye", goto = "end" }], end = [] }\n'
    assert why("x", "y", file=file) == (
        'the conversation has ended: scenario "w", state "end" is final and has no rules'
    )


def test_a_long_value_is_cut() -> None:
    """A value is shown up to 120 characters."""
    message = why("w" * 1000, file="[[states.a]]\nwhen = 'user == \"x\"'\nreply = 'a'\n")
    assert 'user is "wwww' in message
    assert len(message) < 400
    assert message.endswith("…")


@pytest.mark.parametrize(
    "header, condition",
    [
        ("authorization", 'headers["authorization"] == "x"'),
        ("authorization", "headers == {}"),
        ("Authorization", 'lower(headers.authorization) == "x"'),
        ("authorization", 'words(headers["authorization"]) == []'),
        ("x-api-key", 'headers["x-api-key"] == "x"'),
        ("api-key", 'upper(headers["api-key"]) == "x"'),
        ("x-goog-api-key", 'headers["x-goog-api-key"] == "x"'),
        ("cookie", 'headers["cookie"] == "x"'),
    ],
)
def test_credentials_are_never_shown_whole(header: str, condition: str) -> None:
    """Whatever a condition does with a credential of the request, its value is masked."""
    secret = "sk-Very-Secret-Value-1"
    value = (
        f"Bearer {secret}"
        if header.lower() == "authorization"
        else f"session={secret}"
        if header == "cookie"
        else secret
    )
    file = f"[[states.a]]\nwhen = '''{condition}'''\nreply = 'a'\n"
    message = why("x", file=file, headers={header.lower(): value})
    assert "was false: " in message
    assert "secret" not in message.lower()
    assert "sk-v" in message.lower()


def test_a_key_in_the_query_is_masked() -> None:
    """A key that a client sends in the query is a credential too."""
    message = why("x", file="[[states.a]]\nwhen = 'query.key == \"x\"'\nreply = 'a'\n", query={"key": "AIzaSecret1"})
    assert "Secret" not in message
    assert "AIz…" in message
