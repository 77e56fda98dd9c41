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
    from llmposter.fixtures import is_fixture_file
    from llmposter_dsl import compiler

    if is_fixture_file(path):
        raise shared.Trouble(f'"{path}" is a fixture file, which has one state and no picture')
    files = compiler.scenario_files([path])
    if len(files) != 1:
        raise shared.Trouble(f'"{path}" holds {shared.counted(len(files), "scenario")}: name the one to draw')
    compiled = compiler.compile_path(files[0])
    if compiled.program is None:
        shared.show(compiled.diagnostics, err=True)
        return 1
    click.echo(checks.graph(compiled.program, form).rstrip("\n"))
    return 0
