"""What a server is given to serve, compiled together: files, folders, texts, and what was built in Python."""

from __future__ import annotations

import os
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from llmposter.fixtures import files_below, is_fixture_file, is_fixture_text
from llmposter.lint.checking import between
from llmposter.testing.builder import Scenario
from llmposter.testing.errors import ScenarioError
from llmposter.testing.fixture import Fixture, read
from llmposter_dsl import compiler, words
from llmposter_dsl.diagnostic import Diagnostic
from llmposter_dsl.place import At
from llmposter_dsl.reading import kind_of
from llmposter_dsl.report import sort
from llmposter_dsl.source import Source as File
from llmposter_dsl.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from llmposter.fixtures.model import FixtureFile
    from llmposter_dsl.compiler import Compiled
    from llmposter_dsl.program import Program

Source: TypeAlias = "str | os.PathLike[str] | Scenario | Fixture"
"""A path of a file or folder; the text of a file, which has a line break in it; or what was built in Python."""


def programs(sources: Sequence[Source], seed: int | None = None, *, diagnostics: bool = False) -> list[Program]:
    """The scenarios, in the order in which they are asked; *seed* in place of each one's own.

    With *diagnostics* a request that no fixture matches is told which one nearly did.

    Raises:
        ScenarioError: with all that is wrong with any of them.
    """
    compiled = _compiled(sources, diagnostics=diagnostics)
    made = [each.program for each in compiled if each.program is not None]
    # Two of one name are a warning on the command line; here a test asks for conversations by that name.
    alike = list(between(made))
    found = [*(finding for each in compiled for finding in each.diagnostics), *alike]
    if alike or any(each.severity == "error" for each in found):
        raise ScenarioError(sort(found))
    if seed is None:
        return made
    from msgspec.structs import replace

    return [replace(program, seed=seed) for program in made]


class _Read(NamedTuple):
    """Fixtures of a file, a text or of Python, as far as they can be read, and what is wrong with them."""

    name: str
    file: FixtureFile | None
    wrong: Sequence[Diagnostic]


def _compiled(sources: Sequence[Source], *, diagnostics: bool) -> list[Compiled]:
    """All fixtures are one scenario, which stands where the first of them does."""
    texts = count(1)
    built = [source for source in sources if isinstance(source, Fixture)]
    scenarios: list[Compiled] = []
    fixtures: list[_Read] = []
    before = 0
    for source in sources:
        for each in _each(source, texts, built):
            if isinstance(each, _Read):
                before = before if fixtures else len(scenarios)
                fixtures.append(each)
            else:
                scenarios.append(each)
    if not fixtures:
        return scenarios
    from llmposter.fixtures.loading import together

    names = [each.name for each in fixtures]
    loaded = together(
        [(each.file, each.wrong) for each in fixtures], names, diagnostics=diagnostics, alone=not scenarios
    )
    return [*scenarios[:before], *loaded.compiled, *scenarios[before:]]


def _each(source: Source, texts: Iterator[int], built: Sequence[Fixture]) -> Iterator[Compiled | _Read]:
    """What one source gives; all fixtures that were *built* come where the first of them stands."""
    if isinstance(source, Fixture):
        if source is built[0]:
            yield _Read("fixtures", *read(built))
    elif isinstance(source, Scenario):
        yield compiler.compile_document(source.document())
    elif isinstance(source, str) and "\n" in source:
        yield _of_text(source, next(texts))
    elif isinstance(source, str) and not os.path.exists(source):  # noqa: PTH110 - a text may be too long for a path
        yield _nowhere(source)
    elif isinstance(source, str | os.PathLike):
        yield from _of_path(os.fspath(source))
    else:
        raise TypeError(f"{source!r} is nothing to serve: give paths, texts of scenarios, or what `Scenario` builds")


def _of_text(text: str, number: int) -> Compiled | _Read:
    kind, nth = kind_of(text), "" if number == 1 else f"-{number}"
    if kind == "yaml" and is_fixture_text(text.encode(errors="replace")):
        from llmposter.fixtures.reading import read_text

        name = f"fixtures{nth}.yaml"
        return _Read(name, *read_text(text, name))
    return compiler.compile_text(text, f"scenario{nth}.{kind}", kind)


def _nowhere(source: str) -> Compiled:
    shown = words.shown(source)
    place = At(File(shown.strip("`"), ""), Span(0, 0))
    help_ = "what is not the path of one is the text of a scenario, and has a line break in it"
    found = Diagnostic("LP101", f"there is no file or folder {shown}", place, help_)
    return compiler.Compiled(None, (found,), ())


def _of_path(path: str) -> Iterator[Compiled | _Read]:
    fixtures = files_below(path) if Path(path).is_dir() else [path] if is_fixture_file(path) else []
    if fixtures:
        from llmposter.fixtures import reading

        yield from (_Read(file, *reading.read(file)) for file in fixtures)
    # A folder of fixtures need not have a scenario.
    others = (file for file in compiler.scenario_files([path]) if file not in fixtures)
    yield from (compiler.compile_path(file) for file in others if file != path or not fixtures)


def checked(fixtures: Iterable[Fixture]) -> None:
    """Raises what `Server` would raise for these."""
    programs(list(fixtures))
