"""What is told of a code is true: its example has the marked findings and no others, and what to write instead none."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmposter.lint import pages
from llmposter_dsl import codes, documentation
from llmposter_dsl.codes import CODES
from llmposter_dsl.documentation import File

CHECKS = Path(__file__).parents[2] / "docs" / "checks"


def found(folder: Path, files: tuple[File, ...], code: str) -> list[tuple[str, int, str]]:
    """The findings on some files that are given together: file, line and code."""
    told = pages.findings(folder, files, [code] if CODES[code].asked else ())
    at = [(each.place.source, each.place.span.start, each.code) for each in told]
    return [(source.name, source.position(start)[0], each) for source, start, each in at]


@pytest.mark.parametrize("code", CODES)
def test_an_example_has_the_marked_findings_and_no_others(code: str, tmp_path: Path) -> None:
    """Each line that is marked has its findings, of the documented code at least one."""
    example = documentation.of(code).example
    marks = [mark for file in example for mark in file.marks()]
    assert code in {marked for _, _, marked in marks}
    assert sorted(marks) == sorted(found(tmp_path, example, code))


@pytest.mark.parametrize("code", CODES)
def test_what_to_write_instead_has_no_finding(code: str, tmp_path: Path) -> None:
    """The cure is one."""
    instead = documentation.of(code).instead
    assert [] == found(tmp_path, instead, code)
    assert instead


@pytest.mark.parametrize("code", CODES)
def test_documentation_has_the_fixed_headings(code: str) -> None:
    """Summary, why, example, instead: each is there, in this order, and says something."""
    told = documentation.of(code)
    assert tuple(told.sections) == documentation.HEADINGS
    assert all(told.sections.values())
    assert told.summary.endswith(".")
    assert "\n" not in told.summary


def test_every_code_has_one_module_with_its_severity() -> None:
    """No two packages tell of one code, and none is only looked for."""
    told = [
        code
        for package in ("llmposter_dsl.checks", "llmposter.lint.checks", "llmposter.fixtures.checks")
        for code, module in codes.modules(package)
        if hasattr(__import__(module, fromlist=["CODE"]), "CODE")
    ]
    assert sorted(CODES) == sorted(told)


MADE = pages.made(CHECKS)


@pytest.mark.parametrize("path", MADE, ids=lambda path: path.stem)
def test_a_page_made_from_the_checks_is_not_stale(path: Path) -> None:
    """`python -m llmposter.lint.pages docs/checks` would change nothing."""
    assert MADE[path] == path.read_text(encoding="utf-8")


def test_there_is_no_page_of_a_code_that_is_no_more() -> None:
    """Every page is made."""
    assert {path.name for path in MADE} == {path.name for path in CHECKS.iterdir()}


def test_the_generator_writes_every_page_and_takes_old_ones_away(tmp_path: Path) -> None:
    """What it leaves in a folder is what stands in the repository."""
    (tmp_path / "LP000.md").write_text("old", encoding="utf-8")
    pages.main(str(tmp_path))
    assert {path.name: path.read_text(encoding="utf-8") for path in MADE} == {
        path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()
    }
