"""What variables can hold: all values, or the kinds of them, as rules set them; and where none is set yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from llmposter_dsl.expressions.parse import parse
from llmposter_dsl.expressions.syntax import Literal
from llmposter_dsl.program import Data, Expression, Value
from llmposter_dsl.types import kind_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from llmposter_dsl.program import Program, Rule
    from llmposter_dsl.types import Kind

_MOST_WAYS: Final = 200_000
"""Rules that are gone through, each in each state."""


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


def set_before(program: Program) -> Mapping[str, frozenset[str]]:
    """By state the variables that rules may have set before a request is tried there, if every rule can fire."""
    everything = frozenset((*program.vars, *program.shared))
    if not any(rule.set for rule in _rules(program)):
        return dict.fromkeys(program.states, program.shared)
    everywhere, left = (*program.always, *program.otherwise), _MOST_WAYS
    found: dict[str, frozenset[str]] = {}
    pending = [(state, program.shared) for state in program.states if program.begins(state)]
    while pending:
        state, names = pending.pop()
        known = found.get(state)
        if known is not None and names <= known:
            continue
        found[state] = names = names | (known or frozenset())
        rules = (*everywhere, *program.states[state])
        if (left := left - len(rules)) < 0:
            return dict.fromkeys(program.states, everything)
        pending += [(rule.goto or state, names.union(name for name, _ in rule.set)) for rule in rules if _moves(rule)]
    return {state: found.get(state, everything) for state in program.states}


def _moves(rule: Rule) -> bool:
    """Whether it leads elsewhere, or sets something."""
    return rule.goto is not None or bool(rule.set)


def kinds(program: Program) -> dict[str, frozenset[Kind]]:
    """By name the kinds of value that a variable can have; those are left out that may hold any JSON."""
    found: dict[str, set[str]] = {
        name: {kind_of(value)} for name, value in program.vars.items() if name not in program.shared
    }
    for name, source in (each for rule in _rules(program) for each in rule.set if each[0] in found):
        if isinstance(source, Data) and source.constant:
            found[name].add(kind_of(source.build(None)))  # type: ignore[arg-type]
        else:  # what has a type may be null all the same
            found[name] |= {source.type, "null"}
    return {name: cast("frozenset[Kind]", frozenset(each)) for name, each in found.items() if "json" not in each}


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
