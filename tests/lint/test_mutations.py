"""The gallery with a mistake in each copy: what breaks a scenario is found, and nearly all that changes what it does.

`make soak` makes 500 copies of each scenario; what nothing found stands in `mutations.md`, and why it may be left in
`docs/decisions/0021-mutations.md`.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import pytest
from mutations import mutant, text_of
from walks import difference, words_of

from llmposter.lint import fixing
from llmposter.lint.checking import Checked, check_text, settled
from llmposter.lint.settings import Project, Settings
from llmposter_dsl import reading, scenario_files
from llmposter_dsl.compiler import Compiled, compile_text
from llmposter_dsl.diagnostic import Fix

GALLERY = Path(__file__).parents[2] / "scenarios"
FILES = [Path(file) for file in scenario_files([GALLERY])]
LEFT = Path(__file__).parent / "mutations.md"
SOAK = bool(os.environ.get("LLMPOSTER_SOAK"))
COPIES = 500 if SOAK else 5
SHARE = 0.95


class Fate(NamedTuple):
    """What became of one copy.

    Attributes:
        breaks: it should be no scenario any more. broken: it is none.
        told: what a walk shows that it does otherwise; None where none does.
        found: a finding on it that the scenario without the mistake has not; looked for where a walk tells.
        worse: its fixes that add an error.
    """

    number: int
    what: str
    breaks: bool
    broken: bool
    told: str | None
    found: bool
    worse: list[str]

    @property
    def line(self) -> str:
        """How it is listed where nothing finds it."""
        return f"- {self.number}: {self.what}\n  {self.told}"


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
    """The copies of one scenario, the same ones in every run, whatever the walks of those before them draw."""
    data = data_of(path)
    first = compiled(text_of(data), path)
    assert first.program is not None
    base, said, found = findings(first, path), words_of(data), []
    for number in range(COPIES):
        draw = Random(f"{path.stem} {number}")
        made = mutant(data, draw)
        second = compiled(text_of(made.data), path)
        program = second.program
        told = None if program is None else difference(first.program, program, said, draw)
        seen = told is not None and bool(findings(second, path) - base)
        found.append(Fate(number, made.what, made.breaks, program is None, told, seen, worse(second, path)))
    return found


def worse(made: Compiled, path: Path) -> list[str]:
    """What fixes, each alone, make a file of with more errors than before."""
    before, text = errors(made), made.documents[0].source.text
    fixes = [fix for each in made.diagnostics for fix in each.fixes]
    return [fix.message for fix in fixes if errors(compiled(carried_out(text, fix), path)) > before]


def carried_out(text: str, fix: Fix) -> str:
    edits = {(edit.place.span.start, edit.place.span.end, edit.text) for edit in fix.edits}
    return fixing.edited(text.encode(), edits).decode()


def errors(made: Compiled) -> int:
    return sum(each.severity == "error" for each in made.diagnostics)


def of_each(test: Callable[[Path], None]) -> Callable[[Path], None]:
    return pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)(test)


@of_each
def test_every_copy_that_is_no_scenario_any_more_is_found(path: Path) -> None:
    """It gets an error, and no copy that is still a scenario gets one but from its examples."""
    assert [] == [fate for fate in fates(path) if fate.breaks != fate.broken]


@of_each
def test_nearly_every_copy_that_does_something_else_is_found(path: Path) -> None:
    """By a check or an example that fails: 95 in 100 of those that a walk can tell apart, and all but one of a few."""
    every = [fate for fate in fates(path) if fate.told]
    missed = [fate.line for fate in every if not fate.found]
    assert len(missed) <= max(1, (1 - SHARE) * len(every)), missed


@of_each
def test_what_is_left_is_listed(path: Path) -> None:
    """With the request that shows it: all of it under `make soak`, else what these few copies have of it."""
    left = [fate.line for fate in fates(path) if fate.told and not fate.found]
    if SOAK and os.environ.get("LLMPOSTER_GOLDEN") == "write":
        write(path, [summary(fates(path)), *left])
    head, *listed = recorded()[path.stem]
    assert left == [line for line in listed if int(line.split(":")[0].removeprefix("- ")) < COPIES]
    assert not SOAK or head == summary(fates(path))


def summary(every: list[Fate]) -> str:
    broken, told = sum(fate.broken for fate in every), [fate for fate in every if fate.told]
    found = sum(fate.found for fate in told)
    return (
        f"{broken} of {len(every)} copies are no scenarios; {len(told)} do something else, of which {found} are found."
    )


def recorded() -> dict[str, list[str]]:
    """What is listed, by scenario."""
    _, *sections = LEFT.read_text(encoding="utf-8").split("\n## ")
    return {name: body.strip().split("\n\n") for name, _, body in (each.partition("\n") for each in sections)}


def write(path: Path, items: list[str]) -> None:
    """Puts one scenario's part into the list; on one worker, since there is one file."""
    title = LEFT.read_text(encoding="utf-8").split("\n## ")[0]
    every = {**recorded(), path.stem: items}
    parts = (f"\n## {name}\n\n" + "\n\n".join(every[name]) + "\n" for name in sorted(every))
    LEFT.write_text(title + "".join(parts), encoding="utf-8")


@of_each
def test_a_fix_never_adds_an_error(path: Path) -> None:
    """Safe or not, each fix of each copy, alone; what stood behind an error may come to light in its place."""
    assert [] == [fate for fate in fates(path) if fate.worse]


@of_each
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
