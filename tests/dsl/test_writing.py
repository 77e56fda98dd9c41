"""The writer of scenario files: what it writes reads back, means the same, and looks as a person would write it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from program_shape import shape
from random_scenarios import SCENARIOS, written

from llmposter.fixtures import is_fixture_file
from llmposter_dsl import compile_path, compile_text, keys, reading, scenario_files
from llmposter_dsl.writing import Unwritable, write
from llmposter_dsl.writing.order import DOCUMENT, in_order

ROOT = Path(__file__).parents[2]
FILES = [
    *(Path(path) for path in scenario_files([ROOT / "scenarios"]) if not is_fixture_file(path)),
    *sorted(path for folder in ("ok", "twins") for path in (ROOT / "tests/dsl" / folder).iterdir() if path.is_file()),
]
KINDS = ("toml", "yaml")


def data_of(text: str, kind: Any) -> Any:
    document = reading.read_text(text, f"written.{kind}", kind)
    assert not isinstance(document, tuple), (document, text)
    assert () == document.findings
    return document.data


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_scenario_that_is_written_again_gives_the_same_program(path: Path, kind: Any, tmp_path: Path) -> None:
    """Over the gallery and all right scenarios, whatever format they came in."""
    before = compile_path(path)
    data = before.documents[0].data
    text = write(data, kind)
    assert data == data_of(text, kind)
    folder = shutil.copytree(path.parent, tmp_path / "beside what it includes")
    (target := folder / f"{path.stem}.{kind}").write_text(text, encoding="utf-8")
    after = compile_path(target)
    assert shape(before.program) == shape(after.program)
    assert text == write(after.documents[0].data, kind)


@settings(deadline=None, max_examples=40)
@given(turns=SCENARIOS)
def test_a_random_scenario_that_is_written_again_gives_the_same_program(turns: Any, tmp_path_factory: Any) -> None:
    """Whatever the replies, the arguments and the tools' results are."""
    path = written(turns, tmp_path_factory.mktemp("random") / "random.yaml")
    data = compile_path(path).documents[0].data
    for kind, same in (("yaml", data), ("toml", _said(data))):
        before = compile_text(write(same, "yaml"), "random.yaml", "yaml")
        after = compile_text(write(data, kind), f"random.{kind}", kind)
        assert before.program is not None
        assert shape(before.program) == shape(after.program)


def _said(value: Any) -> Any:
    """What no TOML can hold, as a template says it."""
    match value:
        case None:
            return "${null}"
        case dict():
            return {name: _said(each) for name, each in value.items()}
        case list():
            return [_said(each) for each in value]
        case _:
            return value


TEXTS = st.text(max_size=12) | st.text(
    st.sampled_from("ab \"'\\#:-,[]{}|>%@`!&*?=~${}\n\r\té0😀\u2028\u0085"), max_size=12
)
SCALARS = (
    TEXTS
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["yes", "null", "1", "0x1f", "1e3", "=", "~", "<<", "2026-01-01", "a" * 120, "no", ".5", "12:30"])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS | st.just("k" * 1100), inner, max_size=4),
    max_leaves=12,
)
NAMES = st.sampled_from(["states", "vars", "tools", "scenario", "examples", "always", "limits", "json", "reply", "set"])


@settings(deadline=None, max_examples=400)
@given(data=st.dictionaries(NAMES | TEXTS, VALUES, min_size=1, max_size=4), noted=st.booleans())
@example(data={"states": {"a": [{"json": {"x": "l1\nl2 \n"}}], "b": [], "c": [{"reply": " a\nb"}]}}, noted=True)
@example(data={"x": {"": [["a", ["b\nc"]], []]}}, noted=False)
@example(data={"a": {"b": ["\n\nx\ny", "x\ny\n\n"]}}, noted=False)
@example(data={"states": [{"a": 1}, 2]}, noted=True)
def test_any_data_that_is_written_reads_back_as_the_same(data: Any, noted: bool) -> None:
    """In both formats, of any shape, with comments above anything."""
    comments = dict.fromkeys(_paths(data), "said here\n\nand there") if noted else {}
    for kind in KINDS:
        text = write(data, kind, comments)
        assert data == data_of(text, kind), text


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    match value:
        case dict():
            inner = value.items()
        case list():
            inner = enumerate(value)
        case _:
            inner = ()
    return [path, *(found for name, each in inner for found in _paths(each, (*path, name)))]


def test_every_comment_is_written_and_stands_above_what_it_is_for() -> None:
    """Those of a value inside of a line stand above the line."""
    data = {
        "scenario": {"name": "a"},
        "states": {"ask": [{"when": "turn == 1", "set": {"x": "1"}, "reply": "Hi."}, {"reply": "Bye."}]},
        "vars": {"x": 0},
    }
    comments = {
        (): "The head.",
        ("scenario",): "Of the scenario.",
        ("states",): "Of all states.",
        ("states", "ask"): "Of one state.",
        ("states", "ask", 0): "Of a rule.",
        ("states", "ask", 0, "set", "x"): "Of a variable\nin two lines.",
        ("states", "ask", 1, "reply"): "Of a text.",
    }
    assert TOML == write(data, "toml", comments)
    assert YAML == write(data, "yaml", comments)


TOML = """\
# The head.

# Of the scenario.
[scenario]
name = "a"

[vars]
x = 0

# Of all states.

# Of one state.

# Of a rule.
[[states.ask]]
when  = "turn == 1"
# Of a variable
# in two lines.
set   = { x = "1" }
reply = "Hi."

[[states.ask]]
# Of a text.
reply = "Bye."
"""
YAML = """\
# The head.

# Of the scenario.
scenario:
  name: a

vars:
  x: 0

# Of all states.
states:
  # Of one state.
  ask:
    # Of a rule.
    - when: 'turn == 1'
      # Of a variable
      # in two lines.
      set: {x: '1'}
      reply: Hi.
    # Of a text.
    - reply: Bye.
"""

LOOKS = {
    "plain": ("Hello.", '"Hello."', "Hello."),
    "quotes inside": ('say "a"', "'say \"a\"'", 'say "a"'),
    "a pattern": (r"user matches /\d/", r"'user matches /\d/'", r"user matches /\d/"),
    "both quotes": ('it\'s "a"', '"it\'s \\"a\\""', 'it\'s "a"'),
    "lines": ("one\ntwo", '"""\none\ntwo"""', "|-\n  one\n  two"),
    "lines that end": ("one\ntwo\n", '"""\none\ntwo\n"""', "|\n  one\n  two"),
    "lines with a backslash": ("a\\b\nc", "'''\na\\b\nc'''", "|-\n  a\\b\n  c"),
    "one line that ends": ("one\n", '"one\\n"', '"one\\n"'),
    "what nobody sees": ("a\u00a0b", '"a\\u00a0b"', '"a\\u00a0b"'),
    "a word of YAML": ("yes", '"yes"', "'yes'"),
    "what YAML would cut": ("a #b", '"a #b"', "'a #b'"),
    "what YAML would take for a key": ("a: b", '"a: b"', "'a: b'"),
    "no letter": ("1", '"1"', "'1'"),
    "nothing": ("", '""', "''"),
}


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
def test_a_text_is_written_as_a_person_would(look: tuple[str, str, str]) -> None:
    """Without escapes where it can be, on lines of its own where it has some, and in quotes where it needs them."""
    value, toml, yaml = look
    assert f"text = {toml}\n" == write({"text": value}, "toml")
    assert f"text: {yaml}\n" == write({"text": value}, "yaml")


def test_keys_stand_in_the_order_of_the_reference() -> None:
    """Every key of the document has its place, and those of a rule stand as the reference has them."""
    assert set(DOCUMENT) == set(keys.DOCUMENT)
    names = [name for name in keys.RULE if name not in ("error", "refuse", "json")]
    rule = dict.fromkeys(reversed(names), "x")
    ordered = in_order({"mine": 1, "states": {"b": [rule], "a": []}, "scenario": {"odd": 1, "name": "x"}})
    assert ["scenario", "states", "mine"] == list(ordered)
    assert names == list(ordered["states"]["b"][0])
    assert ["b", "a"] == list(ordered["states"])
    assert ["name", "odd"] == list(ordered["scenario"])


def test_a_state_without_rules_does_not_become_the_first() -> None:
    """Where a conversation starts does not depend on how TOML has to be written."""
    data = {"scenario": {"final": ["end"]}, "states": {"ask": [{"reply": "x", "goto": "end"}], "end": []}}
    after = compile_text(write(data))
    assert after.program is not None
    assert "ask" == after.program.start


def test_a_null_is_written_where_toml_can_say_it() -> None:
    """In `json` and `arguments` of a rule a template says it; elsewhere TOML has no word for it, and YAML has."""
    said = {"states": {"ask": [{"json": {"a": None}}, {"call": {"tool": "t", "arguments": {"b": [None]}}}]}}
    assert 2 == write(said).count('"${null}"')
    unsayable = {**said, "examples": [{"turns": [{"tool": "t", "result": {"c": None}}]}]}
    with pytest.raises(Unwritable) as caught:
        write(unsayable)
    assert ("examples", 0, "turns", 0, "result", "c") == caught.value.path
    assert unsayable == data_of(write(unsayable, "yaml"), "yaml")


def test_what_no_scenario_holds_is_refused() -> None:
    """A set is no value of either format."""
    for kind in KINDS:
        with pytest.raises(Unwritable, match="set is nothing"):
            write({"vars": {"x": {1}}}, kind)  # type: ignore[arg-type]
