"""All findings on some scenarios: the compiler's, those of every wire, and those of the examples.

A file that cannot be compiled keeps no other from being checked.
"""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from llmposter.fixtures import files_below, is_fixture_file, is_fixture_text, load
from llmposter.lint import checks
from llmposter.lint.settings import Settings
from llmposter_dsl import codes, compiler, reading
from llmposter_dsl.undisturbed import undisturbed

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
    from types import ModuleType

    from llmposter.lint.player import ExampleResult
    from llmposter.lint.settings import Project
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


@undisturbed()
def check(paths: Iterable[str | os.PathLike[str]], project: Project | None = None) -> Checked:
    """See `llmposter.lint.check`."""
    of = (lambda _: Settings()) if project is None else project.of
    files, fixtures, before = _sorted(paths, of)
    made = [compiler.compile_path(file, wanted=of(file).choice.wanted) for file in files]
    if not fixtures:
        return settled(files, made, of)
    loaded = load(fixtures, alone=not made)
    return settled((*fixtures, *files), [*made[:before], *loaded.compiled, *made[before:]], of)


def _sorted(paths: Iterable[str | os.PathLike[str]], of: Callable[[str], Settings]) -> tuple[list[str], list[str], int]:
    """The scenarios that paths name, the fixture files, and how many of the scenarios come before these."""
    files: list[str] = []
    fixtures: list[str] = []
    before = 0
    for path in map(str, paths):
        folder = Path(path).is_dir()
        here = files_below(path) if folder else [path] if is_fixture_file(path) else []
        before = before if fixtures else len(files)
        fixtures += [each for each in here if not (folder and of(each).excluded(each))]
        found = compiler.scenario_files([path], lambda file: of(file).excluded(file))
        # A folder of fixtures need not have a scenario.
        files += [each for each in found if each not in here and (each != path or not here)]
    return list(dict.fromkeys(files)), list(dict.fromkeys(fixtures)), before


@undisturbed()
def check_text(text: bytes, name: str, project: Project) -> Checked:
    """See `llmposter.lint.check_text`."""
    settings = project.of(name)
    kind = reading.KINDS.get(os.path.splitext(name)[1].lower())  # noqa: PTH122
    kind = kind or reading.kind_of(text.decode("utf-8", "replace"))
    path = os.path.abspath(name)  # noqa: PTH100 - there need be no such file
    made = (
        _of_fixtures(text, name, path)
        if kind == "yaml" and is_fixture_text(text)
        else compiler.compile_text(text, name, kind, path, settings.choice.wanted)
    )
    return settled([name], [made], lambda _: settings)


def _of_fixtures(text: bytes, name: str, path: str) -> Compiled:
    from llmposter.fixtures.loading import together
    from llmposter.fixtures.reading import read_text

    return together([read_text(text, name, path)], [name]).compiled[0]


def settled(files: Sequence[str], compiled: Iterable[Compiled], of: Callable[[str], Settings]) -> Checked:
    """What was compiled of these files, with all that needs more than the language to be found."""
    made = list(compiled)
    programs = [each.program for each in made if each.program is not None]
    together: dict[int, list[Diagnostic]] = {}
    for program, diagnostic in _between(programs):
        together.setdefault(id(program), []).append(diagnostic)
    played: list[tuple[ExampleResult, ...]] = []
    found: list[Diagnostic] = []
    for each in made:
        settings, told = of(_file(each)), each.diagnostics
        if each.program is not None:
            seen = _seen(each.program)
            played.append(seen.results)
            more = [*_more(seen, settings.choice.wanted), *together.get(id(each.program), ())]
            told = compiler.settle((*each.raw, *more), each.documents, settings.choice.wanted) if more else told
        found += filter(settings.tells, told)
    return Checked(tuple(programs), _told(found), tuple(files), tuple(played), _read(made))


def _read(compiled: Iterable[Compiled]) -> tuple[str, ...]:
    paths = (document.source.path for each in compiled for document in each.documents)
    return tuple(dict.fromkeys(path for path in paths if path is not None))


def _file(compiled: Compiled) -> str:
    """The file whose settings count: the scenario's own."""
    sources = [each.source for each in compiled.documents[:1]] or [compiled.diagnostics[0].place.source]
    return sources[0].path or sources[0].name


def between(programs: Sequence[Program]) -> Iterator[Diagnostic]:
    """What is wrong only with scenarios that are served together."""
    return (diagnostic for _, diagnostic in _between(programs))


def _between(programs: Sequence[Program]) -> Iterator[tuple[Program, Diagnostic]]:
    for _, module in _modules():
        if hasattr(module, "between"):
            yield from module.between(programs)


def _more(seen: Seen, wanted: Collection[str]) -> Iterator[Diagnostic]:
    for code, module in _modules():
        if hasattr(module, "check") and (code in wanted or not codes.CODES[code].asked):
            yield from module.check(seen)


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
