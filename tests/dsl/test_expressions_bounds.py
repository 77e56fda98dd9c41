"""No expression can grow without end, run out of stack, or take long, whatever a request or a variable holds."""

from __future__ import annotations

import pytest
from fake_env import FakeEnv
from paper import Bench

from llmposter_dsl import types
from llmposter_dsl.expressions.operations import LONGEST, MOST
from llmposter_dsl.types import Headers

GROWING = [("x + x", "ab"), ("x + x", [1]), ("[x, x]", 1), ("{a: x, b: x}", 1), ("[x]", 1), ("{a: [x]}", 1)]


@pytest.mark.parametrize("text, first", GROWING, ids=str)
def test_growth(text, first):
    """A variable that feeds on itself turn after turn ends as null, long before memory does."""
    made = Bench().value(text)
    value, seen = first, []
    for _ in range(200):
        value = made.evaluate(FakeEnv(vars={"x": value}))
        seen.append(value)
        if value is None:
            break
    assert seen[-1] is None
    assert all(len(each) <= max(LONGEST, MOST) for each in seen[:-1])


def _deep(levels: int) -> list:
    value: list = []
    for _ in range(levels):
        value = [value]
    return value


DEEP = [
    "body == body",
    "x == body",
    "json(body)",
    "text(x)",
    "body in [x]",
    "[body]",
    "jsonpath('$..a')",
    "any(body, it == x)",
    "default(x, body) == x",
]


@pytest.mark.parametrize("text", DEEP)
def test_deep_values(text):
    """Values of any depth are compared and written without running out of stack."""
    made = Bench().value(text)
    env = FakeEnv(body=_deep(50_000), vars={"x": _deep(50_000)})
    made.evaluate(env)
    Bench().template(f"${{{text}}}").render(env)


def test_hostile_pattern():
    """A regular expression that explodes elsewhere takes no longer than its text is long."""
    made = Bench().condition("user matches /^(a+)+$/")
    assert not made.holds(FakeEnv(user="a" * 100_000 + "b"))


def test_half_characters():
    """Half a surrogate pair, which JSON can carry, matches nothing and breaks nothing."""
    bench = Bench()
    env = FakeEnv(user="a\ud800b")
    assert bench.condition("user matches /a.b/").holds(env)
    assert bench.condition("user matches /(?P<g>a.)/").holds(env)
    assert bench.template("${user} ${[user]}").render(env) == 'a\ud800b ["a\ud800b"]'


def test_headers():
    """Header names ignore case wherever they are asked for."""
    headers = Headers({"X-A": "1"})
    assert ("1", "1", "1", None) == (headers["x-a"], headers.get("X-a"), headers["X-A"], headers.get("y"))
    assert ("X-A" in headers, "x-a" in headers, "y" in headers, 1 in headers) == (True, True, False, False)
    assert headers == {"x-a": "1"}


@pytest.mark.parametrize(
    "value, kind",
    [("", "text"), (0, "number"), (0.5, "number"), (False, "bool"), ([], "list"), ({}, "map"), (None, "json")],
)
def test_first_values(value, kind):
    """The first value of a variable gives its type; null leaves it open."""
    assert types.of(value).kind == kind
