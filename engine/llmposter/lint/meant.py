"""The rules of a scenario, and for whom they are: what a condition says of the provider alone keeps the others out."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llmposter.model import Wire
    from llmposter_dsl.program import Condition, Program, Rule


def rules(program: Program) -> Iterator[Rule]:
    """Every rule, in the order in which they are tried."""
    yield from program.always
    for each in program.states.values():
        yield from each
    yield from program.otherwise


def meant_for(wire: Wire, condition: Condition | None) -> bool:
    """Whether what a condition says of `provider` alone holds for this one."""
    if condition is None:
        return True
    env: Any = SimpleNamespace(provider=wire.name, vars={}, groups={})
    parts = condition.parts or (condition,)
    return all(part.holds(env) for part in parts if {each.text for each in part.subjects} == {"provider"})
