"""The real server on a real socket, for tests."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from llmposter.fixtures import is_fixture_file, load
from llmposter.fixtures.compiling import program as of_fixtures
from llmposter.fixtures.reading import read_text
from llmposter.server import Running, Settings
from llmposter_dsl.compiler import compile_path, compile_text
from llmposter_dsl.report import text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llmposter_dsl.program import Program


def program(scenario: str | Path, seed: int | None = None) -> Program:
    """A scenario from a file, or from TOML text, which has a line break in it."""
    text_given = isinstance(scenario, str) and "\n" in scenario
    if not text_given and is_fixture_file(scenario):
        (found,) = load([scenario]).programs
        return found
    compiled = compile_text(scenario) if text_given else compile_path(scenario)
    assert compiled.program is not None, "\n".join(map(text, compiled.diagnostics))
    return compiled.program if seed is None else replace(compiled.program, seed=seed)


def programs(*scenarios: str | Path, seed: int | None = None) -> list[Program]:
    """Likewise; a folder gives every scenario file in it."""
    files: list[str | Path] = []
    for each in scenarios:
        if isinstance(each, Path) and each.is_dir():
            files += sorted(path for path in each.rglob("*") if path.suffix in (".toml", ".yaml", ".yml"))
        else:
            files.append(each)
    return [program(each, seed) for each in files]


@contextmanager
def serving_fixtures(*files: str, diagnostics: bool = False, **settings: Any) -> Iterator[Running]:
    """Likewise for fixture files, given as YAML text."""
    read = []
    for number, each in enumerate(files):
        file, found = read_text(each, f"fixtures{number}.yaml")
        told = "\n".join(map(text, found))
        assert file is not None, told
        assert file.whole, told
        read.append(file)
    with Running([of_fixtures(read, diagnostics=diagnostics)], Settings(**settings)) as running:
        yield running


@contextmanager
def serving(*scenarios: str | Path, seed: int | None = None, **settings: Any) -> Iterator[Running]:
    """A server for these scenarios, stopped at the end: `.url`, `.openai_url`, `.session_url(id)`, `.mock`, `.clock`.

    Args:
        scenarios: paths, or TOML text with a line break in it.
        seed: in place of each scenario's own.
        settings: of `llmposter.server.Settings`.
    """
    with Running(programs(*scenarios, seed=seed), Settings(**settings)) as running:
        yield running
