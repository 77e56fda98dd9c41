"""`llmposter schema`: the JSON Schema of a scenario, for editors."""

from __future__ import annotations

from typing import Any

import click

from llmposter.cli import shared


@click.command()
@click.option("--output", metavar="FILE", type=click.Path(dir_okay=False), help="Write it to a file.")
@shared.verbose
def schema(output: Any) -> int:
    """Print the JSON Schema of scenarios, for Taplo, yaml-language-server and other editors' helpers."""
    from pathlib import Path

    from llmposter_dsl.schema import text

    if output is None:
        click.echo(text(), nl=False)
        return 0
    try:
        Path(output).write_text(text(), encoding="utf-8", newline="\n")
    except OSError as error:
        raise shared.Trouble(f'cannot write "{output}": {(error.strerror or str(error)).lower()}') from error
    return 0
