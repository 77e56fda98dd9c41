"""What holds for every expression: it reads back, it never raises, and quick code means what careful code means."""

from __future__ import annotations

import os
from functools import cache
from types import MappingProxyType
from typing import Any

import pytest
from expression_trees import durations, json_values, soup, trees, write
from fake_env import FakeEnv
from hypothesis import given, settings
from hypothesis import strategies as st
from paper import VARIABLES, Bench, Paper

from llmposter_dsl import facts, types
from llmposter_dsl.expressions import Scope, call, condition, data, template, value
from llmposter_dsl.expressions.make import walk
from llmposter_dsl.expressions.parse import parse
from llmposter_dsl.facts import Fact, Vocabulary
from llmposter_dsl.place import Within
from llmposter_dsl.types import Headers

MANY = 5_000 if os.environ.get("LLMPOSTER_SOAK") else 200


@pytest.mark.timeout(600)
@settings(max_examples=MANY, deadline=None)
@given(trees)
def test_trees_read_back(tree):
    """A tree that is written out and read again is the same tree, and each node's place holds the node's own text."""
    text = write(tree)
    found = parse(text)
    assert found == tree
    for node in walk(found):
        assert parse(text[node.start : node.end]) == node


@pytest.mark.timeout(600)
@settings(max_examples=MANY, deadline=None)
@given(soup)
def test_any_text(text):
    """Any text is an expression, a template or a call, or is told to be none at a place inside it."""
    bench = Bench()
    for make in (condition, value, template, data, call):
        bench.found.clear()
        made = make(text, bench.at(text), bench.scope, bench.found.append)
        assert (made is None) == bool(bench.found)
        for found in bench.found:
            span = found.place.span
            assert 0 <= span.start <= span.end <= len(text)
            assert "\n" not in found.message


def _optional(vocabulary: Vocabulary) -> Vocabulary:
    """The same facts, none of them certain, so that every operator is compiled to the careful form."""
    loose = {name: Fact(name, fact.type.optional(), fact.meaning) for name, fact in vocabulary.facts.items()}
    return Vocabulary(MappingProxyType(loose), vocabulary.functions)


CERTAIN = Scope(facts.RULE, VARIABLES)
CAREFUL = Scope(_optional(facts.RULE), VARIABLES)

_text = st.text(st.sampled_from("aAb é.-1"), max_size=6)
_leaves: dict[str, list[str]] = {
    "text": ["user", "model", "city", "body.text", "'a b'", "'1'", "last", "headers['A']", "result.text", "x"],
    "number": ["turn", "n", "tokens", "2", "0.5", "body.a", "params.temperature", "len(tools)", "x", "body.json"],
    "bool": ["stream", "ready", "true", "x", "result.error", "body.a"],
    "duration": ["elapsed", "wait", "2s", "idle"],
    "list": ["tools", "[1, 2]", "['a']", "cart", "body.a", "x", "[x]", "results"],
    "map": ["order", "{a: 1}", "params", "headers", "body", "result", "{json: x}"],
}


@cache
def _of(kind: str, depth: int) -> st.SearchStrategy[str]:
    """The text of an expression of a kind, or of one whose kind only the request knows."""
    leaf = st.sampled_from(_leaves[kind])
    if not depth:
        return leaf
    text, number, truth, long, many, some = (
        _of(each, depth - 1) for each in ("text", "number", "bool", "duration", "list", "map")
    )
    anything = st.one_of(text, number, truth, long, many, some)

    def form(pattern: str, *parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        return st.tuples(*parts).map(lambda made: pattern.format(*made))

    forms: dict[str, list[st.SearchStrategy[str]]] = {
        "text": [
            form("({} + {})", text, text),
            form("lower({})", text),
            form("text({})", anything),
            form("json({})", anything),
            form("default({}, {})", text, text),
            form("({})[0]", form("words({})", text)),
        ],
        "number": [
            *(form(f"({{}} {sign} {{}})", number, number) for sign in "+-*/%"),
            form("({} / {})", long, long),
            form("len({})", text | many | some),
            form("number({})", text | number | long),
            form("count({}, it == {})", many, anything),
            form("-({})", number),
            form("random({}, {})", number, number),
        ],
        "bool": [
            *(
                form(f"({{}} {sign} {{}})", *pair)
                for sign in ("<", "<=", ">", ">=", "==", "!=")
                for pair in ((number, number), (text, text), (long, long))
            ),
            *(
                form(f"({{}} {word} {{}})", text, text)
                for word in ("contains", "mentions", "starts with", "ends with", "not in")
            ),
            form("({} contains {})", many, anything),
            form("({} in {})", text, some),
            form("({} matches /(?P<g>a)|b?1/i)", text),
            form("({} == {})", anything, anything),
            form("({} and {})", truth, truth),
            form("({} or not {})", truth, truth),
            form("({} is number)", anything),
            form("({} exists)", anything),
            form("any({}, it == {} or it.a exists)", many, anything),
            form("all({}, it is text and it < {})", many, text),
            form("chance({})", number),
        ],
        "duration": [
            form("({} + {})", long, long),
            form("({} * {})", long, number),
            form("({} % {})", long, long),
            form("({} / {})", long, number),
        ],
        "list": [
            form("({} + {})", many, many),
            form("[{}, {}]", anything, anything),
            form("words({})", text),
            form("jsonpath('$..a')"),
        ],
        "map": [form("{{a: {}, json: {}}}", anything, anything), form("default({}, {})", some, some)],
    }
    return st.one_of(leaf, *forms[kind])


_result = st.fixed_dictionaries(
    {"tool": _text, "id": _text, "arguments": json_values, "text": _text, "json": json_values, "error": st.booleans()}
)
_whole = st.integers(0, 9)
_loose = json_values | durations
worlds = st.fixed_dictionaries(
    {
        "user": _text,
        "model": _text,
        "last": _text,
        "turn": _whole,
        "tokens": _whole,
        "stream": st.booleans(),
        "tools": st.lists(_text, max_size=3),
        "elapsed": durations,
        "idle": durations,
        "body": json_values,
        "headers": st.dictionaries(st.sampled_from(("A", "b")), _text).map(Headers),
        "params": st.dictionaries(st.just("temperature"), _loose),
        "results": st.lists(_result, max_size=2),
        "result": st.none() | _result,
        "vars": st.fixed_dictionaries(dict.fromkeys(VARIABLES, _loose)),
        "drawn": st.sampled_from((0.0, 0.5, 0.999)),
    }
)
expressions = st.sampled_from(sorted(_leaves)).flatmap(lambda kind: _of(kind, 3))


def _kinds(of: str, found: Any) -> bool:
    return of == "json" or types.kind_of(found) in (of, "null")


@pytest.mark.timeout(600)
@settings(max_examples=MANY, deadline=None)
@given(expressions, worlds)
def test_never_raises(text, world):
    """Whatever a request and its variables hold, an expression has a value; quick and careful code agree on it."""
    found: list[Any] = []
    place = Within(Paper(text), ("x",))
    quick = value(text, place, CERTAIN, found.append)
    careful = value(text, place, CAREFUL, found.append)
    truth = condition(f"({text}) == null or not ({text} is bool)", place, CERTAIN, found.append)
    if quick is None or careful is None:
        assert found
        return
    one, other = FakeEnv(**world), FakeEnv(**world)
    answer = quick.evaluate(one)
    assert types.kind_of(answer) == types.kind_of(careful.evaluate(other))
    assert repr(answer) == repr(careful.evaluate(other))
    assert one.groups == other.groups
    assert truth is None or truth.holds(one) in (True, False)
    assert isinstance(template(f"a${{{text}}}b", Within(Paper(text), ()), CERTAIN, found.append).render(one), str)
