"""The small forms of delivery, the tables of keys, includes, folders and suppressions."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from telling import without_lines

from llmposter_dsl import compiler, keys
from llmposter_dsl.delivery_forms import chunk, duration, jitter, latency, pace
from llmposter_dsl.program import Chunk, Duration, Latency, Pace


@pytest.mark.parametrize(
    "text, seconds",
    [
        ("250ms", 0.25),
        ("20ms", 0.02),
        ("2s", 2.0),
        ("1.5m", 90.0),
        ("1h", 3600.0),
        ("2d", 172800.0),
        ("0s", 0.0),
        (" 1s ", 1.0),
        ("", None),
        ("5", None),
        ("s", None),
        ("-1s", None),
        ("1 s", None),
        ("1e3s", None),
        ("٣s", None),
        ("999999d", None),
        ("9" * 400 + "s", None),
    ],
)
def test_a_duration_is_a_number_and_a_unit(text, seconds):
    """Durations are read as seconds; anything else, and what is longer than a year, is none."""
    assert (None if seconds is None else Duration(seconds)) == duration(text)


@pytest.mark.parametrize(
    "text, expected",
    [
        ("800ms", Latency("fixed", 0.8)),
        ("0s", Latency("fixed", 0.0)),
        ("800ms ±20%", Latency("uniform", 0.64, 0.96)),
        ("800ms+-50%", Latency("uniform", 0.4, 1.2)),
        ("1s ± 100 %", Latency("uniform", 0.0, 2.0)),
        ("uniform(200ms, 2s)", Latency("uniform", 0.2, 2.0)),
        ("uniform( 1s ,1s )", Latency("uniform", 1.0, 1.0)),
        ("normal(800ms, 100ms)", Latency("normal", 0.8, 0.1)),
        ("normal(800ms, 100ms, max 1s)", Latency("normal", 0.8, 0.1, 1.0)),
        ("lognormal(800ms, 0.4, max 5s)", Latency("lognormal", 0.8, 0.4, 5.0)),
        ("lognormal(800ms, 0.4)", Latency("lognormal", 0.8, 0.4)),
        ("800", "is no delay"),
        ("", "is no delay"),
        ("uniform(1s)", "is no delay"),
        ("gauss(1s, 2s)", "is no delay"),
        ("1s ±200%", "varies by more than 100%"),
        ("uniform(2s, 1s)", "ends before it begins"),
        ("normal(1s, 2)", "takes two durations"),
        ("lognormal(1s, 2s)", "takes a spread between 0 and 10, without a unit"),
        ("lognormal(1s, 400)", "takes a spread between 0 and 10, without a unit"),
        ("900d", "is longer than a year"),
        ("normal(1s, 1s, max 900d)", "is longer than a year"),
    ],
)
def test_a_delay_has_one_of_five_forms(text, expected):
    """Each form of `latency` is read; what is none is told why."""
    assert expected == latency(text)


@pytest.mark.parametrize(
    "text, expected",
    [
        ("20 characters", Chunk(20, "characters")),
        ("1 character", Chunk(1, "characters")),
        ("4 tokens", Chunk(4, "tokens")),
        ("1 word", Chunk(1, "words")),
        (" 2  words ", Chunk(2, "words")),
        ("whole", Chunk(1, "whole")),
        ("0 words", None),
        ("words", None),
        ("20", None),
        ("20chars", None),
        ("-1 words", None),
    ],
)
def test_a_chunk_is_a_number_and_a_unit(text, expected):
    """The forms of `stream.chunk`."""
    assert expected == chunk(text)


@pytest.mark.parametrize(
    "text, expected",
    [
        ("40ms", Pace(0.04, "chunk")),
        ("0s", Pace(0.0, "chunk")),
        ("50 tokens/s", Pace(0.02, "token")),
        ("1 token/s", Pace(1.0, "token")),
        ("0.5words / s", Pace(2.0, "word")),
        (" 200 characters/s ", Pace(0.005, "character")),
        ("50", "is no pace"),
        ("", "is no pace"),
        ("50 tokens", "is no pace"),
        ("50 tokens/m", "is no pace"),
        ("-1 tokens/s", "is no pace"),
        ("50 chunks/s", "is no pace"),
        ("0 tokens/s", "stands still"),
        ("0.00000001 tokens/s", "says nothing within a year"),
        ("900d", "is longer than a year"),
    ],
)
def test_a_pace_is_a_rate_or_a_gap(text, expected):
    """The forms of `stream.pace`; what is none is told why."""
    assert expected == pace(text)


@pytest.mark.parametrize(
    "text, expected",
    [
        ("±20%", 0.2),
        ("+-20%", 0.2),
        (" +/- 12.5 % ", 0.125),
        ("±100%", 1.0),
        ("±0%", 0.0),
        ("±101%", "varies by more than 100%"),
        ("20%", "is no jitter"),
        ("20", "is no jitter"),
        ("±20ms", "is no jitter"),
    ],
)
def test_a_jitter_is_a_share_to_both_sides(text, expected):
    """The form of `stream.jitter`; what is none is told why."""
    assert expected == jitter(text)


def test_every_key_stands_in_the_reference():
    """The tables of keys name every key once, in its order."""
    text = keys.reference_keys()
    for _, heading, table in keys.TABLES_IN_ORDER:
        section = text.split(f"## {heading}\n")[1].split("\n## ")[0]
        assert list(table) == [line.split("`")[1] for line in section.splitlines() if line.startswith("| `")]


TYPES = {str: '"x"', int: "3", float: "1.5", bool: "true", list: "[]", dict: "{}", type(None): "null"}
RULE_KEYS = list(keys.RULE.values())


@pytest.mark.parametrize("key", RULE_KEYS, ids=lambda key: key.name)
@pytest.mark.parametrize("of", TYPES, ids=lambda of: of.__name__)
def test_each_key_of_a_rule_takes_its_types_only(key, of):
    """A value of a type that a key does not take is reported at the value, as what it is and what it should be."""
    text = f"states: {{s: [{{{key.name}: {TYPES[of]}}}]}}"
    wrong = [each for each in compiler.compile_text(text, "a.yaml", "yaml").diagnostics if each.code == "LP111"]
    if of in key.form.types:
        assert [] == wrong
    else:
        assert [f"expected {key.form.words}"] == [each.message.partition(", ")[2] for each in wrong]
        assert {TYPES[of]} == {text[each.place.span.start : each.place.span.end] for each in wrong}


# --- includes and folders -------------------------------------------------------------------------------------------


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


def said(folder: Path, name: str) -> list[str]:
    return [without_lines(each) for each in compiler.compile_path(folder / name, name).diagnostics]


def test_a_circle_of_includes_is_found(tmp_path):
    """Files that include each other are told where the circle closes."""
    write(
        tmp_path,
        {
            "a.toml": 'include = ["b.toml"]\n[[states.s]]\nreply = "x"\n',
            "b.toml": 'include = ["c.yaml"]\n',
            "c.yaml": "include: [a.toml]\n",
        },
    )
    assert ["c.yaml:1:11-1:17 LP116 `a.toml` includes this file again"] == said(tmp_path, "a.toml")


def test_a_mistake_in_an_included_file_names_that_file(tmp_path):
    """A finding stands where its author can mend it."""
    write(
        tmp_path,
        {
            "a.toml": 'include = ["parts/b.toml"]\n[[states.s]]\nreply = "x"\n',
            "parts/b.toml": '[[states.t]]\nrepyl = "x"\n',
        },
    )
    assert "parts/b.toml:2:1-2:6 LP110 unknown key `repyl`\n    help: did you mean `reply`?" in said(tmp_path, "a.toml")


def test_a_broken_included_file_is_told_and_the_rest_is_checked(tmp_path):
    """What cannot be read does not hide what is wrong elsewhere."""
    write(tmp_path, {"a.toml": 'include = ["b.toml"]\n[[states.s]]\nreplay = "x"\n', "b.toml": "states = \n"})
    assert ["LP110", "LP103"] == [each.code for each in compiler.compile_path(tmp_path / "a.toml").diagnostics]


@pytest.mark.parametrize(
    "section, first, second",
    [("vars", "x = 1", "x = 2"), ("tools", "x = {}", "x = {}"), ("defaults", 'latency = "1s"', 'latency = "1s"')],
)
def test_a_name_in_two_files_is_a_clash(tmp_path, section, first, second):
    """States, variables, tools and defaults of one name in two files are refused, and the first is shown."""
    write(
        tmp_path,
        {
            "a.toml": f'include = ["b.toml"]\n[[states.s]]\nreply = "x"\n[{section}]\n{first}\n',
            "b.toml": f"[{section}]\n{second}\n",
        },
    )
    clash = [line for line in said(tmp_path, "a.toml") if "LP116" in line]
    assert len(clash) == 1
    assert clash[0].startswith("b.toml:2:1-")
    assert clash[0].endswith("    a.toml:5:1 it is given here first")


def test_a_text_without_a_file_includes_nothing():
    """A path in a text that is no file starts nowhere."""
    found = compiler.compile_text('include = ["b.toml"]\n[[states.s]]\nreply = "x"\n').diagnostics
    assert ["LP116"] == [each.code for each in found]


def test_a_missing_file_and_an_empty_folder_are_findings(tmp_path):
    """What cannot be read is reported as LP101."""
    assert ["LP101"] == [each.code for each in compiler.compile_path(tmp_path / "none.toml").diagnostics]
    assert [str(tmp_path)] == compiler.scenario_files([tmp_path])
    assert ["LP101"] == [each.code for each in compiler.compile_path(tmp_path).diagnostics]


def test_the_scenarios_of_a_folder(tmp_path):
    """Folders are searched to the bottom; hidden files, fragments and included files are no scenarios of their own."""
    rule = '[[states.s]]\nreply = "x"\n'
    write(
        tmp_path,
        {
            "b.toml": rule,
            "a/deep/c.yml": "states: {s: [{reply: x}]}",
            "a/main.yaml": "include: [shared.toml]\nscenario: {start: s}\n",
            "a/shared.toml": rule,
            "a/tools.toml": "[tools.search]\n",
            "a/broken.toml": "[[states.s]\n",
            ".hidden.toml": rule,
            ".git/x.toml": rule,
            "notes.txt": rule,
            "with_bom.toml": f"\ufeff{rule}",
        },
    )
    found = [os.path.relpath(path, tmp_path).replace(os.sep, "/") for path in compiler.scenario_files([tmp_path])]
    assert ["a/broken.toml", "a/deep/c.yml", "a/main.yaml", "b.toml", "with_bom.toml"] == found


def test_files_are_taken_as_they_are_given(tmp_path):
    """A file that is named is a scenario, whatever is in it, and is taken once."""
    assert ["x.toml", "y.yaml"] == compiler.scenario_files(["x.toml", "y.yaml", "x.toml"])


# --- suppressions ---------------------------------------------------------------------------------------------------


def test_an_error_that_leaves_no_program_cannot_be_suppressed():
    """A comment silences an unreachable state, and not an unknown one, where it is itself unused."""
    text = '[[states.s]]\nreply = "x"\ngoto = "t" # llmposter: ignore[LP201] it will be there one day\n'
    compiled = compiler.compile_text(text)
    assert compiled.program is None
    assert ["LP201", "LP901"] == [each.code for each in compiled.diagnostics]


def test_a_suppressed_error_that_harms_nothing_gives_a_program():
    """A dead end that is meant to be one does not keep the scenario from being served."""
    text = 'states.t = [] # llmposter: ignore[LP303] clients stop here\n[[states.s]]\nreply = "x"\ngoto = "t"\n'
    text += '[scenario]\nstart = "s"\n'
    compiled = compiler.compile_text(text)
    assert compiled.program is not None
    assert ((), ("LP303",)) == (compiled.diagnostics, tuple(each.code for each in compiled.raw))


# --- what is loaded -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["weather.toml", "weather.yaml", "every_key.toml"])
def test_a_clean_file_loads_nothing_that_only_findings_need(name):
    """jsonschema, difflib and the grammar of places cost a start nothing; nor does the other format's reader."""
    path = Path(__file__).parent / "twins" / name
    other = "yaml" if path.suffix == ".toml" else "tomli"
    late = ["jsonschema", "difflib", "llmposter_dsl.report", other]
    program = f"import sys, llmposter_dsl as d; assert d.compile_path({str(path)!r}).program; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not set(late) & set(done.stdout.split())
