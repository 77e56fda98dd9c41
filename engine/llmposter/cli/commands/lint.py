"""`llmposter lint`: what is wrong with scenarios, each with its exact place, in the form that its reader wants."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from llmposter.cli import shared

if TYPE_CHECKING:
    from llmposter.cli.fixing import Reader
    from llmposter.lint.checking import Checked
    from llmposter.lint.settings import Project, Settings

_FORMS = ("text", "short", "json", "jsonl", "sarif", "github", "junit", "gitlab")
_STDIN = "-"
_CODES: dict[str, Any] = {"multiple": True, "metavar": "CODES"}


@click.command()
@click.argument("paths", metavar="[PATH]...", nargs=-1, type=shared.Existing(stdin=True))
@click.option("--format", "form", default="text", show_default=True, type=click.Choice(_FORMS))
@click.option("--output", metavar="FILE", type=click.Path(dir_okay=False), help="Write what was found to a file.")
@click.option("--select", help="Tell these codes alone, as LP301 or LP3, with commas between them.", **_CODES)
@click.option("--extend-select", help="Tell these codes too.", **_CODES)
@click.option("--ignore", help="Do not tell these codes.", **_CODES)
@click.option("--fix", is_flag=True, help="Carry out safe fixes, and tell what is left.")
@click.option("--unsafe-fixes", is_flag=True, help="With --fix or --diff, carry out the others too.")
@click.option("--diff", is_flag=True, help="Show what --fix would change, and change nothing.")
@click.option("--strict", is_flag=True, help="Fail on warnings too.")
@click.option("--exit-zero", is_flag=True, help="Exit with 0 whatever is found.")
@click.option("--stdin-filename", metavar="NAME", help="Read standard input, as if it stood in this file.")
@click.option("--config", metavar="FILE", type=click.Path(), help="Take the configuration of this file.")
@click.option("--isolated", is_flag=True, help="Take no configuration.")
@click.option("--force-exclude", is_flag=True, help="Leave out what is excluded even where it is named.")
@shared.verbose
def lint(paths: Sequence[str], form: str, output: str | None, **options: Any) -> int:
    """Find what is wrong with scenarios, each with its exact place; without a PATH in the current folder.

    A PATH may be `-`, standard input; with `--fix` its text is written to standard output, and what is left to stderr.
    """
    from llmposter.cli import fixing
    from llmposter.lint.settings import Project

    unsafe = options["unsafe_fixes"]
    if unsafe and not (options["fix"] or options["diff"]):
        raise click.UsageError("--unsafe-fixes goes with --fix or --diff")
    with shared.configured():
        project = Project(options["config"], isolated=options["isolated"], given=_given(options))
        here = project.of("scenario.toml")
        reader = _reader(paths, options, project)
        if options["diff"]:
            return fixing.diff(reader, unsafe=unsafe, failing=not options["exit_zero"])
        checked, done = fixing.fix(reader, unsafe=unsafe) if options["fix"] else (reader.found(), 0)
    failed = False
    if checked.diagnostics or form != "text" or output is not None:
        strict, aside = options["strict"] or here.strict, options["fix"] and reader.stdin is not None
        failed = _tell(checked, form, output, strict=strict, aside=aside)
    click.echo(_summary(checked, done), err=True)
    return int(failed and not options["exit_zero"])


def _tell(checked: Checked, form: str, output: str | None, *, strict: bool, aside: bool) -> bool:
    """Writes what was found, *aside* to stderr; answers whether it fails."""
    from llmposter.lint.formats import Told, write

    colour = output is None and shared.coloured(sys.stderr if aside else sys.stdout)
    told = Told(checked.diagnostics, checked.files, strict, shared.paint(on=colour))
    _put(write(form, told), output, colour=colour, aside=aside)
    return any(map(told.fails, checked.diagnostics))


def _given(options: dict[str, Any]) -> Callable[[Settings], Settings]:
    """What the command line selects takes the place of what a project selects and ignores; the rest adds to it."""
    from msgspec.structs import replace

    from llmposter.lint.selecting import Choice, ignorable, known

    select, extend = _codes(options["select"], known), _codes(options["extend_select"], known)
    ignore = _codes(options["ignore"], ignorable)

    def given(settings: Settings) -> Settings:
        was = Choice(select) if select else settings.choice
        choice = Choice(was.select, (*was.extend, *extend), (*was.ignore, *ignore))
        return replace(settings, choice=choice)

    return given


def _codes(given: Iterable[str], of: Callable[[str], str]) -> tuple[str, ...]:
    from llmposter.lint.selecting import Unknown

    try:
        return tuple(of(code) for each in given for code in each.split(","))
    except Unknown as error:
        raise shared.Trouble(str(error)) from error


def _reader(paths: Sequence[str], options: dict[str, Any], project: Project) -> Reader:
    from llmposter import lint as checks
    from llmposter.cli.fixing import Reader

    name: str | None = options["stdin_filename"]
    if name is None and _STDIN not in paths:
        given = paths or ["."]
        if options["force_exclude"]:
            given = [path for path in given if not project.of(path).excluded(path)]
        return Reader(lambda _: checks.check(given, project))
    if any(path != _STDIN for path in paths):
        raise click.UsageError("standard input is read alone, without another PATH")
    called = name or "stdin"
    path = os.path.abspath(called)  # noqa: PTH100 - there need be no such file
    return Reader(lambda texts: checks.check_text(texts[path], called, project), (path, sys.stdin.buffer.read()))


def _put(text: str, output: str | None, *, colour: bool, aside: bool) -> None:
    if output is None:
        click.echo(text, nl=False, color=colour, err=aside)
        return
    try:
        Path(output).write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")
    except OSError as error:
        raise shared.Trouble(f'cannot write "{output}": {(error.strerror or str(error)).lower()}') from error


def _summary(checked: Checked, done: int) -> str:
    found = [each.severity for each in checked.diagnostics]
    kinds = (("error", "error"), ("warning", "warning"), ("info", "remark"))
    told = [shared.counted(found.count(kind), word) for kind, word in kinds if kind in found]
    fixed = f", {done} fixed" if done else ""
    return f"{shared.counted(len(checked.files), 'file')}: {', '.join(told) or 'no findings'}{fixed}{_offer(checked)}"


def _offer(checked: Checked) -> str:
    """How many of the findings `--fix` would take away."""
    if not any(each.fixes for each in checked.diagnostics):
        return ""
    from llmposter.lint.fixing import fixable

    safe = fixable(checked.diagnostics)
    unsafe = fixable(checked.diagnostics, unsafe=True) - safe
    told = [f"{safe} with `--fix`"] * (safe > 0) + [f"{unsafe} with `--fix --unsafe-fixes`"] * (unsafe > 0)
    return f"; can be fixed: {' and '.join(told)}" if told else ""
