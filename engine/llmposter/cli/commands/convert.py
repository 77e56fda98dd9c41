"""`llmposter convert`: a file of another mock as a scenario, and what of it cannot be carried over."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from llmposter.cli import shared

if TYPE_CHECKING:
    from llmposter.convert import Converted

_FORMATS = ("llmposter", "aimock", "mock-llm", "fakellm")


@click.command()
@click.argument("path", type=shared.Existing())
@click.option(
    "--from",
    "source",
    default="auto",
    show_default=True,
    type=click.Choice(["auto", *_FORMATS]),
    help="Whose file it is; told by what stands in it.",
)
@click.option(
    "--to",
    "kind",
    type=click.Choice(["toml", "yaml"]),
    help="What to write: by default what the name of the output says, else toml.",
)
@click.option("-o", "--output", type=click.Path(), help="The file to write; without one the scenario is printed.")
@click.option("--strict", is_flag=True, help="Fail if something cannot be carried over.")
@shared.verbose
def convert(path: str, source: Any, kind: Any, output: str | None, strict: bool) -> int:  # noqa: FBT001 - click's
    """Write the scenario that a file of another mock is: of llmposter 0.5, aimock, mock-llm or fakellm."""
    from llmposter.convert import Converted
    from llmposter.convert import convert as made_of

    made = made_of(path, None if source == "auto" else source)
    if not isinstance(made, Converted):
        shared.show(made, err=True)
        return 1
    text = _text(made, kind or _named(output))
    if output is None:
        click.echo(text, nl=False)
    else:
        _write(Path(output), text)
    for remark in made.remarks:
        click.echo(str(remark), err=True)
    lost = sum(remark.lost for remark in made.remarks)
    rules = sum(map(len, (*made.data["states"].values(), made.data.get("embeddings", ()))))
    told = f"{shared.counted(lost, 'part')} lost" if lost else "nothing lost"
    where = "" if output is None else f" in {output}"
    click.echo(f"{shared.counted(rules, 'rule')}{where}, {told}", err=True)
    return int(strict and lost > 0)


def _named(output: str | None) -> str:
    return "yaml" if output is not None and output.lower().endswith((".yaml", ".yml")) else "toml"


def _text(made: Converted, kind: Any) -> str:
    from llmposter.convert import text_of
    from llmposter_dsl.writing import Unwritable

    try:
        return text_of(made, kind)
    except Unwritable as error:
        where = ".".join(map(str, error.path))
        raise shared.Trouble(
            f"`{where}` holds a null, for which TOML has no word: write YAML with `--to yaml`"
        ) from error


def _write(target: Path, text: str) -> None:
    try:
        with target.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError as error:
        raise shared.Trouble(f'"{target}" is there already, and is left as it is') from error
    except OSError as error:
        raise shared.Trouble(f'cannot write "{target}": {(error.strerror or str(error)).lower()}') from error
