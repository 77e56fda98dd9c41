"""The JSON Schema: it passes whatever the checker passes, and knows keys, types, words, phrases and bounds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator
from random_scenarios import SCENARIOS, written

import llmposter_grammar
from llmposter.fixtures import is_fixture_file
from llmposter_dsl import compiler, keys, reading, shapes
from llmposter_dsl import schema as made
from llmposter_dsl.delivery_forms import chunk, jitter, latency, pace
from llmposter_dsl.expressions.syntax import Trouble
from llmposter_dsl.fault_forms import ACTIONS, POINTS, phrase
from llmposter_dsl.program import Value

TOP = Path(__file__).parents[2]
SCHEMA = made.schema()
JUDGE = Draft7Validator(SCHEMA)
RIGHT = [
    path
    for folder in ("scenarios", "tests/dsl/ok", "tests/dsl/twins")
    for path in sorted((TOP / folder).rglob("*"))
    if path.suffix in (".toml", ".yaml") and not is_fixture_file(path)
]
FAULTY = [path for path in sorted((TOP / "tests/dsl/err").glob("*")) if path.suffix in (".toml", ".yaml")]


def breaches(data: Value) -> list[str]:
    return [f"{each.json_path} {each.message}" for each in JUDGE.iter_errors(data)]


def data(path: Path) -> Value:
    read = reading.read(path)
    assert not isinstance(read, tuple)
    return read.data


def test_the_packaged_schema_is_not_stale() -> None:
    """`python -m llmposter_dsl.schema` would change nothing."""
    assert made.text() == llmposter_grammar.text(made.FILE)


def test_it_is_a_schema() -> None:
    """The meta-schema of its draft passes it, and every table is in it."""
    Draft7Validator.check_schema(SCHEMA)
    assert {name.replace(" ", "_") for name in shapes.TABLES} - {"document"} == set(SCHEMA["definitions"]) - {"fault"}


@pytest.mark.parametrize("path", RIGHT, ids=lambda path: path.name)
def test_it_passes_what_can_be_run(path: Path) -> None:
    """The gallery, every file that the compiler's tests call right, and what those include."""
    assert [] == breaches(data(path))


@pytest.mark.parametrize("path", FAULTY, ids=lambda path: path.name)
def test_it_is_never_stricter_than_the_checker(path: Path) -> None:
    """Of the corpus of mistakes it refuses none that is a warning only, and all unknown keys and wrong types."""
    found = {each.code for each in compiler.compile_path(path).diagnostics if each.severity == "error"}
    read = reading.read(path)
    if isinstance(read, tuple):
        return
    refused = bool(breaches(read.data))
    assert found or not refused
    assert refused or not found & {"LP110", "LP111", "LP126", "LP211", "LP214", "LP501"}


@settings(deadline=None)
@given(SCENARIOS)
def test_it_passes_scenarios_that_nobody_thought_of(tmp_path_factory: pytest.TempPathFactory, turns: Any) -> None:
    """Whatever is written of random turns."""
    assert [] == breaches(data(written(turns, tmp_path_factory.mktemp("random") / "random.yaml")))


def rule(**keys: Value) -> dict[str, Value]:
    return {"states": {"ask": [keys]}}


WRONG = [
    ({"include": "a.toml"}, "include"),
    ({"stats": {}}, "stats"),
    ({"llmposter": "2"}, "llmposter"),
    ({"scenario": {"conformance": "strict"}}, "conformance"),
    ({"scenario": {"final": "done"}}, "final"),
    ({"scenario": {"unmatched": 200}}, "unmatched"),
    ({"vars": {"user": ""}}, "user"),
    ({"vars": {"2nd": ""}}, "2nd"),
    ({"states": {"two words": []}}, "two words"),
    ({"states": {"ask": {"reply": "x"}}}, "ask"),
    (rule(reply=1), "reply"),
    (rule(replay="x"), "replay"),
    (rule(times=0), "times"),
    (rule(error="rate_limit"), "error"),
    (rule(error=200), "error"),
    (rule(error={"name": "oops"}), "error"),
    (rule(fault="explode"), "fault"),
    (rule(fault=["drop", "drop after chunks"]), "fault"),
    (rule(latency="2 seconds"), "latency"),
    (rule(stream={"pace": "fast"}), "pace"),
    (rule(stream={"chunk": "20"}), "chunk"),
    (rule(stream={"burst": 1}), "burst"),
    (rule(token="expired"), "token"),
    (rule(call={"name": "x"}), "call"),
    (rule(call=[1]), "call"),
    (rule(headers={"x": 1}), "headers"),
    ({"limits": [{"requests": 3}]}, "limits"),
    ({"chaos": {"rate": 2}}, "rate"),
    ({"moderations": [{"flags": ["rudeness"]}]}, "flags"),
    ({"embeddings": [{"vector": ["1"]}]}, "vector"),
    ({"auth": {"oauth": {"refresh": "always"}}}, "oauth"),
    ({"auth": {"oauth": {"answers": ["okay"]}}}, "oauth"),
    ({"examples": [{"name": "no turns"}]}, "examples"),
    ({"examples": [{"turns": [{"user": "x", "request": {"params": {"temp": 1}}}]}]}, "params"),
    ({"examples": [{"turns": [{"messages": [{"role": "system"}]}]}]}, "role"),
    ({"examples": [{"turns": [], "providers": ["mistral"]}]}, "providers"),
]


@pytest.mark.parametrize(("wrong", "place"), WRONG, ids=lambda value: str(value)[:40])
def test_it_refuses_what_is_wrong(wrong: Value, place: str) -> None:
    """One mistake each, and the breach names its place or its word."""
    found = breaches(wrong)
    assert len(found) == 1
    assert place in found[0]


FILLED = {"TIME": "300ms", "COUNT": "3", "STATUS": "502", "ERROR": "overloaded", "TEXT": '"<b>"', "MEDIA": "text/html"}
WORDS = [*FILLED.values(), *{word for form in (*ACTIONS, *POINTS) for word in form.split()}, "chunk", "'a b'"]
FAULT = Draft7Validator(SCHEMA["definitions"]["fault"])
TIMES = st.lists(st.sampled_from(["1", "250", "ms", "s", " ", "±", "%", "tokens", "/s", "(", ",", "uniform", "max"]))


@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=7), st.sampled_from([" ", "  ", "\n"]))
def test_a_fault_passes_if_it_is_one(words: list[str], blank: str) -> None:
    """Of phrases of the language's own words the pattern lets through all that are faults, and no others."""
    text = blank.join(FILLED.get(word, word) for word in words)
    assert FAULT.is_valid(text) is not isinstance(phrase(text), Trouble)


@pytest.mark.parametrize("form", [f"{action} {point}".strip() for action in ACTIONS for point in ("", *POINTS)])
def test_every_form_of_a_fault_passes(form: str) -> None:
    """Each action with each point."""
    assert FAULT.is_valid(" ".join(FILLED.get(word, word) for word in form.split()))


@given(TIMES)
def test_a_delay_passes_if_it_is_one(parts: list[str]) -> None:
    """No phrase of delivery that the checker reads is refused."""
    text = "".join(parts)
    for name, read in (("latency", latency), ("chunk", chunk), ("pace", pace), ("jitter", jitter)):
        judge = Draft7Validator({**_of(name), "definitions": SCHEMA["definitions"]})
        assert judge.is_valid(text) or read(text) is None or isinstance(read(text), str)


def _of(key: str) -> Any:
    table = "rule" if key in keys.RULE else "stream"
    return SCHEMA["definitions"][table]["properties"][key]
