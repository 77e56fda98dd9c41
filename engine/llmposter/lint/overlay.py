"""What `llmposter test --coverage-file` wrote, as it lies over the picture of a scenario."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import msgspec

from llmposter.lint.coverage import every_rule
from llmposter.model import Struct

if TYPE_CHECKING:
    from llmposter_dsl.program import Program

Verdict: TypeAlias = Literal["covered", "partly", "missing"]


class Unfit(Exception):  # noqa: N818 - it says what the file is
    """The file says nothing of the scenario as it is now; the message says why."""


class _State(Struct, frozen=True):
    name: str
    requests: int


class _Branch(Struct, frozen=True):
    true: int
    false: int


class _Rule(Struct, frozen=True):
    name: str
    fired: Mapping[str, int]
    branches: tuple[_Branch, ...] = ()


class _Scenario(Struct, frozen=True):
    scenario: str
    states: tuple[_State, ...]
    rules: tuple[_Rule, ...]


class _File(Struct, frozen=True):
    version: Literal[1]
    scenarios: tuple[_Scenario, ...]


class Overlay:
    """What examples covered of one scenario."""

    def __init__(self, of: _Scenario) -> None:
        self.states = {each.name: each.requests for each in of.states}
        self._rules = {each.name: each for each in of.rules}

    def of_state(self, name: str) -> Verdict:
        """Whether a request came there."""
        return "covered" if self.states[name] else "missing"

    def of_rule(self, name: str, state: str) -> tuple[Verdict, str]:
        """Whether the rule fired in that state, and all that its condition can come to was seen; and both in words."""
        rule = self._rules[name]
        count = rule.fired.get(state, 0)
        if not count:
            return "missing", "never"
        seen = [bool(count) for branch in rule.branches for count in (branch.true, branch.false)]
        if all(seen):
            return "covered", f"{count}x"
        return "partly", f"{count}x, branches {sum(seen)}/{len(seen)}"


def read(data: bytes, name: str, program: Program) -> Overlay:
    """What a file called *name* says of *program*.

    Raises:
        Unfit: nothing, or it speaks of other states or rules.
    """
    scenarios = _scenarios(data, name)
    of = next((each for each in scenarios if each.scenario == program.name), None)
    if of is None:
        known = ", ".join(f'"{each.scenario}"' for each in scenarios) or "none"
        raise Unfit(f'"{name}" has no coverage of scenario "{program.name}": it is of {known}')
    now: Any = [*program.states], [rule.name for rule in every_rule(program)]
    if now != ([each.name for each in of.states], [each.name for each in of.rules]):
        raise Unfit(f'"{name}" is of another scenario "{program.name}" than there is now: run `llmposter test` again')
    return Overlay(of)


def check(data: bytes, name: str) -> None:
    """Raises what `read` raises where a file called *name* is of no scenario at all."""
    _scenarios(data, name)


def _scenarios(data: bytes, name: str) -> tuple[_Scenario, ...]:
    try:
        return msgspec.json.decode(data, type=_File).scenarios
    except msgspec.MsgspecError as error:
        raise Unfit(f'"{name}" is not what `llmposter test --coverage-file` writes: {_lower(error)}') from error


def _lower(error: Exception) -> str:
    text = str(error)
    return text[:1].lower() + text[1:]
