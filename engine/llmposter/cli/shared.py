"""What commands have in common: the paths they are given, how they end, and how they tell what was found."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

if TYPE_CHECKING:
    from llmposter.lint.checking import Checked
    from llmposter_dsl.compiler import Compiled
    from llmposter_dsl.diagnostic import Diagnostic


class Trouble(click.ClickException):
    """It could not run; the message is one line for the user."""

    exit_code = 2


class Existing(click.ParamType[str]):
    """A file or folder that is there; with *stdin* also `-`."""

    name = "path"

    def __init__(self, *, stdin: bool = False) -> None:
        self.stdin = stdin

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ARG002
        if not (self.stdin and value == "-") and not Path(value).exists():
            raise Trouble(f'there is no file or folder "{value}"')
        return value


def paths(many: Callable[..., Any]) -> Callable[..., Any]:
    return click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=Existing())(many)


def verbose(of: Callable[..., Any]) -> Callable[..., Any]:
    return click.option("--verbose", is_flag=True, expose_value=False, help="Show where a bug of llmposter happened.")(
        of
    )


def checked(paths: Sequence[str]) -> Checked:
    """Every finding that the project wants told."""
    from llmposter.lint import check
    from llmposter.lint.settings import Project

    with configured():
        return check(paths, Project())


@contextmanager
def configured() -> Iterator[None]:
    """What is wrong in a configuration is told, and nothing else is done then."""
    from llmposter.lint.settings import Misconfigured

    try:
        yield
    except Misconfigured as error:
        show(error.found, err=True)
        raise Trouble(str(error)) from error


def one(path: str, without: str) -> Compiled | None:
    """The only scenario that *path* names; None after what is wrong with it was shown.

    *without* says what a fixture file has none of.
    """
    from llmposter.fixtures import is_fixture_file
    from llmposter_dsl import compiler

    if is_fixture_file(path):
        raise Trouble(f'"{path}" is a fixture file, which has one state and no {without}')
    files = compiler.scenario_files([path])
    if len(files) != 1:
        raise Trouble(f'"{path}" holds {counted(len(files), "scenario")}: name the one')
    compiled = compiler.compile_path(files[0])
    if compiled.program is None:
        show(compiled.diagnostics, err=True)
        return None
    return compiled


def show(diagnostics: Sequence[Diagnostic], *, err: bool = False) -> None:
    """Prints findings with the lines that they speak of."""
    if diagnostics:
        from llmposter_dsl.report import text

        colour = coloured(sys.stderr if err else sys.stdout)
        painted = paint(on=colour)
        click.echo("\n".join(text(each, painted) for each in diagnostics), err=err, color=colour)


def coloured(stream: TextIO) -> bool:
    """Whether to write in colour: https://no-color.org, https://force-color.org; else for a terminal that can."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def paint(*, on: bool) -> Callable[[str, str], str]:
    """What colours a text, or leaves it."""
    from llmposter_dsl import report

    return report.coloured if on else report.plain


def counted(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"
