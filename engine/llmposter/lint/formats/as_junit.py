"""JUnit's XML as Jenkins and GitLab read it: a suite for each file, a case for each finding.

What does not make `lint` fail passes as a case too, with what was said as its output.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

from llmposter_dsl import report

if TYPE_CHECKING:
    from llmposter.lint.formats import Told
    from llmposter_dsl.diagnostic import Diagnostic

_NO_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 has not: https://www.w3.org/TR/xml/#charsets."""


def write(told: Told) -> str:
    by_file: dict[str, list[Diagnostic]] = {name: [] for name in told.files}
    for found in told.diagnostics:
        by_file.setdefault(found.place.source.name, []).append(found)
    root = ET.Element("testsuites", {"name": "llmposter lint", **_counts(told, told.diagnostics, by_file)})
    for name, each in by_file.items():
        _suite(root, told, name, each)
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _counts(told: Told, found: Sequence[Diagnostic], by_file: dict[str, list[Diagnostic]]) -> dict[str, str]:
    failures = sum(map(told.fails, found))
    # A file without findings is a test that passed.
    tests = sum(max(len(each), 1) for each in by_file.values())
    return {"tests": str(tests), "failures": str(failures), "errors": "0"}


def _suite(root: ET.Element, told: Told, name: str, found: list[Diagnostic]) -> None:
    counts = _counts(told, found, {name: found})
    suite = ET.SubElement(root, "testsuite", {"name": _xml(name), **counts, "skipped": "0", "time": "0"})
    if not found:
        ET.SubElement(suite, "testcase", {"name": "lint", "classname": _xml(name), "time": "0"})
    for each in found:
        line, column = each.place.source.position(each.place.span.start)
        attributes = {"name": f"{each.code} at {line}:{column}", "classname": _xml(name), "time": "0"}
        case = ET.SubElement(suite, "testcase", attributes)
        if told.fails(each):
            said = ET.SubElement(case, "failure", {"type": each.code, "message": _xml(each.message)})
        else:
            said = ET.SubElement(case, "system-out")
        said.text = _xml(report.text(each))


def _xml(text: str) -> str:
    return _NO_XML.sub("\N{REPLACEMENT CHARACTER}", text)
