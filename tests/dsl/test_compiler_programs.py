"""Right scenarios: no finding, the Program that was meant, and the same one from TOML and YAML."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st
from program_shape import shape

from llmposter_dsl import auth, compiler, report
from llmposter_dsl.program import (
    Chunk,
    Delivery,
    Duration,
    Fail,
    Flow,
    Latency,
    Limit,
    Pace,
    Refuse,
    Say,
    Token,
    TokenEnd,
    Usage,
)

HERE = Path(__file__).parent
RIGHT = sorted(path for folder in ("ok", "twins") for path in (HERE / folder).iterdir() if path.is_file())
TWINS = sorted((HERE / "twins").glob("*.toml"))


def program(text, kind="toml"):
    compiled = compiler.compile_text(text, f"scenario.{kind}", kind)
    assert [] == [report.text(each) for each in compiled.diagnostics if each.severity != "info"]
    return compiled.program


@pytest.mark.parametrize("path", RIGHT, ids=lambda path: path.name)
def test_a_right_scenario_gets_no_finding_that_blames_it(path):
    """Scenarios of `ok` and `twins` give a Program without an error or a warning."""
    compiled = compiler.compile_path(path, path.name)
    assert [] == [report.text(each) for each in compiled.diagnostics if each.severity != "info"]
    assert compiled.program is not None


@pytest.mark.parametrize("path", TWINS, ids=lambda path: path.stem)
def test_toml_and_yaml_twins_give_the_same_program(path):
    """What a scenario means does not depend on the format that it is written in."""
    toml, twin = compiler.compile_path(path), compiler.compile_path(path.with_suffix(".yaml"))
    assert shape(toml.program) == shape(twin.program)


def test_a_clean_file_pays_for_no_places(monkeypatch):
    """Compiling a right scenario asks no document where anything stands."""
    from llmposter_dsl.tree import Document

    monkeypatch.setattr(Document, "_nearest", None)
    path = HERE / "twins" / "weather.toml"
    assert compiler.compile_path(path).program is not None


WHOLE = program((HERE / "twins" / "every_key.toml").read_text("utf-8"))
RULES = {rule.name: rule for rules in WHOLE.states.values() for rule in rules} | {
    rule.name: rule for rule in WHOLE.otherwise
}


def test_a_rule_has_its_name_or_its_place_in_the_list():
    """Names are those given, else `state#n`, counted from 1."""
    assert ["look it up", "begin#2", "begin#3", "answered#1", "answered#2", "otherwise#1"] == list(RULES)
    assert [True, False] == [RULES["look it up"].named, RULES["begin#2"].named]


@pytest.mark.parametrize(
    "name, outcome",
    [
        ("look it up", Say),
        ("begin#2", Refuse),
        ("begin#3", Fail),
        ("answered#1", Fail),
        ("answered#2", Say),
    ],
)
def test_each_outcome_has_its_kind(name, outcome):
    """`reply`, `think`, `call` and `json` say; `refuse` refuses; `error` fails."""
    assert isinstance(RULES[name].outcome, outcome)


FLOW = Flow(Latency("uniform", 0.135, 0.165), Pace(1 / 80, "token"), 0.2, 0.1)
OWN = Flow(Latency("lognormal", 1.0, 0.3, 5.0), Pace(0.04, "chunk"), 0.2, 0.1)
SLOW = Flow(FLOW.ttft, Pace(1 / 2.5, "word"), 1.0, 0.0)


@pytest.mark.parametrize(
    "name, delivery",
    [
        ("look it up", Delivery(Latency("lognormal", 0.8, 0.4, 5.0), Chunk(1, "whole"), OWN)),
        ("begin#2", Delivery(Latency("normal", 0.02, 0.005), Chunk(4, "tokens"), SLOW)),
        ("begin#3", Delivery(Latency("uniform", 0.001, 2.0), Chunk(4, "tokens"), FLOW)),
        ("answered#2", Delivery(Latency("uniform", 0.08, 0.12), Chunk(4, "tokens"), FLOW)),
    ],
)
def test_defaults_fill_in_what_a_rule_leaves_open(name, delivery):
    """Latency and each key of `stream` are the rule's own, else those of `defaults`."""
    assert delivery == RULES[name].delivery


def test_usage_is_filled_in_count_by_count():
    """A rule's counts stand over those of `defaults`; an error has none."""
    assert Usage(10, 5, 3, 2) == RULES["look it up"].usage
    assert Usage(10, 5) == RULES["answered#2"].usage
    assert RULES["answered#1"].usage is None


def test_headers_beside_an_error_are_the_errors():
    """What a rule gives as headers beside `error` goes out with the error."""
    outcome = RULES["begin#3"].outcome
    assert isinstance(outcome, Fail)
    assert [("x-more", "1")] == [(name, template.constant) for name, template in outcome.headers]


def test_an_error_is_a_status_a_name_or_a_table():
    """The three forms of `error`, and of `unmatched`."""
    assert 503 == RULES["answered#1"].outcome.status
    assert "overloaded" == RULES["begin#3"].outcome.name
    assert (418, "odd", "none") == (WHOLE.unmatched.status, WHOLE.unmatched.type, WHOLE.unmatched.code)


def test_a_retry_after_is_a_duration():
    """`retry_after` is read as seconds."""
    made = program('[[states.s]]\nerror = { name = "rate_limited", retry_after = "20ms" }')
    assert (Duration(0.02), False) == (made.states["s"][0].outcome.retry_after, made.states["s"][0].outcome.retry_date)


def test_a_retry_after_may_be_told_as_a_date():
    """The seconds are the same, and the words may stand apart."""
    for text in ("1.5m as date", "  1.5m  as   date "):
        outcome = (
            program(f'[[states.s]]\nerror = {{ name = "rate_limited", retry_after = "{text}" }}').states["s"][0].outcome
        )
        assert (Duration(90), True) == (outcome.retry_after, outcome.retry_date)


def test_tokens_and_limits_are_those_of_the_file():
    """The value of a token is its name where no other is given; what was left out has no bound."""
    tokens = (Token("short", "sk-short", 3), Token("timed", "sk-timed", lifetime=90.0), Token("sk-any", "sk-any"))
    assert tokens == WHOLE.auth.tokens
    assert (Limit("requests", 100, 60.0), Limit("tokens", 10_000, 3600.0)) == WHOLE.limits
    assert TokenEnd("expire", 2) == WHOLE.always[0].token
    assert TokenEnd("revoke") == RULES["otherwise#1"].token
    assert RULES["look it up"].token is None
    assert program('[[states.s]]\nreply = "x"').auth is None


@pytest.mark.parametrize(
    "text, end",
    [
        ("expire", TokenEnd("expire")),
        (" revoke ", TokenEnd("revoke")),
        ("expire after 1 use", TokenEnd("expire", 1)),
        ("expire  after 20 uses", TokenEnd("expire", 20)),
        ("expire after 30s", TokenEnd("expire", seconds=30.0)),
        ("expire after 0s", TokenEnd("expire")),
        ("expire after 0 uses", "is no later than `expire`"),
        ("expire after 2", "says not how long: write a number and a unit: ms, s, m, h or d"),
        ("Expire", "is nothing that can be done to a token"),
        ("", "is nothing that can be done to a token"),
        ("revoke after 2 uses", "is nothing that can be done to a token"),
    ],
)
def test_a_token_ends_at_once_after_uses_or_after_a_time(text, end):
    """All forms of the key `token`, and what is said of others."""
    assert end == auth.end(text)


def test_turns_carry_what_their_requests_carry():
    """`request` holds from its turn on, and each turn knows its kind, its results and its wait."""
    turns = WHOLE.examples[0].turns
    assert ["user", "results", "retry", "tool", "wait", "messages"] == [turn.kind for turn in turns]
    assert {"gpt-5"} == {turn.request["model"] for turn in turns}
    assert (("", {"a": 1}, False), ("", "failed", True)) == turns[1].results
    assert (("search", "text", False),) == turns[3].results
    assert (1.0, 2, 120.0) == (turns[2].wait, turns[2].times, turns[4].wait)


def test_final_states_are_states():
    """A final state that is only gone to is a state of the Program, with no rules."""
    assert {"begin": 3, "answered": 2, "done": 0, "expired": 0} == {
        name: len(rules) for name, rules in WHOLE.states.items()
    }


def test_the_name_is_that_of_the_file():
    """Without `scenario.name` the file's name is the scenario's, as far as a name can be that."""
    assert "my-bot" == compiler.compile_text('[[states.s]]\nreply = "x"', "scenarios/my bot.toml").program.name


def test_what_is_included_keeps_its_place():
    """A rule from an included file stands there, and the own file's states come first."""
    made = compiler.compile_path(HERE / "ok" / "includes.toml", "includes.toml")
    assert ["ask", "shared"] == list(made.program.states)
    assert ["includes.toml", "parts/tools.yaml", "parts/states.toml"] == [each.source.name for each in made.documents]
    assert "parts/states.toml" == made.program.states["shared"][0].place.source.name
    assert Latency("fixed", 0.005) == made.program.states["ask"][0].delivery.latency


# --- random documents, written in both formats --------------------------------------------------------------------

TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="$\u2028\u2029\ufeff\ufffe\uffff"),
    max_size=12,
)
DATA = st.recursive(
    st.one_of(
        TEXTS, st.integers(-(10**6), 10**6), st.booleans(), st.floats(-1e6, 1e6).map(lambda each: round(each, 3))
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
NAMES = ("a", "b", "c")
CONDITIONS = st.sampled_from(
    ["attempt == 1", 'user contains "x"', "visits > 2 and turn < 5", r"user matches /(?P<g>\d+)/"]
)
LATENCIES = st.sampled_from(["5ms", "1s ±20%", "uniform(1ms, 1s)", "lognormal(1s, 0.3, max 2s)"])
OUTCOMES = st.one_of(
    st.fixed_dictionaries(
        {"reply": TEXTS}, optional={"think": TEXTS, "call": st.just("search(query: user)"), "finish": st.just("stop")}
    ),
    st.fixed_dictionaries({"json": DATA}),
    st.fixed_dictionaries({"refuse": TEXTS}),
    st.fixed_dictionaries({"error": st.sampled_from([429, "overloaded", {"status": 500, "message": "no"}])}),
    st.fixed_dictionaries(
        {
            "call": st.fixed_dictionaries(
                {"tool": st.just("search"), "arguments": st.dictionaries(TEXTS, DATA, max_size=3)}
            )
        }
    ),
)
RULE = st.builds(
    lambda outcome, more: {**more, **outcome},
    OUTCOMES,
    st.fixed_dictionaries(
        {},
        optional={
            "when": CONDITIONS,
            "times": st.integers(1, 5),
            "latency": LATENCIES,
            "goto": st.sampled_from(NAMES),
            "set": st.fixed_dictionaries({"v": st.just("turn")}),
        },
    ),
)
DOCUMENT = st.fixed_dictionaries(
    {
        "vars": st.fixed_dictionaries({"v": st.integers(-5, 5)}),
        "states": st.fixed_dictionaries({name: st.lists(RULE, min_size=1, max_size=3) for name in NAMES}),
    },
    optional={
        "otherwise": st.lists(RULE, max_size=2),
        "scenario": st.fixed_dictionaries({}, optional={"seed": st.integers(0, 9), "description": TEXTS}),
    },
)


def toml_of(value):
    """A value as TOML, on one line."""
    match value:
        case dict():
            return "{" + ", ".join(f"{toml_of(key)} = {toml_of(each)}" for key, each in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(toml_of, value)) + "]"
        case bool():
            return "true" if value else "false"
        case str():
            return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\x7f", "\\u007F") + '"'
        case _:
            return repr(value)


class Dumper(yaml.SafeDumper):
    """Quotes what is a number in YAML 1.2 alone, such as `0E0`: PyYAML writes texts by the rules of YAML 1.1."""


NUMBER = re.compile(r"[-+]?(\.\d+|\d+(\.\d*)?)([eE][-+]?\d+)?|0o[0-7]+|0x[0-9a-fA-F]+")
Dumper.add_representer(
    str,
    lambda dumper, text: dumper.represent_scalar(
        "tag:yaml.org,2002:str", text, style='"' if NUMBER.fullmatch(text) else None
    ),
)


@settings(max_examples=60, deadline=None)
@example({"vars": {"v": 0}, "states": {"a": [{"reply": "0E0"}], "b": [{"reply": "0o7"}], "c": [{"reply": "1."}]}})
@given(DOCUMENT)
def test_random_documents_mean_the_same_in_both_formats(document):
    """A document written as TOML and as YAML gives Programs of the same shape, and the same findings."""
    toml = "".join(f"{key} = {toml_of(value)}\n" for key, value in document.items())
    text = yaml.dump(document, Dumper=Dumper, allow_unicode=True, sort_keys=False)
    one, two = compiler.compile_text(toml, "a.toml"), compiler.compile_text(text, "a.yaml", "yaml")
    assert sorted(each.code for each in one.diagnostics) == sorted(each.code for each in two.diagnostics)
    assert shape(one.program) == shape(two.program)
    assert (one.program is None) == any(each.severity == "error" for each in one.diagnostics)
