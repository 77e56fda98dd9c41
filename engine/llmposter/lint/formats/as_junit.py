"""JUnit's XML as Jenkins and GitLab read it: a suite for each file, a case for each finding.

What does not make `lint` fail passes as a case too, with what was said as its output.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from llmposter.lint.xml import clean, document
from llmposter_dsl import report

if TYPE_CHECKING:
    from llmposter.lint.formats import Told
    from llmposter_dsl.diagnostic import Diagnostic


def write(told: Told) -> str:
    by_file: dict[str, list[Diagnostic]] = {name: [] for name in told.files}
    for found in told.diagnostics:
        by_file.setdefault(found.place.source.name, []).append(found)
    root = ET.Element("testsuites", {"name": "llmposter lint", **_counts(told, told.diagnostics, by_file)})
    for name, each in by_file.items():
        _suite(root, told, name, each)
    return document(root)


def _counts(told: Told, found: Sequence[Diagnostic], by_file: dict[str, list[Diagnostic]]) -> dict[str, str]:
    failures = sum(map(told.fails, found))
    # A file without findings is a test that passed.
    tests = sum(max(len(each), 1) for each in by_file.values())
    return {"tests": str(tests), "failures": str(failures), "errors": "0"}


def _suite(root: ET.Element, told: Told, name: str, found: list[Diagnostic]) -> None:
    counts = _counts(told, found, {name: found})
    suite = ET.SubElement(root, "testsuite", {"name": clean(name), **counts, "skipped": "0", "time": "0"})
    if not found:
        ET.SubElement(suite, "testcase", {"name": "lint", "classname": clean(name), "time": "0"})
    for each in found:
        line, column = each.place.source.position(each.place.span.start)
        attributes = {"name": f"{each.code} at {line}:{column}", "classname": clean(name), "time": "0"}
        case = ET.SubElement(suite, "testcase", attributes)
        if told.fails(each):
            said = ET.SubElement(case, "failure", {"type": each.code, "message": clean(each.message)})
        else:
            said = ET.SubElement(case, "system-out")
        said.text = clean(report.text(each))
