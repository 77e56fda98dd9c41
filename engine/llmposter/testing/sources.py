"""What a server is given to serve, compiled together: files, folders, texts, and what was built in Python."""

from __future__ import annotations

import os
import re
from itertools import count
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from llmposter.lint.checking import between
from llmposter.testing.builder import Scenario
from llmposter.testing.errors import ScenarioError
from llmposter_dsl import compiler
from llmposter_dsl.report import sort

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from llmposter_dsl.compiler import Compiled
    from llmposter_dsl.program import Program

Source: TypeAlias = "str | os.PathLike[str] | Scenario"
"""A path of a file or folder; the text of a scenario, which has a line break in it; or one built in Python."""
_TOML: Final = re.compile(r"\s*(?:#[^\n]*\n\s*)*(?:\[|[\w.\"'-]+[ \t]*=)")


def programs(sources: Iterable[Source], seed: int | None = None) -> list[Program]:
    """The scenarios, in the order in which they are asked; *seed* in place of each one's own.

    Raises:
        ScenarioError: with all that is wrong with any of them.
    """
    texts = count(1)
    compiled = [each for source in sources for each in _compiled(source, texts)]
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


def _compiled(source: Source, texts: Iterator[int]) -> Iterator[Compiled]:
    if isinstance(source, Scenario):
        yield compiler.compile_document(source.document())
    elif isinstance(source, str) and "\n" in source:
        kind, number = kind_of(source), next(texts)
        yield compiler.compile_text(source, f"scenario{'' if number == 1 else f'-{number}'}.{kind}", kind)
    elif isinstance(source, str | os.PathLike):
        yield from map(compiler.compile_path, compiler.scenario_files([source]))
    else:
        raise TypeError(f"{source!r} is nothing to serve: give paths, texts of scenarios, or what `Scenario` builds")


def kind_of(text: str) -> Literal["toml", "yaml"]:
    """TOML begins with a header or an assignment."""
    return "toml" if _TOML.match(text) else "yaml"
