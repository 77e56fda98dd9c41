"""What commands have in common: the paths they are given, how they end, and how they tell what was found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from llmposter.lint.checking import Checked
    from llmposter_dsl.diagnostic import Diagnostic


class Trouble(click.ClickException):
    """It could not run; the message is one line for the user."""

    exit_code = 2


class Existing(click.ParamType[str]):
    name = "path"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ARG002
        if not Path(value).exists():
            raise Trouble(f'there is no file or folder "{value}"')
        return value


def paths(many: Callable[..., Any]) -> Callable[..., Any]:
    return click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=Existing())(many)


def verbose(of: Callable[..., Any]) -> Callable[..., Any]:
    return click.option("--verbose", is_flag=True, expose_value=False, help="Show where a bug of llmposter happened.")(
        of
    )


def checked(paths: Sequence[str]) -> Checked:
    from llmposter.lint import check

    return check(paths)


def show(diagnostics: Sequence[Diagnostic], *, err: bool = False) -> None:
    if diagnostics:
        from llmposter_dsl.report import text

        click.echo("\n".join(map(text, diagnostics)), err=err)


def counted(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"
