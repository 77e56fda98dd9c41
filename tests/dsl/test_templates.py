"""Templates: text with expressions in it, alone and in data, and the arguments of calls."""

from __future__ import annotations

from typing import Any

import pytest
from fake_env import FakeEnv
from hypothesis import given, settings
from hypothesis import strategies as st
from paper import Bench

from llmposter_dsl import facts
from llmposter_dsl.expressions import condition, data
from llmposter_dsl.program import Duration

ENV: dict[str, Any] = {
    "user": "hi",
    "turn": 2,
    "elapsed": Duration(90),
    "body": {"list": [1.0, "a", None], "map": {"k": Duration(2)}},
    "vars": {"city": "Paris", "n": 22.0, "x": None},
}

RENDERED = [
    ("", ""),
    ("plain", "plain"),
    ("a $ b } { $x", "a $ b } { $x"),
    ("${user}", "hi"),
    ("It is ${n}°C in ${city}.", "It is 22°C in Paris."),
    ("${1 / 4} ${4 / 2} ${1e3} ${1e300}", "0.25 2 1000 1e+300"),
    ("${stream} ${true}", "false true"),
    ("[${x}][${result.json.temp}]", "[][]"),
    ("${elapsed} ${250ms} ${1500ms} ${2d}", "90s 250ms 1500ms 2d"),
    ("${body.list} ${body.map}", '[1,"a",null] {"k":"2s"}'),
    ("$${user}", "${user}"),
    ("$$${user}", "$${user}"),
    ("$${ ${user} $${", "${ hi ${"),
    ("${'}'}", "}"),
    ('${"a\\"}b"}', 'a"}b'),
    ("${{a: {b: '}'}}}", '{"a":{"b":"}"}}'),
    ("${user matches /h[}]?i{1}/} ${user matches /}/}", "true false"),
    ("${user contains '${'}", "false"),
    ("a\n${\n  user\n}\nb", "a\nhi\nb"),
    ("${user}${user}", "hihi"),
    ("😀${user}😀", "😀hi😀"),
]


@pytest.mark.parametrize("text, written", RENDERED)
def test_rendered(text, written):
    """A template writes its text, and the value of each expression in its place."""
    bench = Bench()
    made = bench.template(text)
    assert bench.told() == []
    assert made.render(FakeEnv(**ENV)) == written
    assert made.constant in (None, written)
    assert (made.constant is None) == ("${" in text.replace("$${", ""))


BROKEN = [
    ("a ${user", "LP121", "${user", "`${user` is not closed: expected `}`"),
    ("a ${", "LP121", "${", "`${` is not closed: expected `}`"),
    ("a ${} b", "LP121", "${}", "`${}` holds no expression"),
    ("a ${  } b", "LP121", "${  }", "`${ }` holds no expression"),
    ("a ${usr} b", "LP202", "usr", "unknown name `usr`"),
    ("a ${user +} b", "LP120", "+", "the expression ends after `+`, expected a value"),
    ("${user == 'a} b", "LP120", "'a", "the text `'a` is not closed"),
    ("$${x} ${user user}", "LP120", "user", "found `user`, expected an operator or the end"),
    ("${{a: 1}", "LP121", "${{a: 1}", "`${{a: 1}` is not closed: expected `}`"),
]


@pytest.mark.parametrize("text, code, stretch, message", BROKEN)
def test_broken(text, code, stretch, message):
    """What is wrong in a template is told at its place in the whole string."""
    bench = Bench()
    assert bench.template(text) is None
    assert [(code, stretch, message)] == [told[:3] for told in bench.told()]


def test_all_at_once():
    """Every broken expression of a template is told, each at its own place."""
    bench = Bench()
    assert bench.template("${usr} ${} ${modl} ${atempt") is None
    assert [("LP202", "usr"), ("LP121", "${}"), ("LP202", "modl"), ("LP121", "${atempt")] == [
        told[:2] for told in bench.told()
    ]


DATA = [
    ({"a": [1, 2.5, True, None, "x"]}, {"a": [1, 2.5, True, None, "x"]}, True),
    ("${n}", 22, False),
    (" ${n}", " 22", False),
    ({"n": "${turn}", "t": "turn ${turn}"}, {"n": 2, "t": "turn 2"}, False),
    (["${body.list}", "${x}", "${elapsed}"], [[1, "a", None], None, "90s"], False),
    ({"${turn}": "$${turn}"}, {"${turn}": "${turn}"}, True),
    ({}, {}, True),
]


@pytest.mark.parametrize("value, built, constant", DATA)
def test_data(value, built, constant):
    """Data keeps its shape; a string that is one expression keeps the type of the value, any other is text."""
    bench = Bench()
    made = data(value, bench.at(""), bench.scope, bench.found.append)
    assert bench.told() == []
    found = made.build(FakeEnv(**ENV))
    assert (found, repr(type(found))) == (built, repr(type(built)))
    assert made.constant is constant


def test_places_in_data():
    """A finding in data stands at the path of its string."""
    bench = Bench()
    assert data({"a": [{"b": "x ${usr}"}], "c": "${}"}, bench.at("x" * 20), bench.scope, bench.found.append) is None
    stem = ("states", "ask", 0, "when")
    found = [(each.place.path, each.place.inner) for each in bench.found]
    assert [((*stem, "a", 0, "b"), (4, 7)), ((*stem, "c"), (0, 3))] == found


def test_members_of_data():
    """Data tells what it holds, with the places of keys and values, so that it can be checked against a schema."""
    bench = Bench()
    made = data({"a": {"b": "${turn}"}, "c": [1]}, bench.at(""), bench.scope, bench.found.append)
    inner = made.members["a"].members["b"]
    assert ("map", "number", False) == (made.type, inner.type, inner.constant)
    assert ("value", "key") == (inner.place.part, inner.key.part)
    assert [1] == [item.build(FakeEnv()) for item in made.members["c"].items]


def test_call():
    """A call names its tool and builds its arguments; durations become text, as JSON has none."""
    bench = Bench()
    text = 'get-weather.v2(city: city, "odd name": [turn, 2s], in: {a: null},)'
    made = bench.call(text)
    assert bench.told() == []
    assert made.tool == "get-weather.v2"
    assert made.arguments.build(FakeEnv(**ENV)) == {"city": "Paris", "odd name": [2, "2s"], "in": {"a": None}}
    assert bench.scope.used.tools == {"get-weather.v2"}
    odd = made.arguments.members["odd name"]
    assert ('"odd name"', "[turn, 2s]") == tuple(text[slice(*each.inner)] for each in (odd.key, odd.place))
    assert made.arguments.members["in"].constant


@pytest.mark.parametrize("text", ["notify()", "notify( )", "a_b-c.d()"])
def test_call_without_arguments(text):
    """A call may have no arguments, and a tool's name may hold dots and dashes."""
    made = Bench().call(text)
    assert made.arguments.build(FakeEnv()) == {}
    assert made.arguments.constant


def test_volatile():
    """What a replay may see differently is known, and chance counts only in conditions."""
    bench = Bench()
    assert bench.template("${now()}").volatile
    assert bench.template("${age}").volatile
    assert not bench.template("${random(1, 6)} ${user}").volatile
    assert bench.condition("chance(0.5)").volatile
    assert bench.condition("elapsed > 2s or stream").volatile
    parts = bench.condition("stream and idle > 2s").parts
    assert [False, True] == [part.volatile for part in parts]


def test_parts_and_subjects():
    """A condition tells the operands of its `and`, and the values that explain the outcome, without literals."""
    bench = Bench()
    text = "user contains 'a' and (turn + 1 > 2 or not stream) and result('get').json.n exists"
    made = bench.condition(text)
    env = FakeEnv(**ENV)
    assert ["user contains 'a'", "(turn + 1 > 2 or not stream)", "result('get').json.n exists"] == [
        part.text for part in made.parts
    ]
    assert [False, True, False] == [part.holds(env) for part in made.parts]
    assert [["user"], ["turn + 1", "stream"], ["result('get').json.n"]] == [
        [subject.text for subject in part.subjects] for part in made.parts
    ]
    assert [("hi"), 3, False, None] == [subject.evaluate(env) for subject in made.subjects]
    assert [text[slice(*part.place.inner)] for part in made.parts] == [part.text for part in made.parts]
    alone = bench.condition("stream or turn == 2")
    assert [alone.text] == [part.text for part in alone.parts]


def test_groups():
    """Named groups are told by the condition, filled where they took part, and seen only where the scope has them."""
    bench = Bench()
    made = bench.condition(r"user matches /(?P<word>h\w)(?P<rest>x)?/ and turn == 2")
    assert made.groups == ("word", "rest")
    env = FakeEnv(**ENV)
    assert made.holds(env)
    assert env.groups == {"word": "hi", "rest": None}
    scope = bench.scope.with_groups(made.groups)
    seen = condition("word == 'hi' and not rest exists", bench.at("word"), scope, bench.found.append)
    assert seen.holds(env)
    assert bench.value("word") is None
    assert ("LP202", "word") == bench.told()[0][:2]


def test_group_hides_variable():
    """A named group hides the variable of its name, which then does not count as read."""
    bench = Bench(groups=("city",))
    assert bench.value("city").evaluate(FakeEnv(**ENV, groups={"city": "Rome"})) == "Rome"
    assert bench.scope.used.variables == set()
    assert bench.value("x").evaluate(FakeEnv(**ENV)) is None
    assert bench.scope.used.variables == {"x"}


def test_short_circuit():
    """`and` and `or` leave out what cannot change the outcome."""
    env = FakeEnv(**ENV)
    bench = Bench()
    assert not bench.condition("stream and chance(1)").holds(env)
    assert bench.condition("turn == 2 or chance(1)").holds(env)
    assert env.places == []


def test_places_of_chance():
    """Each call of chance is told apart by its place in the file, which is worked out without reading it again."""
    env = FakeEnv(**ENV)
    Bench().condition("chance(0.1) or chance(0.2)").holds(env)
    Bench().template("a ${random(1, 2)}").render(env)
    assert env.places == ["states/ask/0/when:0:0", "states/ask/0/when:0:15", "states/ask/0/when:4:0"]


def test_used():
    """The scope records which facts, variables, tools and rules were read."""
    bench = Bench()
    bench.condition("city == user and result('get') exists and fired('greet') == 1")
    used = bench.scope.used
    assert ({"user"}, {"city"}, {"get"}, {"greet"}) == (used.facts, used.variables, used.tools, used.rules)


def test_answer_facts():
    """An example's `expect` speaks of the answer, and of the arguments of its calls."""
    bench = Bench(facts.ANSWER)
    made = bench.condition('call("get").city == "Paris" and reply == "" and error.status == 429 and latency < 2s')
    assert bench.told() == []
    calls = [{"tool": "get", "id": "1", "arguments": {"city": "Paris"}}]
    assert made.holds(FakeEnv(answer=True, calls=calls, error={"status": 429}))
    assert not made.holds(FakeEnv(answer=True))


@pytest.mark.parametrize(
    "name, reason",
    [
        ("user", "a fact"),
        ("reply", "a fact"),
        ("len", "a function"),
        ("it", "a word of the language"),
        ("not", "a word of the language"),
        ("city", None),
    ],
)
def test_reserved(name, reason):
    """Facts, functions and words of the language cannot be variables."""
    assert facts.reserved(name) == reason


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from("a$ {}'\"\\\n😀"), max_size=12))
def test_plain_text_stays(text):
    """Text without an opening mark is written as it is, and any text is once its marks are doubled."""
    bench = Bench()
    made = bench.template(text.replace("${", "$${"))
    assert made.render(FakeEnv()) == text
