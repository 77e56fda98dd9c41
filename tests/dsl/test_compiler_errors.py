"""Faulty scenarios, each with all that is said of it: `err/NAME.toml` or `.yaml`, and `err/NAME.out`.

`LLMPOSTER_GOLDEN=write` writes the answers, to be read: the carets stand below what is meant.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from llmposter_dsl import compiler, report

HERE = Path(__file__).parent / "err"
FAULTY = sorted(path for path in HERE.iterdir() if path.suffix in (".toml", ".yaml"))
LINE = re.compile(r"(?P<file>[^:\n]+):(?P<start>\d+:\d+)-(?P<end>\d+:\d+) (?P<code>LP\d{3}) (?P<message>.+)")


@pytest.fixture
def here(monkeypatch):
    monkeypatch.chdir(HERE)


@pytest.mark.parametrize("path", FAULTY, ids=lambda path: path.name)
def test_every_finding_of_a_faulty_scenario_is_told_with_its_exact_place(path, here):
    """A faulty scenario gets these findings and no others, word for word, from first to last character."""
    told = "".join(f"{report.text(each)}\n" for each in compiler.compile_path(path.name).diagnostics)
    answer = path.with_suffix(".out")
    if os.environ.get("LLMPOSTER_GOLDEN") == "write":
        answer.write_text(told, "utf-8")
    assert answer.read_text("utf-8") == told


@pytest.mark.parametrize("path", FAULTY, ids=lambda path: path.name)
def test_the_json_form_says_the_same_as_the_text_form(path, here):
    """Code, file, line, column and end of the JSON records are those of the text lines."""
    expected = [
        match.groupdict()
        for match in map(LINE.fullmatch, path.with_suffix(".out").read_text("utf-8").splitlines())
        if match
    ]
    records = [report.record(each) for each in compiler.compile_path(path.name).diagnostics]
    assert expected == [
        {
            "file": each["file"],
            "start": f"{each['line']}:{each['column']}",
            "end": f"{each['end_line']}:{each['end_column']}",
            "code": each["code"],
            "message": each["message"],
        }
        for each in records
    ]
    assert expected


@pytest.mark.parametrize("path", FAULTY, ids=lambda path: path.name)
def test_there_is_no_program_exactly_if_there_is_an_error(path, here):
    """A scenario with warnings only still gives a Program."""
    compiled = compiler.compile_path(path.name)
    assert (compiled.program is None) == any(each.severity == "error" for each in compiled.diagnostics)


def test_the_table_is_as_large_as_it_was_promised():
    """At least 200 faulty scenarios in both formats, each with its answer, and no answer without its scenario."""
    assert len(FAULTY) >= 200
    assert {path.stem for path in FAULTY} == {path.stem for path in HERE.glob("*.out")}
    assert min(sum(path.suffix == suffix for path in FAULTY) for suffix in (".toml", ".yaml")) >= 80


def test_every_code_of_the_compiler_is_in_the_table():
    """Each code that the compiler can report of a file of ordinary size has a scenario that gets it."""
    from llmposter_dsl.codes import CODES

    seen = {
        match["code"]
        for path in HERE.glob("*.out")
        for match in map(LINE.fullmatch, path.read_text("utf-8").splitlines())
        if match
    }
    played = {"LP307", "LP310", "LP401", "LP506"}  # told by those who play a Program
    weighed = {f"LP3{number}" for number in (11, 12, 13, 14, 15, 16, 17, 18)}  # likewise: tests/lint has them
    elsewhere = {"LP101", "LP106", *played, *weighed}
    of_fixtures = {code for code in CODES if code.startswith("LP6")}  # tests/fixtures/err has them
    assert set(CODES) - elsewhere - of_fixtures <= seen
