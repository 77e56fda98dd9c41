"""Scenarios in Python: the keys of the file format and no others, the same Program, and places in the Python file."""

from __future__ import annotations

import inspect
import runpy
import typing
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
from agents import weather
from program_shape import shape

from llmposter import Scenario, ScenarioError, Server, rule
from llmposter.fixtures import is_fixture_file
from llmposter.testing import tables
from llmposter_dsl import compile_path, compile_text, keys
from llmposter_dsl.tree import Document

SCENARIOS = Path(__file__).parents[2] / "scenarios"
HERE = Path(__file__)


# --- one model, two spellings


def known(table: keys.Keys) -> set[str]:
    return {key.name for key in table.values()}


def test_a_rule_has_the_arguments_that_it_has_keys() -> None:
    """A key that the language gets has to come here, too."""
    assert known(keys.RULE) == set(inspect.signature(rule).parameters)


def test_a_scenario_has_the_arguments_that_it_has_keys() -> None:
    """Those of `[scenario]` and of the top of a file; states have a method, and the version goes without saying."""
    expected = known(keys.SCENARIO) | known(keys.DOCUMENT) - {"llmposter", "scenario", "states"}
    assert expected == set(inspect.signature(Scenario).parameters)


TABLES = {
    tables.Error: keys.ERROR, tables.Call: keys.CALL, tables.Usage: keys.USAGE, tables.Stream: keys.STREAM,
    tables.Defaults: keys.DEFAULTS, tables.Embedding: keys.EMBEDDING, tables.Moderation: keys.MODERATION,
    tables.Token: keys.TOKEN, tables.Auth: keys.AUTH, tables.Limit: keys.LIMIT, tables.Chaos: keys.CHAOS,
    tables.OAuth: keys.OAUTH, tables.TokenAnswer: keys.TOKEN_ANSWER,
    tables.Example: keys.EXAMPLE, tables.Turn: keys.TURN, tables.Result: keys.RESULT, tables.Message: keys.MESSAGE,
    tables.MessageCall: keys.MESSAGE_CALL, tables.MessageResult: keys.MESSAGE_RESULT,
    tables.ExampleRequest: keys.REQUEST, tables.RequestTool: keys.REQUEST_TOOL,
}  # fmt: skip


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.__name__)
def test_a_table_has_the_keys_that_it_has_in_a_file(table: Any) -> None:
    """And those are required that are required there."""
    meant = TABLES[table]
    assert known(meant) == set(typing.get_type_hints(table))
    assert {key.name for key in meant.values() if key.required} == set(table.__required_keys__)


def test_no_table_of_the_language_is_forgotten() -> None:
    """Each of the reference has a type, or is what a function takes."""
    built = (*TABLES.values(), keys.DOCUMENT, keys.SCENARIO, keys.RULE)
    assert [] == [name for name, _, table in keys.TABLES_IN_ORDER if not any(table is each for each in built)]


WORDS = {
    tables.ErrorName: keys.ERRORS, tables.Conformance: keys.CONFORMANCE, tables.Provider: keys.PROVIDERS,
    tables.Role: keys.ROLES, tables.Refresh: keys.REFRESH, tables.Approval: keys.APPROVAL,
    tables.Category: keys.CATEGORIES,
}  # fmt: skip


@pytest.mark.parametrize("words", WORDS.items(), ids=lambda pair: pair[1][0])
def test_words_are_those_of_the_language(words: tuple[Any, tuple[str, ...]]) -> None:
    """A type checker knows each, and no other."""
    assert words[1] == typing.get_args(words[0])


WEATHER = Scenario(
    name="weather",
    description="Tells the weather with the help of one tool",
    start="ask",
    final=["done"],
    vars={"city": ""},
    tools={
        "get_weather": {
            "type": "object",
            "required": ["city", "unit"],
            "additionalProperties": False,
            "properties": {"city": {"type": "string"}, "unit": {"enum": ["celsius", "fahrenheit"]}},
        }
    },
    examples=[
        {
            "name": "tool loop with one rate limit",
            "turns": [
                {
                    "user": "what's the weather in Paris?",
                    "expect": 'call("get_weather").city == "Paris"',
                    "state": "lookup",
                },
                {
                    "tool": "get_weather",
                    "result": {"temp": 22},
                    "expect": 'error.name == "rate_limited"',
                    "state": "lookup",
                },
                {"retry": True, "expect": 'reply == "It is 22°C in Paris."', "state": "done"},
            ],
        },
        {
            "name": "a place that nobody knows",
            "turns": [
                {"user": "Tell me a joke", "expect": 'reply == "I only do weather."', "state": "ask"},
                {"user": "Then the weather in Atlantis", "state": "lookup"},
                {"tool": "get_weather", "error": "no such place", "expect": "error.status == 429"},
                {"retry": True, "expect": 'reply contains "Atlantis"', "state": "ask"},
            ],
        },
    ],
)
WEATHER.state(
    "ask",
    rule(
        when=r"user matches /weather in (?P<place>\w+)/i",
        set={"city": "place"},
        call='get_weather(city: city, unit: "celsius")',
        goto="lookup",
    ),
    rule(reply="I only do weather."),
)
WEATHER.state("lookup", rule(when="attempt == 1", error={"name": "rate_limited", "retry_after": "20ms"}))
WEATHER.state(
    "lookup",
    rule(
        when='result("get_weather").error',
        reply="I cannot find the weather in ${city}. Ask me about another place.",
        goto="ask",
    ),
    rule(
        when='result("get_weather") exists',
        expect='result("get_weather").json.temp is number',
        reply="It is ${result.json.temp}°C in ${city}.",
        goto="done",
    ),
)


def test_a_scenario_built_is_the_one_that_a_file_has() -> None:
    """Key by key: the first of the gallery in both spellings gives one Program."""
    written = compile_path(SCENARIOS / "weather.toml").program
    assert shape(written) == shape(WEATHER.program())


GALLERY = [path for path in sorted(SCENARIOS.glob("*.*l")) if not is_fixture_file(path)]


@pytest.mark.parametrize("path", GALLERY, ids=lambda path: path.name)
def test_a_file_goes_through_python_unchanged(path: Path) -> None:
    """Read, and written as TOML again, each of the gallery means what it meant."""
    written = compile_path(path).program
    read = Scenario.from_file(path)
    assert shape(written) == shape(read.program())
    assert shape(written) == shape(compile_text(read.to_toml(), path.with_suffix(".toml").name).program)


def test_what_a_file_has_can_be_added_to() -> None:
    """Rules come after those of the file, and findings name the file or the call, wherever they are."""
    scenario = Scenario.from_text('[[states.a]]\nwhen = \'user == "x"\'\nreply = "A"\ngoto = "b"\n', name="a.toml")
    scenario.state("a", rule(reply="${usr}")).state("b", rule(reply="B"))
    with pytest.raises(ScenarioError) as caught:
        scenario.program()
    line = inspect.getsourcelines(test_what_a_file_has_can_be_added_to)[1] + 3
    assert [f"{HERE.name}:{line}:39-{line}:42 LP202 unknown name `usr`"] == findings(caught.value)
    fine = Scenario.from_text('[[states.a]]\nwhen = \'user == "x"\'\nreply = "A"\ngoto = "b"\n', name="a.toml")
    program = fine.state("a", rule(reply="more")).state("b", rule(reply="B")).program()
    assert {"a": 2, "b": 1} == {name: len(rules) for name, rules in program.states.items()}


def test_files_to_include_are_found_beside_what_includes_them(tmp_path: Path) -> None:
    """Beside the scenario's file, or beside the Python file whose call names them."""
    (tmp_path / "part.toml").write_text('[[states.b]]\nreply = "B"\n')
    (tmp_path / "whole.toml").write_text('include = ["part.toml"]\n[[states.a]]\nreply = "A"\ngoto = "b"\n')
    assert ["a", "b"] == list(Scenario.from_file(tmp_path / "whole.toml").program().states)
    beside = tmp_path / "made.py"
    beside.write_text('made = Scenario(include=["part.toml"]).state("a", rule(reply="A", goto="b"))\n')
    made: dict[str, Any] = {}
    exec(compile(beside.read_text(), str(beside), "exec"), globals(), made)
    assert ["a", "b"] == list(made["made"].program().states)


# --- places


def findings(error: ScenarioError) -> list[str]:
    """Their first lines, this file by its name alone."""
    lines = [line for line in str(error).splitlines() if not line.startswith(" ")]
    return [line[line.index(HERE.name) :] if HERE.name in line else line for line in lines]


BAD = "nowhere"
# The places are those of the calls in this table, each on the line of its name, or so many below it.
PLACES: dict[str, tuple[Callable[[], Scenario], str]] = {
    "a value": (lambda: Scenario().state("a", rule(reply="x", goto="nowhere")), 'LP201 `goto` "nowhere"'),
    "in a text": (lambda: Scenario().state("a", rule(reply="é ${nothing}")), "LP202 `nothing`"),
    "in a list": (lambda: Scenario(final=["a", "b"]).state("a"), 'LP201 "b"'),
    "in a table": (lambda: Scenario().state("a", rule(reply="x", usage={"input": -1})), "LP114 -1"),
    "a key": (lambda: Scenario().state("a", rule(call={"tool": "t", "argments": {}})), 'LP110 "argments"'),
    "a name": (lambda: Scenario().state("a b", rule(reply="x")), 'LP114 "a b"'),
    "of the scenario": (lambda: Scenario(start="b").state("a", rule(reply="x")), 'LP201 "b"'),
    "a variable": (lambda: Scenario().state("a", rule(reply="x", goto=BAD)), "LP201 BAD"),
    "a dict call": (lambda: Scenario().state("a", rule(reply="x", usage=dict(input=-1))), "LP114 -1"),  # type: ignore[arg-type] # noqa: C408
}  # fmt: skip


@pytest.mark.parametrize("name", PLACES)
def test_a_finding_names_the_argument_in_the_python_file(name: str) -> None:
    """To the column, as it does in a scenario file."""
    build, expected = PLACES[name]
    code, _, marked = expected.partition(" ")
    marked = marked.removeprefix("`goto` ").strip("`")
    with pytest.raises(ScenarioError) as caught:
        build().program()
    (finding,) = caught.value.findings[:1]
    place, text = finding.place, HERE.read_text(encoding="utf-8")
    assert (code, marked) == (finding.code, text[place.span.start : place.span.end])
    assert (
        text.splitlines().index(next(x for x in text.splitlines() if x.startswith(f'    "{name}":'))) + 1
        == (place.source.position(place.span.start)[0])
    )


def test_only_ends_of_lines_end_lines_of_a_python_file(tmp_path: Path) -> None:
    """A form feed between definitions, and separators in texts, count as the interpreter counts them: not at all."""
    path = tmp_path / "made.py"
    text = (
        "from llmposter import Scenario, rule\n\f\nx = '\u2028\x85\x1c'\nmade = Scenario().state('a', rule(goto='b'))\n"
    )
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ScenarioError) as caught:
        runpy.run_path(str(path))["made"].program()
    place = caught.value.findings[0].place
    text, (line, _) = place.source.text, place.source.position(place.span.start)
    assert (4, "'b'") == (line, text[place.span.start : place.span.end])


def test_a_call_without_a_file_has_a_place_all_the_same() -> None:
    """In a shell, or of text that was run, the file is named and nothing is quoted."""
    made: dict[str, Any] = {}
    exec(compile("made = Scenario().state('a', rule(reply='x', goto='b'))", "<shell>", "exec"), globals(), made)
    with pytest.raises(ScenarioError, match=r"<shell>:1:1-1:1 LP201 unknown state `b`"):
        made["made"].program()


# --- what is given


class Kind(str, Enum):  # noqa: UP042 - whose `str()` is not its value
    SHORT = "short"


def test_values_are_those_that_a_file_has() -> None:
    """Tuples are lists, mappings are tables, texts of other types are texts; what was not given is not there."""
    made = Scenario(name="n", final=("a",), vars={"k": Kind.SHORT}).state(
        "a", rule(json=None), rule(json={"a": (1, 2)})
    )
    document = made.document()
    assert isinstance(document, Document)
    expected = {
        "final": ["a"], "vars": {"k": "short"}, "states": {"a": [{"json": None}, {"json": {"a": [1, 2]}}]},
    }  # fmt: skip
    assert {**expected, "scenario": {"name": "n", "final": ["a"]}} == {**document.data, "final": ["a"]}


def test_what_no_file_can_hold_is_refused_at_once() -> None:
    """With where it stands."""
    with pytest.raises(TypeError, match=r"states\.a\[0\]\.json\.x is \{1\}, and a scenario holds"):
        Scenario().state("a", rule(json={"x": {1}}))  # type: ignore[dict-item]
    with pytest.raises(TypeError, match=r"vars has the key 1, and the keys of a scenario are texts"):
        Scenario(vars={1: 2})  # type: ignore[dict-item]
    with pytest.raises(TypeError, match="unexpected keyword argument 'replay'"):
        rule(replay="x")  # type: ignore[call-arg]


def test_a_scenario_built_is_served() -> None:
    """And its agents' conversations go as those of a file."""
    with Server(WEATHER) as server:
        weather(server.openai_url)
        server.assert_path(["ask", "lookup", "done"])
        server.verify()
    assert f"{HERE.name}:" in server.requests[0].place.rpartition("/")[2]
