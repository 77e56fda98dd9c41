"""What `llmposter test` says of scenarios, their examples and what these covered: as text, JSON and JUnit's XML."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from llmposter.lint import coverage as covering
from llmposter.lint.xml import clean, document
from llmposter_dsl import report as findings
from llmposter_dsl.place import where

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from llmposter.lint.coverage import Coverage
    from llmposter.lint.player import ExampleResult
    from llmposter_dsl.diagnostic import Diagnostic
    from llmposter_dsl.program import Program


class Told:
    """One scenario, how its examples went, and what they covered."""

    def __init__(self, program: Program, results: Sequence[ExampleResult], *, branches: bool = False) -> None:
        self.program = program
        self.results = results
        self.coverage = covering.coverage(program, results, branches=branches)


# --- as text ----------------------------------------------------------------------------------------------------------


def text(told: Told) -> list[str]:
    """Lines: the examples, then what they did not cover."""
    program = told.program
    return [f"{program.name} ({program.place.source.name})", *_examples(told.results), *_covered(told.coverage)]


def _examples(results: Sequence[ExampleResult]) -> Iterator[str]:
    if not results:
        yield "  no examples"
    for result in results:
        yield f"  {'FAILED' if result.failures else 'passed'}  {result.title}"
        for failure in result.failures:
            yield f"      {where(failure.place)} {failure.message}"


def _covered(coverage: Coverage) -> Iterator[str]:
    yield f"  {', '.join(f'{name} {share}' for name, share in coverage.shares().items())}"
    unseen = [state for state in coverage.states if not state.requests]
    for state in unseen:
        yield f'      state "{state.name}" is not covered ({where(state.place)})'
    names = {state.name for state in unseen}
    for each in coverage.rules:
        if each.fired:
            for branch in each.branches:
                yield from (f"      {branch.text} was never {word} ({where(branch.place)})" for word in branch.missing)
        elif each.rule.group not in names:
            # Neither are the rules of a state, nor the branches of a rule, that is not.
            yield f'      rule "{each.rule.name}" is not covered ({where(each.rule.place)})'


# --- as JSON ----------------------------------------------------------------------------------------------------------


def data(several: Iterable[Told], found: Iterable[Diagnostic]) -> dict[str, Any]:
    """As JSON data; *found* is what keeps scenarios from being played."""
    return {
        "scenarios": [
            {
                "name": each.program.name,
                "file": each.program.place.source.name,
                "examples": [_example(result) for result in each.results],
                "coverage": covering.data(each.coverage),
            }
            for each in several
        ],
        "findings": [findings.record(each) for each in found],
    }


def _example(result: ExampleResult) -> dict[str, Any]:
    return {
        "name": result.name,
        "providers": list(result.providers),
        **covering.located(result.place),
        "passed": not result.failures,
        "failures": [{**covering.located(each.place), "message": each.message} for each in result.failures],
    }


# --- as JUnit's XML, as Jenkins and GitLab read it ------------------------------------------------------------------


def junit(several: Iterable[Told], found: Iterable[Diagnostic]) -> str:
    """A suite for each scenario, with a case for each example; a file that cannot be played is an error of its own."""
    root = ET.Element("testsuites", {"name": "llmposter test"})
    for each in several:
        _suite(root, each)
    broken: dict[str, ET.Element] = {}
    for diagnostic in found:
        name = clean(diagnostic.place.source.name)
        if name not in broken:
            broken[name] = ET.SubElement(root, "testsuite", {"name": name})
        case = ET.SubElement(broken[name], "testcase", {"name": diagnostic.code, "classname": name, "file": name})
        ET.SubElement(case, "error", {"message": clean(diagnostic.message)}).text = clean(where(diagnostic.place))
    _count(root)
    return document(root)


def _suite(root: ET.Element, told: Told) -> None:
    suite = ET.SubElement(root, "testsuite", {"name": clean(told.program.name)})
    properties = ET.SubElement(suite, "properties")
    for name, share in told.coverage.shares().items():
        ET.SubElement(properties, "property", {"name": f"coverage.{name}", "value": str(share)})
    for result in told.results:
        named = result.name + (f" on {', '.join(result.providers)}" if result.apart else "")
        at = covering.located(result.place)
        case = ET.SubElement(
            suite,
            "testcase",
            {
                "name": clean(named),
                "classname": clean(told.program.name),
                "file": clean(at["file"]),
                "line": str(at["line"]),
            },
        )
        if result.failures:
            lines = "\n".join(f"{where(each.place)} {each.message}" for each in result.failures)
            ET.SubElement(case, "failure", {"message": clean(result.failures[0].message)}).text = clean(lines)


def _count(root: ET.Element) -> None:
    for element in (root, *root):
        for name, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            element.set(name, str(sum(1 for _ in element.iter(tag))))
