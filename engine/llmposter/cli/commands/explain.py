"""`llmposter explain`: what a request would get from scenarios, and why."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from llmposter.cli import shared


@click.command()
@shared.paths
@click.option("--request", "given", required=True, metavar="FILE", help="The request as JSON; - reads it from stdin.")
@click.option("--provider", help="Whose format it is, where its path does not tell.")
@click.option("--state", help="Look from this state, in place of where its history leads.")
@click.option("--var", "variables", multiple=True, metavar="NAME=VALUE", help="A variable's value, as JSON or text.")
@click.option("--rule", help="Tell all about this rule alone.")
@click.option("--format", "form", default="text", show_default=True, type=click.Choice(["text", "json"]))
@shared.verbose
def explain(  # noqa: PLR0913, PLR0917 - an argument for each option
    paths: Sequence[str],
    given: str,
    provider: str | None,
    state: str | None,
    variables: Sequence[str],
    rule: str | None,
    form: str,
) -> int:
    """Tell which rule a request would meet, with the value of every condition, and what would match."""
    checked = shared.checked(paths)
    if checked.failed:
        shared.show([each for each in checked.diagnostics if each.severity == "error"], err=True)
        return 1

    from llmposter.core.clock import ManualClock
    from llmposter.core.looking import Instead
    from llmposter.core.mock import Mock
    from llmposter.lint.player import START
    from llmposter.server import explaining

    instead = Instead(state, dict(map(_variable, variables))) if state or variables else None
    try:
        read = explaining.read(_json(given), provider)
        told = explaining.explained(Mock(checked.programs, ManualClock(START)), read, instead)
    except explaining.NoRequest as wrong:
        raise shared.Trouble(str(wrong)) from wrong
    told = told if rule is None else _only(told, rule)
    click.echo(json.dumps(told, ensure_ascii=False, indent=2) if form == "json" else "\n".join(_lines(told)))
    return 0 if told.get("fires") else 1


def _json(path: str) -> Any:
    try:
        text = sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        raise shared.Trouble(f'cannot read "{path}": {getattr(error, "strerror", None) or error}') from error
    try:
        return json.loads(text)
    except ValueError as error:
        raise shared.Trouble(f'"{path}" is not JSON: {error}') from error


def _variable(text: str) -> tuple[str, Any]:
    name, is_, value = text.partition("=")
    if not is_:
        raise shared.Trouble(f'"{text}" gives no variable a value: write `--var city=Paris`')
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def _only(told: dict[str, Any], name: str) -> dict[str, Any]:
    """With one rule alone."""
    stages = told.get("stages", [])
    named = [rule["name"] for stage in stages for rule in stage["rules"]]
    if name not in named:
        raise shared.Trouble(f'no rule "{name}" is tried for this request: {", ".join(named) or "none is"}')
    kept = [{**stage, "rules": [rule for rule in stage["rules"] if rule["name"] == name]} for stage in stages]
    return {**told, "stages": [stage for stage in kept if stage["rules"]]}


# --- as text ------------------------------------------------------------------------------------------------------


def _lines(told: Mapping[str, Any]) -> Iterator[str]:
    if told["assumed"]:
        yield f"read as {told['provider']}; --provider says otherwise"
    if told["scenario"] is None:
        yield told["why"]
        return
    yield f'scenario "{told["scenario"]}" ({told["file"]}), attempt {told["attempt"]}{_variables(told["vars"])}'
    if told["foreign"] is not None:
        refused = ", and is refused" if told["refused"] else ""
        yield f"its history is not this scenario's from messages[{told['foreign']}] on{refused}"
    for stage in told["stages"]:
        yield f'state "{stage["state"]}"'
        for rule in stage["rules"]:
            yield from _rule(rule)
    yield ""
    yield _end(told)
    yield from (f"violation: {each}" for each in told["violations"])


def _variables(values: Mapping[str, Any]) -> str:
    return "".join(f", {name} = {json.dumps(value, ensure_ascii=False)}" for name, value in values.items())


def _rule(rule: Mapping[str, Any]) -> Iterator[str]:
    yield f"  {rule['name']} ({rule['place']}) {rule['verdict']}"
    if rule["when"] is not None:
        yield from _condition(rule["when"], "      ")
    yield from (f"      to match: {each}" for each in rule["changes"])


def _condition(told: Mapping[str, Any], indent: str) -> Iterator[str]:
    values = ", ".join(f"{text} is {value}" for text, value in told["values"].items())
    held = "true " if told["held"] else "false"
    shown = f"{told['word']}:" if told["word"] else f"{' '.join(told['text'].split())}{values and f'   ({values})'}"
    yield f"{indent}{held} {shown}"
    for each in told["operands"]:
        yield from _condition(each, f"{indent}  ")


def _end(told: Mapping[str, Any]) -> str:
    if not told["fires"]:
        return f"no rule answers; the closest is {told['closest']}" if told["closest"] else str(told["why"])
    goes = "" if told["state_after"] == told["stages"][-1]["state"] else f', and state "{told["state_after"]}" follows'
    return f"{told['fires']} answers: {told['answer']}{goes}"
