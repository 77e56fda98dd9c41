"""Texts of other formats as expressions: what is written finds and says just that text."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmposter.convert import jmespath, spelling
from llmposter_dsl import compile_text
from llmposter_dsl.report import text
from llmposter_dsl.writing import write

TEXTS = st.text(max_size=12) | st.text(st.sampled_from("ab\"'\\/{}$^.*+?()[]|\n\t\r -#"), max_size=12)


def test_conditions_that_or_joins_stand_in_brackets_beside_others() -> None:
    """Whatever stands in them."""
    either = spelling.Either('system matches /a"b/ or user matches /a"b/')
    assert 'system matches /a"b/ or user matches /a"b/' == spelling.every([either])
    assert '(system matches /a"b/ or user matches /a"b/) and turn == 1' == spelling.every([either, "turn == 1"])
    asked = jmespath.condition("body.a == 'x' || body.b == '\"'")
    assert isinstance(asked, spelling.Either)
    assert not isinstance(jmespath.condition("(body.a == 'x' || body.b == 'y')"), spelling.Either)


class Env:
    """A request that says something."""

    provider = "openai"
    vars: dict[str, Any] = {}  # noqa: RUF012 - never changed
    groups: dict[str, Any] = {}  # noqa: RUF012 - likewise

    def __init__(self, user: str) -> None:
        self.user = user


def holds(condition: str, user: str) -> bool:
    compiled = compile_text(write({"states": {"a": [{"when": condition, "reply": "x"}, {"reply": "y"}]}}))
    assert compiled.program is not None, list(map(text, compiled.diagnostics))
    when = compiled.program.states["a"][0].when
    assert when is not None
    return when.holds(Env(user))  # type: ignore[arg-type]


@settings(deadline=None, max_examples=100)
@given(value=TEXTS.filter(lambda value: "\0" not in value), around=TEXTS)
def test_a_text_becomes_the_literal_that_says_it(value: str, around: str) -> None:
    """Quotes, backslashes and line ends included."""
    condition = f"user == {spelling.literal(value)}"
    assert holds(condition, value)
    assert (around == value) == holds(condition, around)


@settings(deadline=None, max_examples=100)
@given(value=TEXTS.filter(str.strip), around=TEXTS)
def test_a_text_becomes_the_pattern_that_finds_it(value: str, around: str) -> None:
    """And finds nothing else."""
    condition = f"user matches {spelling.pattern(value)}"
    assert holds(condition, f"{around}{value}{around}")
    assert (value in around) == holds(condition, around)


@settings(deadline=None, max_examples=100)
@given(value=TEXTS)
def test_a_text_becomes_the_template_that_says_it(value: str) -> None:
    """Nothing in it is taken for an expression."""
    compiled = compile_text(write({"states": {"a": [{"reply": spelling.template(value)}]}}))
    assert compiled.program is not None
    assert value == compiled.program.states["a"][0].outcome.reply.constant  # type: ignore[union-attr]


CONDITIONS = {
    "@": None,
    "contains(body.messages[-1].content, 'hello')": 'body.messages[-1].content contains "hello"',
    "starts_with(body.model, 'gpt') && ends_with(body.model, \"x\")": None,
    "body.stream == `true`": "body.stream == true",
    'body.user == `"me"`': 'body.user == "me"',
    "headers.authorization": 'headers["authorization"] not in [null, ""]',
    "headers.\"x-a\" == 'b'": 'headers["x-a"] == "b"',
    "query.apikey != 'c'": 'query["apikey"] != "c"',
    "body.temperature > `0.5`": "body.temperature > 0.5",
    "!contains(body.model, 'a')": 'not (body.model contains "a")',
    "(body.a == 'x' || body.b == 'y') && body.c == 'z'": '(body.a == "x" or body.b == "y") and body.c == "z"',
    "body.a == 'x' || body.b == 'y' && body.c == 'z'": 'body.a == "x" or body.b == "y" and body.c == "z"',
    "body.tools": 'body.tools not in [null, false, "", [], {}]',
    "length(body.messages) > `3`": "len(body.messages) > 3",
    "length(body.messages[?role=='system']) == `1`": 'count(body.messages, it.role == "system") == 1',
    "body.messages[?contains(content, 'a')]": 'any(body.messages, it.content contains "a")',
    "not_null(body.user, 'nobody') == 'nobody'": 'default(body.user, "nobody") == "nobody"',
    "to_string(body.n) == '1'": 'text(body.n) == "1"',
    'body."odd key"[0]."b-c" == \'d\'': 'body["odd key"][0]["b-c"] == "d"',
}


@pytest.mark.parametrize("asked", CONDITIONS, ids=range(len(CONDITIONS)))
def test_jmespath_becomes_a_condition(asked: str) -> None:
    """One that the language knows."""
    if (expected := CONDITIONS[asked]) is None and asked != "@":
        with pytest.raises(jmespath.Cannot):
            jmespath.condition(asked)
        return
    found = jmespath.condition(asked)
    assert expected == found
    if found is not None:
        compiled = compile_text(write({"states": {"a": [{"when": found, "reply": "x"}, {"reply": "y"}]}}))
        assert [] == [text(each) for each in compiled.diagnostics if each.severity != "info"]


@pytest.mark.parametrize(
    "asked",
    [
        "messages[-1].content",
        "body.a | b",
        "body.a[*].b",
        "body.{a: b}",
        "sum(body.a)",
        "body.a ||",
        "`{}`",
        "(",
        "&x",
        "§",
    ],
)
def test_what_jmespath_can_say_and_the_language_cannot_is_told(asked: str) -> None:
    """In a sentence that quotes it."""
    with pytest.raises(jmespath.Cannot, match="`"):
        jmespath.condition(asked)
