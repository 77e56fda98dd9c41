"""`llmposter graph`: draw the states of a scenario."""

from __future__ import annotations

from typing import Any

import click

from llmposter.cli import shared


@click.command()
@click.argument("path", type=shared.Existing())
@click.option("--format", "form", default="mermaid", show_default=True, type=click.Choice(["mermaid", "dot"]))
@shared.verbose
def graph(path: str, form: Any) -> int:
    """Draw a scenario as a picture of its states, for Mermaid or Graphviz."""
    from llmposter import lint as checks
    from llmposter_dsl import compiler

    files = compiler.scenario_files([path])
    if len(files) != 1:
        raise shared.Trouble(f'"{path}" holds {shared.counted(len(files), "scenario")}: name the one to draw')
    compiled = compiler.compile_path(files[0])
    if compiled.program is None:
        shared.show(compiled.diagnostics, err=True)
        return 1
    click.echo(checks.graph(compiled.program, form).rstrip("\n"))
    return 0
