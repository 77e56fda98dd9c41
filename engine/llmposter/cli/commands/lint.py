"""`llmposter lint`: what is wrong with scenarios, each with its exact place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from llmposter.cli import shared

if TYPE_CHECKING:
    from llmposter.lint.checking import Checked


@click.command()
@shared.paths
@click.option("--format", "form", default="text", show_default=True, type=click.Choice(["text", "json"]))
@click.option("--strict", is_flag=True, help="Fail on warnings too.")
@shared.verbose
def lint(paths: Sequence[str], form: str, strict: bool) -> int:  # noqa: FBT001 - click's
    """Find what is wrong with scenarios, each with its exact place."""
    checked = shared.checked(paths)
    if form == "json":
        import json

        from llmposter_dsl.report import record

        click.echo(json.dumps([record(each) for each in checked.diagnostics], ensure_ascii=False, indent=2))
    else:
        shared.show(checked.diagnostics)
        click.echo(_summary(checked), err=True)
    warned = any(each.severity == "warning" for each in checked.diagnostics)
    return int(checked.failed or (strict and warned))


def _summary(checked: Checked) -> str:
    found = [each.severity for each in checked.diagnostics]
    kinds = (("error", "error"), ("warning", "warning"), ("info", "remark"))
    told = [shared.counted(found.count(kind), word) for kind, word in kinds if kind in found]
    return f"{shared.counted(len(checked.files), 'file')}: {', '.join(told) or 'no findings'}"
