"""`llmposter test`: play the examples of scenarios offline, and say what they covered."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from llmposter.cli import shared

if TYPE_CHECKING:
    from llmposter.lint.checking import Checked
    from llmposter.lint.coverage import Coverage
    from llmposter.lint.telling import Told
    from llmposter_dsl.diagnostic import Diagnostic

_NAME: dict[str, Any] = {"multiple": True, "metavar": "NAME"}


@click.command()
@shared.paths
@click.option("-k", "names", help="Play the examples alone whose name has this in it.", **_NAME)
@click.option("--provider", "providers", help="Play them on this format alone.", **_NAME)
@click.option("--coverage", "branches", is_flag=True, help="Say what conditions never came to, too.")
@click.option(
    "--coverage-file", metavar="FILE", type=click.Path(dir_okay=False), help="Write what was covered as JSON."
)
@click.option("--append", is_flag=True, help="Add what was covered to what that file has already.")
@click.option("--fail-under", metavar="PERCENT", type=click.FloatRange(0, 100), help="Fail if less is covered.")
@click.option("--format", "form", default="text", show_default=True, type=click.Choice(["text", "json", "junit"]))
@shared.verbose
def test(paths: Sequence[str], form: str, coverage_file: str | None, fail_under: float | None, **chosen: Any) -> int:
    """Play the examples of scenarios offline, and say which states and rules they covered."""
    append = chosen.pop("append")
    if append and coverage_file is None:
        raise click.UsageError("--append goes with --coverage-file")
    checked = shared.checked(paths)
    # A failing example is told below, where it belongs.
    broken = [each for each in checked.diagnostics if each.severity == "error" and each.code != "LP307"]

    from llmposter.lint import passed

    told = _played(checked, **{**chosen, "branches": chosen["branches"] or coverage_file is not None})
    _tell(form, told, broken)
    if coverage_file is not None:
        _write(coverage_file, [each.coverage for each in told], append=append)
    every = [result for each in told for result in each.results]
    failed = sum(bool(result.failures) for result in every)
    click.echo(f"{len(every) - failed} of {shared.counted(len(every), 'example')} passed", err=True)
    enough = fail_under is None or _enough([each.coverage for each in told], fail_under)
    return int(bool(broken) or not passed(every) or not enough)


def _played(checked: Checked, names: Sequence[str], providers: Sequence[str], *, branches: bool) -> list[Told]:
    from llmposter.lint import play
    from llmposter.lint.telling import Told
    from llmposter.wire import load

    for provider in providers:
        if provider not in load():
            raise shared.Trouble(f'there is no provider "{provider}": it is one of {", ".join(load())}')
    if not (names or providers or branches):
        return [Told(*each) for each in zip(checked.programs, checked.results, strict=True)]
    told = [
        Told(program, play(program, providers or None, names=names, branches=branches), branches=branches)
        for program in checked.programs
    ]
    if names and checked.programs and not any(each.results for each in told):
        raise shared.Trouble(f"no example has {' or '.join(json.dumps(name) for name in names)} in its name")
    return told


def _tell(form: str, told: Sequence[Told], broken: Sequence[Diagnostic]) -> None:
    from llmposter.lint import telling

    if form == "json":
        click.echo(json.dumps(telling.data(told, broken), ensure_ascii=False, indent=2))
    elif form == "junit":
        click.echo(telling.junit(told, broken), nl=False)
    else:
        shared.show(broken)
        for each in told:
            click.echo("\n".join(telling.text(each)))


def _write(path: str, covered: Iterable[Coverage], *, append: bool) -> None:
    from llmposter.lint import coverage

    scenarios = list(map(coverage.data, covered))
    if append and Path(path).exists():
        scenarios = _added(path, scenarios)
    text = json.dumps({"version": 1, "scenarios": scenarios}, ensure_ascii=False, indent=2)
    try:
        Path(path).write_text(f"{text}\n", encoding="utf-8")
    except OSError as error:
        raise shared.Trouble(f'cannot write "{path}": {(error.strerror or str(error)).lower()}') from error


def _added(path: str, scenarios: list[dict[str, Any]]) -> list[dict[str, Any]]:
    from llmposter.lint import adding, overlay

    try:
        return adding.added(adding.read(Path(path).read_bytes(), path), scenarios)
    except overlay.Unfit as error:
        raise shared.Trouble(str(error)) from error
    except OSError as error:
        raise shared.Trouble(f'cannot read "{path}": {(error.strerror or str(error)).lower()}') from error


def _enough(covered: Sequence[Coverage], least: float) -> bool:
    from llmposter.lint.coverage import total

    share = total(covered)
    if share.percent >= least:
        return True
    click.echo(f"covered are {share} ({_floor(share.percent)} %), at least {least:g} % is asked for", err=True)
    return False


def _floor(percent: float) -> str:
    """With one digit, rounded down: 99.96 is not enough where 100 is asked for, and must not look so."""
    return f"{int(percent * 10) / 10:g}"
