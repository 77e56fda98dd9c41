"""`llmposter graph`: draw the states of a scenario."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from llmposter.cli import shared

if TYPE_CHECKING:
    from llmposter.lint.overlay import Overlay
    from llmposter_dsl.program import Program


@click.command()
@click.argument("path", type=shared.Existing())
@click.option("--format", "form", default="mermaid", show_default=True, type=click.Choice(["mermaid", "dot", "svg"]))
@click.option("--coverage", metavar="FILE", help="Colour it by what `llmposter test --coverage-file` wrote.")
@shared.verbose
def graph(path: str, form: Any, coverage: str | None) -> int:
    """Draw a scenario as a picture of its states, for Mermaid or Graphviz."""
    from llmposter import lint as checks

    compiled = shared.one(path, "picture")
    if compiled is None or compiled.program is None:
        return 1
    overlay = None if coverage is None else _overlay(coverage, compiled.program)
    drawn = checks.graph(compiled.program, "mermaid" if form == "mermaid" else "dot", overlay)
    click.echo((_svg(drawn) if form == "svg" else drawn).rstrip("\n"))
    return 0


def _overlay(path: str, program: Program) -> Overlay:
    from llmposter.lint.overlay import Unfit, read

    try:
        return read(Path(path).read_bytes(), path, program)
    except OSError as error:
        raise shared.Trouble(f'cannot read "{path}": {(error.strerror or str(error)).lower()}') from error
    except Unfit as error:
        raise shared.Trouble(str(error)) from error


def _svg(drawn: str) -> str:
    import shutil
    import subprocess

    program = shutil.which("dot")
    if program is None:
        raise shared.Trouble(
            "SVG is drawn by `dot` of Graphviz, which is not on PATH: install it, or take another format"
        )
    ran = subprocess.run([program, "-Tsvg"], input=drawn, capture_output=True, encoding="utf-8", check=False)  # noqa: S603 - found on PATH, as Graphviz is meant to be
    if ran.returncode:
        raise shared.Trouble(f"`{program} -Tsvg` ended with {ran.returncode}: {ran.stderr.strip()}")
    return ran.stdout
