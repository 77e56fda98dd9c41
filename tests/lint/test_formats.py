"""What each form says is read back by somebody else's reader, and is what was found: all of it, in order."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import jsonschema
import junitparser
import pytest
from sarif_pydantic import Sarif

from llmposter import lint
from llmposter.lint.formats import NAMES, Told, write
from llmposter_dsl import report
from llmposter_dsl.codes import CODES
from llmposter_dsl.diagnostic import Diagnostic, Edit, Fix, Related
from llmposter_dsl.place import At
from llmposter_dsl.source import Source, Span

FAULTY = Path(__file__).parents[1] / "dsl" / "err"
ODD = Source("parts/ä b%#.toml", 'a = "é"\n\t😀 = 1\n')
AWAY = Source("../elsewhere.toml", "x = 1\n")
FIXED = Diagnostic(
    "LP110",
    "100 % wrong: <a & b>, `\x01`",
    At(ODD, Span(4, 7)),
    "did you mean `c`?",
    (Related(At(AWAY, Span(0, 1)), "and here"),),
    (Fix("write `c`", (Edit(At(ODD, Span(9, 10)), "c"), Edit(At(AWAY, Span(0, 1)), "y")), safe=True),),
)
LATER = Diagnostic("LP504", "two\nlines", At(ODD, Span(4, 12)))


@pytest.fixture(scope="module")
def told() -> Told:
    """All that is found in the faulty scenarios, and what only was made up."""
    checked = lint.check([FAULTY])
    diagnostics = report.sort((*checked.diagnostics, FIXED, LATER))
    assert len(diagnostics) > 250
    return Told(diagnostics, (*checked.files, "clean.toml"), top=FAULTY)


def places(told: Told) -> list[tuple[str, int, int, int, int]]:
    found = [report.region(each.place) for each in told.diagnostics]
    return [(told.inside(each.pop("file")) or "", *each.values()) for each in found]


@pytest.mark.parametrize("form", NAMES)
def test_the_same_findings_give_the_same_text(told: Told, form: str) -> None:
    """Whole lines, with no escape sequence in them, twice alike."""
    text = write(form, told)
    assert text == write(form, told)
    assert text.endswith("\n")
    assert "\x1b" not in text


@pytest.mark.parametrize("form", NAMES)
def test_no_finding_is_told_in_each_form_too(form: str) -> None:
    """JSON and XML are whole; a form for lines has none."""
    text = write(form, Told((), ("clean.toml",)))
    match form:
        case "json" | "gitlab":
            assert [] == json.loads(text)
        case "sarif":
            assert [] == json.loads(text)["runs"][0]["results"]
        case "junit":
            assert 1 == junitparser.JUnitXml.fromstring(text.encode()).tests
        case _:
            assert "" == text


def test_short_and_text_begin_each_finding_alike(told: Told) -> None:
    """One line each; the long form has it first, and then more."""
    short = write("short", told)
    lines = [line for each in told.diagnostics for line in report.short(each).split("\n")]
    assert lines == short.splitlines()[: len(lines)]
    assert set(short.splitlines()) <= set(write("text", told).splitlines())


def test_json_and_json_lines_say_the_same(told: Told) -> None:
    """The records of the findings, fixes and related places with them."""
    records = [report.record(each) for each in told.diagnostics]
    assert records == json.loads(write("json", told))
    assert records == [json.loads(line) for line in write("jsonl", told).split("\n")[:-1]]
    fixed = next(each for each in records if each["message"] == FIXED.message)
    assert [("parts/ä b%#.toml", "c"), ("../elsewhere.toml", "y")] == [
        (edit["file"], edit["text"]) for edit in fixed["fixes"][0]["edits"]
    ]


# --- SARIF ------------------------------------------------------------------------------------------------------------


def test_sarif_is_what_was_found(told: Told) -> None:
    """Code, level, message and place of each result, as the models of sarif-pydantic read them."""
    run = Sarif.model_validate_json(write("sarif", told)).runs[0]
    level = {"error": "error", "warning": "warning", "info": "note"}
    assert [(each.code, level[each.severity]) for each in told.diagnostics] == [
        (result.rule_id, result.level.value) for result in run.results
    ]
    assert [each.code for each in told.diagnostics] == [
        run.tool.driver.rules[result.rule_index].id for result in run.results
    ]
    at = [result.locations[0].physical_location for result in run.results]
    regions = [each.region for each in at]
    assert places(told) == [
        (unquote(each.artifact_location.uri), r.start_line, r.start_column, r.end_line, r.end_column)
        for each, r in zip(at, regions, strict=True)
    ]


def test_sarif_has_every_code_with_its_documentation(told: Told) -> None:
    """Rules are the codes, each with what `llmposter rule` prints of it."""
    run = json.loads(write("sarif", told))["runs"][0]
    rules = run["tool"]["driver"]["rules"]
    assert list(CODES) == [rule["id"] for rule in rules]
    assert all("## Instead" in rule["help"]["markdown"] and "](" not in rule["help"]["markdown"] for rule in rules)
    prints = [result["partialFingerprints"]["llmposter/v1"] for result in run["results"]]
    assert len(prints) == len(set(prints))


def test_sarif_carries_fixes_and_files_outside(told: Told) -> None:
    """A fix has its edits by file; what lies above the folder is named by its whole address."""
    run = Sarif.model_validate_json(write("sarif", told)).runs[0]
    result = next(each for each in run.results if each.message.text.startswith("100 % wrong"))
    away = (FAULTY.parent / "elsewhere.toml").as_uri()
    changes = result.fixes[0].artifact_changes
    assert [("parts/%C3%A4%20b%25%23.toml", "c"), (away, "y")] == [
        (each.artifact_location.uri, each.replacements[0].inserted_content.text) for each in changes
    ]
    assert (2, 2, 2, 3) == tuple(
        getattr(changes[0].replacements[0].deleted_region, name)
        for name in ("start_line", "start_column", "end_line", "end_column")
    )
    related = result.related_locations[0]
    assert (away, "and here") == (related.physical_location.artifact_location.uri, related.message.text)
    top = json.loads(write("sarif", told))["runs"][0]["originalUriBaseIds"]["%SRCROOT%"]["uri"]
    assert f"{FAULTY}/" == unquote(urlsplit(top).path)


# --- what pipelines read ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("strict", [False, True])
def test_junit_has_a_suite_for_each_file_and_fails_for_what_fails(told: Told, strict: bool) -> None:
    """As junitparser reads it; what does not fail `lint` passes, and says what it has to say."""
    told = Told(told.diagnostics, told.files, strict, top=told.top)
    root = junitparser.JUnitXml.fromstring(write("junit", told).encode())
    assert {*told.files, *(each.place.source.name for each in told.diagnostics)} == {suite.name for suite in root}
    cases = [case for suite in root for case in suite if case.name != "lint"]
    assert len(told.diagnostics) == len(cases)
    failed = [case for case in cases if case.result]
    assert sum(map(told.fails, told.diagnostics)) == len(failed) == root.failures
    assert root.tests == len(cases) + sum(case.name == "lint" for suite in root for case in suite)
    assert all(case.result[0].text for case in failed)
    assert all(case.system_out for case in cases if not case.result)
    assert "100 % wrong: <a & b>, `\N{REPLACEMENT CHARACTER}`" in {case.result[0].message for case in failed}


def test_gitlab_reads_its_report(told: Told) -> None:
    """By the schema of its documentation; every fingerprint is its own, and stays when lines move."""
    report_ = json.loads(write("gitlab", told))
    jsonschema.validate(report_, json.loads(Path(__file__).with_name("gitlab.schema.json").read_text("utf-8")))
    assert len(report_) == len({each["fingerprint"] for each in report_})
    moved = Diagnostic(FIXED.code, FIXED.message, At(Source(ODD.name, f"\n\n{ODD.text}"), Span(6, 9)))
    alone, again = (json.loads(write("gitlab", Told((each,), (), top=FAULTY)))[0] for each in (FIXED, moved))
    assert alone["fingerprint"] == again["fingerprint"]
    assert alone["location"] != again["location"]


COMMAND = re.compile(r"::(error|warning|notice) ([^:]*)::(.*)")


def test_github_reads_its_commands(told: Told) -> None:
    """Unescaped as the runner does it, they name file, lines, code and message."""
    commands = [COMMAND.fullmatch(line) for line in write("github", told).splitlines()]
    assert all(commands)
    for found, command, place in zip(told.diagnostics, commands, places(told), strict=True):
        properties = dict(each.split("=", 1) for each in command[2].split(","))
        assert place[0] in (unescaped(properties["file"]), "")
        assert (str(place[1]), str(place[3]), found.code) == tuple(properties[k] for k in ("line", "endLine", "title"))
        assert ("col" in properties) == (place[1] == place[3])
        assert unescaped(command[3]).startswith(found.message)


def unescaped(text: str) -> str:
    for code, character in (("%2C", ","), ("%3A", ":"), ("%0A", "\n"), ("%0D", "\r"), ("%25", "%")):
        text = text.replace(code, character)
    return text
