"""What checking needs beyond the language: a dry run on every wire, examples played, pictures, a first scenario.

This door opens late: each function imports what it needs, so that `llmposter lint` starts fast.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from llmposter.lint.checking import Checked
    from llmposter.lint.overlay import Overlay
    from llmposter.lint.player import ExampleResult
    from llmposter.lint.settings import Project
    from llmposter_dsl.program import Program


def check(paths: Iterable[str | os.PathLike[str]], project: Project | None = None) -> Checked:
    """Every finding on the scenarios that *paths* name, their examples played on every wire.

    *project* says which of them are told; without one, all but those that are only told where somebody selects them.
    """
    from llmposter.lint.checking import check as made

    return made(paths, project)


def check_text(text: bytes, name: str, project: Project) -> Checked:
    """Every finding on a text that a file called *name* would hold, which need not be there."""
    from llmposter.lint.checking import check_text as made

    return made(text, name, project)


def play(
    program: Program, providers: Sequence[str] | None = None, *, names: Sequence[str] = (), branches: bool = False
) -> list[ExampleResult]:
    """The examples of a scenario, each played alone on the formats that it names.

    *providers* narrows these; *names* are texts of which a name has to have one; with *branches*, what each part of the
    conditions came to is noted.
    """
    from llmposter.lint.player import Chosen
    from llmposter.lint.player import play as made

    return made(program, Chosen(providers, names, branches))


def passed(results: Iterable[ExampleResult]) -> bool:
    """Whether no example failed."""
    return all(not result.failures for result in results)


def report(program: Program, results: Sequence[ExampleResult]) -> list[str]:
    """What `llmposter test` prints for one scenario: its examples, then the states and rules that they covered."""
    from llmposter.lint.telling import Told, text

    return text(Told(program, results))


def graph(
    program: Program,
    format: Literal["mermaid", "dot"] = "mermaid",  # noqa: A002 - the option's name
    overlay: Overlay | None = None,
) -> str:
    """The scenario as a picture, in the language of Mermaid or of Graphviz; *overlay* has what was covered."""
    from llmposter.lint.drawing import dot, mermaid

    return dot(program, overlay) if format == "dot" else mermaid(program, overlay)


def init_text() -> str:
    """A commented first scenario, in TOML."""
    from llmposter.lint.first import TEXT

    return TEXT


__all__ = ["check", "check_text", "graph", "init_text", "passed", "play", "report"]
