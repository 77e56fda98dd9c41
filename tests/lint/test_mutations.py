"""The gallery with a mistake in each copy: what breaks a scenario is found, and nearly all that changes what it does.

`make soak` makes 500 copies of each scenario; what they left is told in `docs/decisions/0021-mutations.md`.
"""

from __future__ import annotations

import os
from collections import Counter
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import pytest
from mutations import Mutant, differ, mutant, text_of, words_of

from llmposter.lint import fixing
from llmposter.lint.checking import Checked, check_text, settled
from llmposter.lint.settings import Project, Settings
from llmposter_dsl import reading, scenario_files
from llmposter_dsl.compiler import Compiled, compile_text
from llmposter_dsl.diagnostic import Diagnostic

GALLERY = Path(__file__).parents[2] / "scenarios"
FILES = [Path(file) for file in scenario_files([GALLERY])]
COPIES = 500 if os.environ.get("LLMPOSTER_SOAK") else 5
SHARE = 0.95


class Fate(NamedTuple):
    """What became of one copy.

    Attributes:
        findings: those that the scenario without the mistake has not.
        differs: some walk shows that it does something else.
    """

    made: Mutant
    compiled: Compiled
    findings: Counter[tuple[str, str]]
    differs: bool


def data_of(path: Path) -> dict[str, Any]:
    document = reading.read(path)
    assert not isinstance(document, tuple)
    return document.data


def compiled(text: str, path: Path) -> Compiled:
    return compile_text(text, f"{path.stem}.yaml", "yaml")


def findings(made: Compiled, path: Path) -> Counter[tuple[str, str]]:
    told = settled([path.name], [made], lambda _: Settings()).diagnostics
    return Counter((each.code, each.message) for each in told)


@cache
def fates(path: Path) -> list[Fate]:
    """The copies of one scenario, the same ones in every run."""
    data, draw = data_of(path), Random(path.stem)
    first = compiled(text_of(data), path)
    assert first.program is not None
    base, said, found = findings(first, path), words_of(data), []
    for _ in range(COPIES):
        made = mutant(data, draw)
        second = compiled(text_of(made.data), path)
        program = second.program
        changed = program is not None and differ(first.program, program, said, draw)
        found.append(Fate(made, second, findings(second, path) - base, changed))
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_copy_that_is_no_scenario_any_more_is_found(path: Path) -> None:
    """It gets an error, and no copy that is still a scenario gets one but from its examples."""
    for fate in fates(path):
        assert fate.made.breaks == (fate.compiled.program is None), (fate.made.what, fate.findings)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_nearly_every_copy_that_does_something_else_is_found(path: Path) -> None:
    """By a check or an example that fails: 95 in 100 of those that a walk can tell apart, and all but one of a few."""
    every = [fate for fate in fates(path) if fate.differs]
    missed = [fate.made.what for fate in every if not fate.findings]
    assert len(missed) <= max(1, (1 - SHARE) * len(every)), missed


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_fix_never_adds_an_error(path: Path) -> None:
    """Safe or not, each fix of each copy, alone; what stood behind an error may come to light in its place."""
    for fate in fates(path):
        before = errors(fate.compiled.diagnostics)
        for found in fate.compiled.diagnostics:
            for fix in found.fixes:
                after = compiled(carried_out(text_of(fate.made.data), fix), path)
                assert errors(after.diagnostics) <= before, (fate.made.what, fix)


def carried_out(text: str, fix: Any) -> str:
    edits = {(edit.place.span.start, edit.place.span.end, edit.text) for edit in fix.edits}
    return fixing.edited(text.encode(), edits).decode()


def errors(told: tuple[Diagnostic, ...]) -> int:
    return sum(each.severity == "error" for each in told)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_safe_fixes_make_of_a_copy_is_left_alone_by_the_next_run(path: Path) -> None:
    """And a key that was misspelt in one letter, where one known key alone is near, is the right one again."""
    text = path.read_text(encoding="utf-8")
    name = str(path.resolve())

    def check(texts: Any) -> Checked:
        return check_text(texts[name], name, Project(isolated=True))

    for key, slip in (("reply", "repyl"), ("when", "wehn"), ("goto", "gto"), ("states", "sttes")):
        if f"{key} " not in text and f"{key}:" not in text and f"[{key}" not in text:
            continue
        broken = text.replace(f"\n{key} ", f"\n{slip} ").replace(f" {key}: ", f" {slip}: ")
        made = fixing.fixed(check, unsafe=False, given={name: broken.encode()})
        mended = made.files.get(name, (b"", broken.encode()))[1]
        assert text.encode() == mended
        assert {} == fixing.fixed(check, unsafe=False, given={name: mended}).files
