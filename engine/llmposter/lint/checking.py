"""All findings on some scenarios: the compiler's, those of every wire, and those of the examples.

A file that cannot be compiled keeps no other from being checked.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from llmposter.fixtures import files_below, is_fixture_file, load
from llmposter.lint import checks
from llmposter_dsl import codes, compiler

if TYPE_CHECKING:
    import os
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from types import ModuleType

    from llmposter.lint.player import ExampleResult
    from llmposter_dsl.compiler import Compiled
    from llmposter_dsl.diagnostic import Diagnostic
    from llmposter_dsl.program import Program


class Seen(NamedTuple):
    """One scenario as a check sees it, and what became of its examples."""

    program: Program
    results: tuple[ExampleResult, ...]


class Checked(NamedTuple):
    """What became of the scenarios.

    Attributes:
        programs: of the files that compile, in the order in which they are asked; also those with a failing example.
        diagnostics: sorted by file and place.
        files: those that were checked.
        results: of the examples of each program, in the order of `programs`.
        read: those, and what they include, by absolute paths; as far as they could be read.
    """

    programs: tuple[Program, ...]
    diagnostics: tuple[Diagnostic, ...]
    files: tuple[str, ...]
    results: tuple[tuple[ExampleResult, ...], ...] = ()
    read: tuple[str, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether one of the findings is an error."""
        return any(each.severity == "error" for each in self.diagnostics)


def check(paths: Iterable[str | os.PathLike[str]], wanted: Collection[str] = ()) -> Checked:
    """See `llmposter.lint.check`; *wanted* are codes that are looked for only where somebody asks."""
    files, fixtures, before = _sorted(paths)
    made = [compiler.compile_path(file, wanted=wanted) for file in files]
    if not fixtures:
        return settled(files, made, wanted)
    loaded = load(fixtures, alone=not made)
    return settled((*fixtures, *files), [*made[:before], *loaded.compiled, *made[before:]], wanted)


def _sorted(paths: Iterable[str | os.PathLike[str]]) -> tuple[list[str], list[str], int]:
    """The scenarios that paths name, the fixture files, and how many of the scenarios come before these."""
    files: list[str] = []
    fixtures: list[str] = []
    before = 0
    for path in map(str, paths):
        here = files_below(path) if Path(path).is_dir() else [path] if is_fixture_file(path) else []
        before = before if fixtures else len(files)
        fixtures += here
        # A folder of fixtures need not have a scenario.
        files += [each for each in compiler.scenario_files([path]) if each not in here and (each != path or not here)]
    return list(dict.fromkeys(files)), list(dict.fromkeys(fixtures)), before


def settled(files: Iterable[str], compiled: Iterable[Compiled], wanted: Collection[str] = ()) -> Checked:
    """What was compiled, with all that needs more than the language to be found."""
    asked = [module for code, module in _modules() if code in wanted or not codes.CODES[code].asked]
    made = list(compiled)
    programs = [each.program for each in made if each.program is not None]
    between: dict[int, list[Diagnostic]] = {}
    for module in (each for each in asked if hasattr(each, "between")):
        for program, diagnostic in module.between(programs):
            between.setdefault(id(program), []).append(diagnostic)
    played: list[tuple[ExampleResult, ...]] = []
    found: list[Diagnostic] = []
    for each in made:
        if each.program is None:
            found += each.diagnostics
            continue
        seen = _seen(each.program)
        played.append(seen.results)
        more = [one for module in asked if hasattr(module, "check") for one in module.check(seen)]
        more += between.get(id(each.program), ())
        found += compiler.settle((*each.raw, *more), each.documents, wanted) if more else each.diagnostics
    return Checked(tuple(programs), _told(found), tuple(files), tuple(played), _read(made))


def _read(compiled: Iterable[Compiled]) -> tuple[str, ...]:
    paths = (document.source.path for each in compiled for document in each.documents)
    return tuple(dict.fromkeys(path for path in paths if path is not None))


def between(programs: Sequence[Program]) -> Iterator[Diagnostic]:
    """What is wrong only with scenarios that are served together."""
    for _, module in _modules():
        if hasattr(module, "between"):
            yield from (diagnostic for _, diagnostic in module.between(programs))


def _modules() -> Iterator[tuple[str, ModuleType]]:
    return ((code, import_module(name)) for code, name in codes.modules(checks.__name__))


def _seen(program: Program) -> Seen:
    if not program.examples:
        return Seen(program, ())
    from llmposter.lint.player import play

    return Seen(program, tuple(play(program)))


def _told(found: list[Diagnostic]) -> tuple[Diagnostic, ...]:
    """By file and place, each once: a file that two scenarios include has its findings twice."""
    if not found:
        return ()
    from llmposter_dsl.report import sort

    return sort(found)
