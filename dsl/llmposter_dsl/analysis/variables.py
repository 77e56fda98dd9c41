"""The values that variables can ever have, where every rule that sets one sets it to something known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmposter_dsl.expressions.parse import parse
from llmposter_dsl.expressions.syntax import Literal
from llmposter_dsl.program import Data, Expression, Value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llmposter_dsl.program import Program, Rule


def variables(program: Program) -> dict[str, tuple[Value, ...]]:
    """By name all values that a variable can have; those are left out of which that is not known."""
    found: dict[str, list[Value] | None] = {
        name: [value] for name, value in program.vars.items() if name not in program.shared
    }
    for name, source in (each for rule in _rules(program) for each in rule.set):
        known, value = found.get(name), _constant(source)
        if known is not None:
            found[name] = None if value is None else [*known, *value]
    return {name: tuple(values) for name, values in found.items() if values is not None}


def _rules(program: Program) -> Iterator[Rule]:
    yield from program.always
    for rules in program.states.values():
        yield from rules
    yield from program.otherwise


def _constant(source: Expression | Data) -> tuple[Value] | None:
    if isinstance(source, Data):
        return (source.build(None),) if source.constant else None  # type: ignore[arg-type]
    # Most expressions name something; those that do are not read again.
    tree = parse(source.text, "start") if source.text.strip()[:1] in "\"'-0123456789tfn[{" else None
    return (tree.value,) if isinstance(tree, Literal) else None
