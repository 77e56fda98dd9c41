"""`llmposter test`: play the examples of scenarios offline, and say what they covered."""

from __future__ import annotations

from collections.abc import Sequence

import click

from llmposter.cli import shared


@click.command()
@shared.paths
@shared.verbose
def test(paths: Sequence[str]) -> int:
    """Play the examples of scenarios offline, and say which states and rules they covered."""
    checked = shared.checked(paths)
    # A failing example is told below, where it belongs.
    broken = [each for each in checked.diagnostics if each.severity == "error" and each.code != "LP307"]
    shared.show(broken)

    from llmposter.lint import passed, report

    for program, results in zip(checked.programs, checked.results, strict=True):
        click.echo("\n".join(report(program, results)))
    every = [result for results in checked.results for result in results]
    failed = sum(bool(result.failures) for result in every)
    click.echo(f"{len(every) - failed} of {shared.counted(len(every), 'example')} passed", err=True)
    return int(bool(broken) or not passed(every))
