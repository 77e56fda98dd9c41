"""Expressions mean what the language says, on every kind of value."""

from __future__ import annotations

from typing import Any

import pytest
from fake_env import FakeEnv
from paper import Bench

from llmposter_dsl.program import Duration
from llmposter_dsl.types import Headers, kind_of

RESULTS = [
    {
        "tool": "get",
        "id": "1",
        "arguments": {"city": "Paris"},
        "text": '{"temp": 22}',
        "json": {"temp": 22},
        "error": False,
    },
    {"tool": "buy", "id": "2", "arguments": {}, "text": "Error: no", "json": None, "error": True},
]
WORLD: dict[str, Any] = {
    "user": "I want a Refund, please: order #1234",
    "system": "Be kind.",
    "turn": 2,
    "results": RESULTS,
    "result": RESULTS[-1],
    "messages": [{"role": "user", "text": "hi", "calls": [], "results": []}],
    "tools": ["get", "buy"],
    "model": "gpt-5-mini",
    "stream": True,
    "params": {"temperature": 0.5, "n": True, "seed": "odd"},
    "metadata": {"tenant": "a"},
    "headers": Headers({"X-Session-Id": "s1"}),
    "query": {"v": "2"},
    "body": {
        "n": 1,
        "one": 1.0,
        "yes": True,
        "no": False,
        "text": "abc",
        "none": None,
        "list": [1, "a", None, True],
        "map": {"k": [{"v": 1}]},
        "huge": 10**400,
    },
    "elapsed": Duration(45),
    "attempt": 3,
    "vars": {
        "city": "Paris",
        "n": 4,
        "ready": True,
        "wait": Duration(2),
        "cart": ["a", "b"],
        "order": {"id": 7},
        "x": None,
    },
    "groups": {"place": "Rome", "gap": None},
    "rules": {"greet": 2},
}

# fmt: off
VALUES: list[tuple[str, Any]] = [
    # literals
    ("1", 1), ("1.50", 1.5), ("1e3", 1000.0), ("007", 7), ('"a"', "a"), ("'a'", "a"), ("true", True), ("null", None),
    (r'"a\"b\n\\ \u00e9 \ud83d\ude00"', 'a"b\n\\ é 😀'), (r"'it\'s'", "it's"), ('"a\nb"', "a\nb"),
    ("250ms", Duration(0.25)), ("2.5s", Duration(2.5)), ("15m", Duration(900)), ("1h", Duration(3600)),
    ("2d", Duration(172800)),
    ("[1, 'a', [], ]", [1, "a", []]), ("{a: 1, 'b c': {in: null}, }", {"a": 1, "b c": {"in": None}}), ("[]", []),
    ("{}", {}),
    # arithmetic
    ("1 + 2 * 3", 7), ("(1 + 2) * 3", 9), ("10 - 3 - 2", 5), ("-2 + 1", -1), ("--2", 2), ("2 - -2", 4), ("n-1", 3),
    ("4 / 2", 2), ("1 / 4", 0.25), ("1 / 0", None), ("1 % 0", None), ("1.5 % 0", None), ("7 % 3", 1), ("-7 % 3", -1),
    ("7 % -3", 1),
    ("7.5 % 2", 1.5), ("1e308 * 10", None), ("1e308 + 1e308", None), ("-1e308 - 1e308", None), ("body.huge + 1", None),
    ("body.huge * body.huge", None), ("body.huge / 3", None), ("body.huge % 3 ", 1), ("body.huge / 1.5", None),
    ('"a" + "b"', "ab"), ("[1] + [2]", [1, 2]), ("1s + 500ms", Duration(1.5)), ("2s * 3", Duration(6)),
    ("3 * 2s", Duration(6)),
    ("3s / 2", Duration(1.5)), ("3s / 2s", 1.5), ("5s % 2s", Duration(1)), ("-1s", Duration(-1)), ("x + 1", None),
    ("1 - x", None),
    ("body.text + 1", None), ("body.yes + 1", None), ("-body.text", None), ("-body.n", -1), ("body.n + body.one", 2.0),
    # equality is exact
    ("1 == 1.0", True), ("body.n == 1", True), ("body.one == 1", True), ("body.yes == 1", False),
    ("body.yes != 1", True),
    ("body.yes == true", True), ("body.no == 0", False), ("params.n == 1", False), ('body.text == "abc"', True),
    ("body.none == null", True),
    ("body.missing == null", True), ("x == null", True), ("null == null", True), ("null != 1", True),
    ("body.n != null", True),
    ("[1, 2] == [1.0, 2]", True), ("[true] == [body.n]", False), ("{a: 1} == {a: 1}", True),
    ("{a: 1} == {b: 1}", False),
    ("body.map == {k: [{v: 1}]}", True), ("body.list == [1, 'a', null, true]", True),
    ("body.list == [1, 'a', null, 1]", False),
    ("60s == 1m", True), ("number(2s) == 2", True), ("[wait] == [body.n]", False), ("[] == body.list", False),
    ('"a" == x', False),
    # order
    ("1 < 2", True), ("2 <= 2", True), ("2 > 2", False), ("2 >= 2", True), ('"a" < "b"', True), ("elapsed > 30s", True),
    ("elapsed < 1m", True), ("body.text > 1", False), ("body.text < 1", False), ("x < 1", False), ("x >= 1", False),
    ("body.yes < 2", False), ("body.n < 2", True), ("params.temperature >= 0.5", True), ("params.seed > 1", False),
    ("params.top_p > 0", False), ("params.n >= 1", False), ("body.n < 2s or body.n >= 2s", False), ("city < 'Q'", True),
    # texts
    ('user contains "Refund"', True), ('user contains "refund"', False), ('user not contains "x"', True),
    ('"Refund" in user', True),
    ('"x" not in user', True), ('user mentions "refund"', True), ('user mentions "REFUND"', True),
    ('user mentions "fund"', False),
    ('user mentions "order #1234"', True), ('user mentions "123"', False), ('user mentions ""', False),
    ('"C++ rocks" mentions "c++"', True),
    ('"größe" mentions "GRÖSSE"', True), ('"foo_bar" mentions "foo"', False), ('"ab ab" mentions "ab"', True),
    ('"abc ab" mentions "ab"', True),
    ('user starts with "I want"', True), ('user ends with "34"', True), ('model starts with "claude"', False),
    ('x contains "a"', False),
    ('x mentions "a"', False), ('x starts with "a"', False), ('x ends with "a"', False), ('body.n contains "a"', False),
    ('body.text starts with "a"', True), ('body.text ends with "c"', True), ("body.text mentions 'abc'", True),
    ("x not contains 'a'", True),
    # what holds what
    ('tools contains "get"', True), ('"get" in tools', True), ('"no" in tools', False), ("turn in [1, 2]", True),
    ("turn not in [1, 2]", False),
    ("body.list contains 1", True), ("body.list contains true", True), ("body.list contains null", True),
    ("body.list contains 2", False),
    ("body.list contains 'a'", True), ("1 in body.n", False), ("1 in x", False), ('"k" in body.map', True),
    ('body.map contains "q"', False),
    ('"x-session-ID" in headers', True), ('headers contains "nope"', False), ("body.yes in [1]", False),
    ("[1] in [[1]]", True),
    ("cart contains 'a'", True), ("order contains 'id'", True), ("body.map in [{k: [{v: 1}]}]", True),
    ("body.text in ['abc']", True),
    # regular expressions
    (r"user matches /order #\d{4}/", True), ("user matches /REFUND/", False), ("user matches /REFUND/i", True),
    ("user matches /^order/", False),
    (r"'a' + '\nb' matches /^b$/m", True), (r"'a\nb' matches /a.b/", False), (r"'a\nb' matches /a.b/s", True),
    (r"'a/b' matches /a\/b/", True),
    ("'a/b' matches /a[/]b/", True), ("x matches /a/", False), ("body.n matches /1/", False),
    ("'é😀' matches /^..$/", True),
    ("'A\\nB' matches /^b$/im", True),
    # null and types
    ("x exists", False), ("'a' exists", True), ("null exists", False), ("[] exists", True), ("{} exists", True),
    ("(1 + 1) exists", True), ("city exists", True), ("result('get') exists", True), ("result('no') exists", False),
    ("not x exists", True),
    ("1 is number", True), ("true is number", False), ("1s is number", False), ("1s is duration", True),
    ("'' is text", True),
    ("null is null", True), ("[] is list", True), ("{} is map", True), ("body.yes is bool", True),
    ("body.missing is null", True),
    ("headers is map", True), ("body.one is number", True),
    # logic
    ("true and false", False), ("true or false", True), ("not true", False), ("not false", True), ("body.yes", True),
    ("not body.n", True),
    ("body.n and true", False), ("body.yes and true", True), ("body.text or body.yes", True), ("not x", True),
    ("result('no').error or false", False),
    ("not result('no').error", True), ("false and true or true", True), ("not false and false", False),
    ("ready and stream", True),
    # members and items
    ("body.map.k[0].v", 1), ("body.map.k[-1].v", 1), ("body.map.k[1].v", None), ("body.map['k'][0]['v']", 1),
    ("body.list[1]", "a"),
    ("body.list[-9]", None), ("body.list[1.5]", None), ("body.list[1.0]", "a"), ("body.list['a']", None),
    ("body.map[0]", None),
    ("body.text.foo", None), ("body.text[0]", None), ("body.none.a.b.c", None), ("body.list[body.yes]", None),
    ("body.list[body.none]", None),
    ('headers["x-SESSION-id"]', "s1"), ("headers['nope']", None), ("query.v", "2"), ("metadata.tenant", "a"),
    ("params.temperature", 0.5),
    ("params.top_p", None), ("order.id", 7), ("order.nope", None), ("cart[0]", "a"), ("messages[0].role", "user"),
    ("messages[5].role", None),
    ("messages[-1].calls", []), ("result.error", True), ("results[0].json.temp + 1", 23),
    ("result('get').arguments.city", "Paris"),
    ("token.name", None), ("{a: 1}.a", 1), ("[1, 2][1]", 2), ("{is: {in: 3}}.is.in", 3),
    # groups hide variables
    ("place", "Rome"), ("gap", None), ("gap == 'a'", False), ("gap exists", False),
    # functions
    ("lower('ÀB')", "àb"), ("upper('straße')", "STRASSE"), ("trim('  a ')", "a"), ("lower(x)", None),
    ("upper(body.n)", None), ("trim(null)", None),
    ("words('Hi, don\\'t (you)? 3.5 —')", ["Hi", "don't", "you", "3.5"]), ("words(x)", None), ("len('é😀')", 2),
    ("len([1, 2])", 2), ("len({a: 1})", 1),
    ("len(user) > 3", True), ("len(x)", None), ("len(body.n)", None), ("len(results) == 2", True), ("len(cart)", 2),
    ("len(words(user)) > 3", True),
    ("text(1.0)", "1"), ("text(1.5)", "1.5"), ("text(true)", "true"), ("text(null)", ""), ("text(2s)", "2s"),
    ("text([1, 'a'])", '[1,"a"]'), ("text(body.huge)", ""),
    ("number('22')", 22), ("number(' -1.5e2 ')", -150.0), ("number('1_000')", None), ("number('٣')", None),
    ("number('nan')", None), ("number('1e999')", None),
    ("number(90s)", 90), ("number(body.yes)", None), ("number(x)", None), ("number(1.5)", 1.5), ("number('')", None),
    ("number('.5')", 0.5),
    ("json({a: 1.0, b: [2s, null, 'ü']})", '{"a":1,"b":["2s",null,"ü"]}'), ("json('a')", '"a"'), ("json(null)", "null"),
    ("json(body.huge)", "null"),
    ("default(x, 1)", 1), ("default(0, 1)", 0), ("len(default(n, 'a'))", None),
    ("default(result('no').json.temp, 0) + 1", 1),
    ("default(city, 'a')", "Paris"),
    ("jsonpath('$.map.k[*].v')", [1]), ("jsonpath('$.nope')", []), ("jsonpath('$..v')", [1]),
    ("any(results, it.error)", True), ("all(results, it.error)", False), ("count(results, it.error) == 1", True),
    ("any(x, it)", False),
    ("all([], false)", True), ("all(x, true)", False), ("count(x, true)", None), ("count([1, 2, 3], it > 1)", 2),
    ("any(tools, it == 'buy')", True),
    ("any([[1], [2]], any(it, it == 2))", True), ("count([[1, 2], [3]], all(it, it > 2) and len(it) == 1)", 1),
    ("any(body.list, it == 'a')", True),
    ("any(results, it.json.temp > 20)", True), ("count(body.list, it)", 1), ("any(body.map.k, it.v == turn - 1)", True),
    ("fired('greet')", 2), ("fired('nope') == 0", True), ("now()", "2026-01-02T03:04:05Z"), ("chance(0.6)", True),
    ("chance(0.4)", False),
    ("chance(x)", False), ("random(1, 6)", 4), ("random(6, 1)", 4), ("random(0.0, 1)", 0.5), ("random(x, 1)", None),
    ("random(2, 2)", 2), ("random(0, body.huge)", None),
    ("chance(body.huge)", True), ("-body.huge < 0", True),
    ("uuid()", "00000000-0000-4000-8000-000000000000"),
    # white space and names that begin like operators
    ("  1\n +\t2 ", 3), ("city=='Paris'", True), ("ready or stream", True),
]
# fmt: on

"""Texts of the table that are no expressions, in the place of their value."""


@pytest.mark.parametrize("text, value", VALUES, ids=lambda item: repr(item)[:50])
def test_value(text, value):
    """An expression has the value that the table gives, of the same kind."""
    bench = Bench(groups=("place", "gap"))
    made = bench.value(text)
    assert bench.told() == []
    found = made.evaluate(FakeEnv(**WORLD))
    assert (kind_of(found), found) == (kind_of(value), value)
    assert made.type in (kind_of(value), "json") or value is None


@pytest.mark.parametrize("text, value", [pair for pair in VALUES if isinstance(pair[1], bool)])
def test_condition(text, value):
    """As a condition an expression holds exactly where its value is true."""
    bench = Bench(groups=("place", "gap"))
    assert bench.condition(text).holds(FakeEnv(**WORLD)) is value
