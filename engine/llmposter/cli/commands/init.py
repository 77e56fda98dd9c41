"""`llmposter init`: write a first scenario to begin with."""

from __future__ import annotations

from pathlib import Path

import click

from llmposter.cli import shared


@click.command()
@click.argument("path", default="scenario.toml", type=click.Path())
@shared.verbose
def init(path: str) -> int:
    """Write a commented first scenario to PATH, scenario.toml if none is given."""
    from llmposter.lint import init_text

    target = Path(path) / "scenario.toml" if Path(path).is_dir() else Path(path)
    try:
        with target.open("x", encoding="utf-8", newline="\n") as file:
            file.write(init_text())
    except FileExistsError as error:
        raise shared.Trouble(f'"{target}" is there already, and is left as it is') from error
    except OSError as error:
        raise shared.Trouble(f'cannot write "{target}": {(error.strerror or str(error)).lower()}') from error
    click.echo(f"wrote {target}; try `llmposter test {target}`, then `llmposter run {target}`")
    return 0
