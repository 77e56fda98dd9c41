"""`llmposter test` as a user has it: what is chosen, what it writes, and its exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from junitparser import Failure, JUnitXml
from processes import call

SCENARIO = """[scenario]
name = "doors"

[[states.hall]]
when = 'user mentions "left" or user mentions "west"'
reply = "a garden"

[[states.hall]]
reply = "a wall"

[[examples]]
name = "Left"
turns = [{ user = "left", expect = 'reply == "a garden"' }]

[[examples]]
name = "elsewhere <\\u0001&>"
turns = [{ user = "up", expect = 'reply == "a wall"' }]
"""
FAILING = SCENARIO.replace('name = "doors"', 'name = "bad"').replace('reply == "a wall"', 'reply == "a \\"door\\""')


@pytest.fixture
def here(tmp_path: Path) -> Path:
    (tmp_path / "doors.toml").write_text(SCENARIO, encoding="utf-8")
    (tmp_path / "bad.toml").write_text(FAILING, encoding="utf-8")
    (tmp_path / "broken.toml").write_text("[[states.a]]\nrepyl = ''\n", encoding="utf-8")
    return tmp_path


def test_coverage_of_branches_is_told_where_it_is_asked_for(here: Path) -> None:
    """With `--coverage`; the exit code stays 0."""
    ran = call("test", "doors.toml", "--coverage", cwd=here)
    assert (0, "2 of 2 examples passed\n") == (ran.returncode, ran.stderr)
    assert ran.stdout.splitlines()[-2:] == [
        "  states 1/1, rules 2/2, branches 3/4",
        '      user mentions "west" was never true (doors.toml:5:33)',
    ]
    assert "branches" not in call("test", "doors.toml", cwd=here).stdout


@pytest.mark.parametrize(
    "options, code, said",
    [
        (("--fail-under", "100"), 0, ""),
        (("--coverage", "--fail-under", "85.7"), 0, ""),
        (("--coverage", "--fail-under", "90"), 1, "covered are 6/7 (85.7 %), at least 90 % is asked for\n"),
        (("-k", "LEFT", "--fail-under", "67"), 1, "covered are 2/3 (66.6 %), at least 67 % is asked for\n"),
    ],
)
def test_too_little_coverage_fails(here: Path, options: tuple[str, ...], code: int, said: str) -> None:
    """States and rules together, and branches where they are asked for, of all examples that were played."""
    ran = call("test", "doors.toml", *options, cwd=here)
    assert (code, said) == (ran.returncode, ran.stderr.partition("passed\n")[2])


def test_examples_are_chosen_by_name_and_format(here: Path) -> None:
    """A part of the name in any case, several of them; one that fails elsewhere is not played."""
    ran = call("test", "bad.toml", "-k", "left", "--provider", "gemini", "--format", "json", cwd=here)
    assert (0, "1 of 1 example passed\n") == (ran.returncode, ran.stderr)
    (scenario,) = json.loads(ran.stdout)["scenarios"]
    assert [("Left", ["gemini"])] == [(each["name"], each["providers"]) for each in scenario["examples"]]
    assert 1 == call("test", "bad.toml", "-k", "left", "-k", "else", cwd=here).returncode


def test_what_cannot_be_chosen_is_told(here: Path) -> None:
    """A name that no example has, a format that there is not, and a file that cannot be written."""
    said = {
        ("-k", "nowhere", "-k", 'a"b'): 'no example has "nowhere" or "a\\"b" in its name',
        ("--provider", "none"): 'there is no provider "none": it is one of anthropic, gemini, openai, responses',
        ("--coverage-file", "no/where.json"): 'cannot write "no/where.json": no such file or directory',
    }
    for options, message in said.items():
        ran = call("test", "doors.toml", *options, cwd=here)
        assert (2, f"llmposter: {message}") == (ran.returncode, ran.stderr.splitlines()[-1])


def test_a_coverage_file_has_what_was_covered(here: Path) -> None:
    """Of all scenarios, branches too."""
    ran = call("test", "doors.toml", "bad.toml", "--coverage-file", "out.json", cwd=here)
    assert 1 == ran.returncode
    found = json.loads((here / "out.json").read_text(encoding="utf-8"))
    assert 1 == found["version"]
    assert ["doors", "bad"] == [each["scenario"] for each in found["scenarios"]]
    assert {"covered": 3, "total": 4} == found["scenarios"][0]["totals"]["branches"]


def test_what_several_runs_covered_is_added_up(here: Path) -> None:
    """Example by example it comes to what all of them cover at once; what was covered of others stays."""
    whole = covered(here, "whole.json", "doors.toml", "bad.toml")
    covered(here, "parts.json", "bad.toml", "--append")
    for name in ("left", "elsewhere"):
        parts = covered(here, "parts.json", "doors.toml", "-k", name, "--append")
    assert sorted(whole, key=str) == sorted(parts, key=str)
    (again,) = (each for each in covered(here, "parts.json", "doors.toml", "--append") if each["scenario"] == "doors")
    (once,) = (each for each in whole if each["scenario"] == "doors")
    assert [2 * each["requests"] for each in once["states"]] == [each["requests"] for each in again["states"]]
    assert once["totals"] == again["totals"]


def test_what_a_changed_scenario_had_covered_does_not_count(here: Path) -> None:
    """It is another scenario; and what is no such file is left as it is."""
    covered(here, "out.json", "doors.toml")
    text = (here / "doors.toml").read_text("utf-8")
    (here / "doors.toml").write_text(f'{text}\n[[states.attic]]\nreply = "dust"\n', "utf-8")
    assert covered(here, "new.json", "doors.toml") == covered(here, "out.json", "doors.toml", "--append")
    (here / "out.json").write_text("[]", "utf-8")
    ran = call("test", "doors.toml", "--coverage-file", "out.json", "--append", cwd=here)
    assert (2, "[]") == (ran.returncode, (here / "out.json").read_text("utf-8"))
    assert '"out.json" is not what `llmposter test --coverage-file` writes' in ran.stderr
    ran = call("test", "doors.toml", "--append", cwd=here)
    assert 2 == ran.returncode
    assert "--append goes with --coverage-file" in ran.stderr


def covered(here: Path, name: str, *arguments: str) -> list[Any]:
    call("test", *arguments, "--coverage-file", name, cwd=here)
    found: list[Any] = json.loads((here / name).read_text("utf-8"))["scenarios"]
    return found


def test_json_tells_it_all(here: Path) -> None:
    """Each example with its failures and their places, and the findings on files that cannot be played."""
    ran = call("test", ".", "--format", "json", cwd=here)
    told = json.loads(ran.stdout)
    assert (1, "3 of 4 examples passed\n") == (ran.returncode, ran.stderr)
    assert ["LP110"] == [each["code"] for each in told["findings"] if each["file"] == "broken.toml"][:1]
    bad = next(each for each in told["scenarios"] if each["name"] == "bad")
    message = 'expected reply == "a \\"door\\"": reply is "a wall"'
    failure = {"file": "bad.toml", "line": 17, "column": 34, "message": message}
    assert [[], [failure]] == [each["failures"] for each in bad["examples"]]
    assert [True, False] == [each["passed"] for each in bad["examples"]]
    assert {"states", "rules"} == set(bad["coverage"]["totals"])


def test_junit_is_read_by_another_reader(here: Path) -> None:
    """A suite for each scenario with a case for each example; a broken file is an error; no character breaks it."""
    ran = call("test", ".", "--format", "junit", "--coverage", cwd=here)
    read = JUnitXml.fromstring(ran.stdout.encode())
    suites = {suite.name: suite for suite in read}
    assert {"doors", "bad", "broken.toml"} == set(suites)
    assert (5, 1, 1) == (read.tests, read.failures, read.errors)
    cases = list(suites["bad"])
    assert ["Left", "elsewhere <\N{REPLACEMENT CHARACTER}&>"] == [case.name for case in cases]
    (failure,) = cases[1].result
    assert isinstance(failure, Failure)
    assert failure.message == 'expected reply == "a \\"door\\"": reply is "a wall"'
    assert failure.text is not None
    assert failure.text.startswith("bad.toml:17:")
    assert {"coverage.states": "1/1", "coverage.rules": "2/2", "coverage.branches": "3/4"} == {
        each.name: each.value for each in suites["doors"].properties()
    }
