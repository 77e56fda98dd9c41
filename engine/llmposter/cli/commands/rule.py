"""`llmposter rule`: what a code means, why it is a mistake, and what to write instead."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from llmposter.cli import shared

if TYPE_CHECKING:
    from llmposter_dsl.documentation import Documentation


@click.command()
@click.argument("codes", metavar="[CODE]...", nargs=-1)
@click.option("--format", "form", default="text", show_default=True, type=click.Choice(["text", "json"]))
@shared.verbose
def rule(codes: Sequence[str], form: str) -> int:
    """Explain a check by its CODE, LP301; a family by its beginning, LP3; without one list them all."""
    from llmposter.lint.selecting import Unknown, matching
    from llmposter_dsl.documentation import of

    try:
        told = [of(code) for code in matching(codes)]
    except Unknown as error:
        raise shared.Trouble(str(error)) from error
    if form == "json":
        import json

        click.echo(json.dumps([_record(each) for each in told], ensure_ascii=False, indent=2))
    elif any(len(code) == len("LP301") for code in codes):
        click.echo("\n\n".join(map(_page, told)))
    else:
        click.echo("\n".join(f"{each.code}  {_level(each):11}  {each.meta.title}" for each in told))
    return 0


def _page(told: Documentation) -> str:
    return f"# {told.code}: {told.meta.title}\n\n`{told.name}`, {_level(told)}\n\n{told.plain}"


def _level(told: Documentation) -> str:
    from llmposter.lint.selecting import level

    return level(told.meta)


def _record(told: Documentation) -> dict[str, Any]:
    return {
        "code": told.code,
        "name": told.name,
        "severity": told.meta.severity,
        "title": told.meta.title,
        "summary": told.summary,
        "selected": not told.meta.asked,
        "documentation": told.plain,
    }
