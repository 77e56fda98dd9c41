"""Any text gives a Program or diagnostics: random texts, and documents that were right before something was changed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmposter_dsl import compiler, keys, report

HERE = Path(__file__).parent
SOAK = os.environ.get("LLMPOSTER_SOAK") == "1"
SAMPLES = [path for folder in ("ok", "twins") for path in sorted((HERE / folder).iterdir()) if path.is_file()]
TEXTS = {
    suffix: [path.read_text("utf-8") for path in SAMPLES if path.suffix == suffix] for suffix in (".toml", ".yaml")
}
KIND = st.sampled_from(["toml", "yaml"])
EVERY_KEY = sorted({name for _, _, table in keys.TABLES_IN_ORDER for name in table})
ODD = st.sampled_from(
    [
        *("", "${", "$${", "'", '"', "[", "{", "}", "\n", "\t", "\0", "=", "==", ":", "- ", "#", "\\", "null", "1e999"),
        *("true", "2026-01-01", "goto", "when", "\U0001f324", "\ud800", "&a", "*a", "!!x", "<<", "[[states.x]]", "0"),
        *("${user}", "/(/", "always", "-1", "9" * 400, "9" * 5000),
    ]
)


def settle(text, kind):
    """Compiles a text and writes out all that is said of it."""
    compiled = compiler.compile_text(text, f"any.{kind}", kind)
    for each in compiled.diagnostics:
        start, end = each.place.span.start, each.place.span.end
        assert 0 <= start <= end <= len(each.place.source.text)
        assert report.text(each)
        assert report.record(each)
    assert (compiled.program is None) == any(each.severity == "error" for each in compiled.diagnostics)
    return compiled


@settings(max_examples=2000 if SOAK else 150, deadline=None)
@given(st.one_of(st.text(), st.binary()), KIND)
def test_any_text_gives_a_program_or_diagnostics(text, kind):
    """Random texts and bytes raise nothing."""
    settle(text, kind)


@settings(max_examples=3000 if SOAK else 100, deadline=None)
@given(st.data(), KIND)
def test_a_scenario_changed_anywhere_gives_a_program_or_diagnostics(data, kind):
    """A right scenario with pieces cut out and odd ones put in raises nothing."""
    text = data.draw(st.sampled_from(TEXTS[f".{kind}"]))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text)))
        cut = data.draw(st.integers(0, 12))
        text = text[:at] + data.draw(ODD) + text[at + cut :]
    settle(text, kind)


ANY = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-3, 700), st.floats(-5, 5), st.text(max_size=6), ODD),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(EVERY_KEY), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=4000 if SOAK else 120, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(sorted(keys.DOCUMENT)),
        ANY | st.dictionaries(st.sampled_from(["a", "b", "always", "x y"]), st.lists(ANY, max_size=3), max_size=3),
        max_size=5,
    )
)
def test_known_keys_with_any_value_give_a_program_or_diagnostics(data):
    """A document of known keys that hold anything at all raises nothing."""
    import json

    settle(json.dumps(data).replace("\\ud800", "?"), "yaml")


@settings(max_examples=3000 if SOAK else 120, deadline=None)
@given(
    st.dictionaries(st.sampled_from(sorted(keys.RULE)), ANY, max_size=5),
    st.dictionaries(st.sampled_from(sorted(keys.TURN)), ANY, max_size=4),
)
def test_any_rule_and_any_turn_give_a_program_or_diagnostics(rule, turn):
    """A rule and a turn of known keys that hold anything at all raise nothing."""
    import json

    document = {
        "vars": {"v": 1},
        "states": {"s": [rule, {"reply": "x"}]},
        "examples": [{"turns": [{"user": "a"}, turn]}],
    }
    settle(json.dumps(document).replace("\\ud800", "?"), "yaml")


@pytest.mark.parametrize(
    "schema, call",
    [
        ({"$ref": "#"}, "t(a: 1)"),
        ({"properties": {"a": {"$ref": "#/properties/a"}}}, "t(a: 1)"),
        ({"properties": {"a": {"$ref": "http://127.0.0.1:9/none.json"}}}, "t(a: 1)"),
        ({"properties": {"a": {"pattern": "(a+)+$"}}}, f't(a: "{"a" * 60}!")'),
        ({"properties": {"a": {"pattern": "("}}}, 't(a: "x")'),
        ({"patternProperties": {"(a+)+$": {}}, "additionalProperties": False}, f"t({'a' * 60}b: 1)"),
        ({"properties": {"a": {"multipleOf": 0.1}}}, "t(a: 1e300)"),
        ({"properties": []}, "t(a: 1)"),
        ({"required": "a"}, "t(a: 1)"),
        ({"properties": {"a": 5}}, "t(a: 1)"),
        ({"properties": {"a": {"enum": 5}}}, "t(a: 1)"),
        ({"properties": {"a": {"type": ["string", "wrong"]}}}, "t(a: 1)"),
        ({"required": [1, 2]}, "t(a: 1)"),
    ],
)
def test_no_schema_holds_the_checker_up(schema, call):
    """Endless, remote, slow and broken schemas end in an answer, soon."""
    import json

    settle(json.dumps({"tools": {"t": schema}, "states": {"s": [{"call": call}]}}), "yaml")


def test_a_thousand_rules_compile():
    """A thousand rules are a Program."""
    text = "".join(
        f'[[states.s]]\nwhen = \'user contains "w{n}"\'\nreply = "r ${{user}} {n}"\ngoto = "s"\n' for n in range(1000)
    )
    assert settle(text, "toml").program is not None


def test_many_rules_without_conditions_are_no_square():
    """A finding is told for each of many rules that can never fire."""
    text = "states:\n  s:\n" + "    - reply: x\n" * 5000
    assert len(settle(text, "yaml").diagnostics) == 4999
