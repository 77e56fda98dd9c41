"""`llmposter paths`: examples that would cover what those of a scenario do not, ready to paste."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from llmposter.cli import shared

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llmposter.lint.pathing import Paths
    from llmposter_dsl.program import Program
    from llmposter_dsl.tree import Kind


@click.command()
@click.argument("path", type=shared.Existing())
@click.option("--provider", default="openai", show_default=True, help="Whose format the requests have.")
@click.option("--turns", default=12, show_default=True, type=click.IntRange(1, 100), help="Of one example at most.")
@click.option("--no-branches", is_flag=True, help="Cover states and rules, not each part of each condition.")
@click.option("--format", "form", type=click.Choice(["toml", "yaml"]), help="What to write: by default what PATH is.")
@shared.verbose
def paths(path: str, provider: str, turns: int, no_branches: bool, form: Any) -> int:  # noqa: FBT001 - click's
    """Print examples that would cover what those of a scenario do not, ready to paste."""
    compiled = shared.one(path, "examples")
    if compiled is None or compiled.program is None:
        return 1

    from llmposter.lint import pathing
    from llmposter.wire import load

    if provider not in load():
        raise shared.Trouble(f'there is no provider "{provider}": it is one of {", ".join(load())}')
    document = compiled.documents[0]
    found = pathing.paths(compiled.program, document, provider, turns, branches=not no_branches)
    if found.examples:
        kind: Kind = form or ("yaml" if document.kind == "yaml" else "toml")
        click.echo(_text(found, kind, more=bool(compiled.program.examples)), nl=False)
    for line in _missed(compiled.program, found):
        click.echo(line, err=True)
    click.echo(_summary(found), err=True)
    return int(bool(found.missed))


def _text(found: Paths, kind: Kind, *, more: bool) -> str:
    """In YAML without the key, where the scenario has it already."""
    from llmposter_dsl.writing import write

    text = write({"examples": list(found.examples)}, "yaml" if kind == "yaml" else "toml")
    return text.removeprefix("examples:\n") if more and kind == "yaml" else text


def _missed(program: Program, found: Paths) -> Iterator[str]:
    """What stays uncovered; nothing of the conditions of a rule that does."""
    from llmposter.lint.branches import leaves
    from llmposter.lint.coverage import every_rule
    from llmposter_dsl.place import where

    yield from (f'no way to state "{state}" was found' for state in program.states if ("state", state) in found.missed)
    for rule in every_rule(program):
        if ("rule", rule.name) in found.missed:
            yield f'no way to rule "{rule.name}" was found ({where(rule.place)})'
            continue
        for path, part in leaves(rule):
            for held, word in ((True, "true"), (False, "false")):
                if ("branch", rule.name, path, held) in found.missed:
                    yield f"no way to make {part.text} {word} was found ({where(part.place)})"


def _summary(found: Paths) -> str:
    if not found.examples:
        return "no example was found" if found.missed else "the examples of the scenario cover all of it"
    some = "some of " if found.missed else ""
    return f"{shared.counted(len(found.examples), 'example')} to add, for {some}what was not covered"
