"""The conditions of rules, down to what joins no others, and what each of these came to for one request.

As a server does, what `and` or `or` need not ask is not asked: it counts neither as true nor as false.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from llmposter.core.walker import MOST_PASSES, Walker
from llmposter_dsl.expressions.syntax import Literal

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from llmposter.core.conversation import Conversation, Moment
    from llmposter.core.facts import Facts
    from llmposter.model import Turn
    from llmposter_dsl.program import Branch, Condition, Program, Rule

Path: TypeAlias = tuple[int, ...]
"""The operands that lead from the whole condition of a rule to a part of it; empty for the whole."""


class Came(NamedTuple):
    """What one part of the condition of a rule came to."""

    rule: Rule
    path: Path
    held: bool


def leaves(rule: Rule) -> Iterator[tuple[Path, Condition]]:
    """The parts of its condition that join no others, in order; literals, which are always the same, are none."""
    if rule.when is None:
        return
    if rule.when.apart is None:
        yield (), rule.when
        return
    yield from _leaves(rule.when.apart(), ())


def _leaves(branch: Branch, path: Path) -> Iterator[tuple[Path, Condition]]:
    if not branch.word:
        if not isinstance(branch.node, Literal):
            yield path, branch.condition
        return
    for number, operand in enumerate(branch.operands):
        yield from _leaves(operand, (*path, number))


def came(program: Program, stands: Conversation, turn: Turn, moment: Moment) -> Iterator[Came]:
    """What is asked for this request where the conversation *stands*, in order."""
    walker = Walker.of(program, stands, turn, moment)
    while len(walker.passed) <= MOST_PASSES:
        rule = yield from _first(program, walker)
        if rule is None:
            return
        walker.fire(rule)
        walker.state = rule.goto or walker.state
        walker.settle(rule)
        if walker.outcome is not None:
            return


def _first(program: Program, walker: Walker) -> Generator[Came, None, Rule | None]:
    """What is asked until a rule fires, which is returned."""
    for rule in (*program.always, *program.states.get(walker.state, ()), *program.otherwise):
        used_up = rule.times is not None and walker.stands.fired.get(rule.name, 0) >= rule.times
        if rule.when is not None and not used_up:
            walker.facts.groups = {}
            if rule.when.apart is None:
                yield Came(rule, (), rule.when.holds(walker.facts))
            else:
                yield from _asked(rule, rule.when.apart(), (), walker.facts)
        if walker.allows(rule):
            return rule
    return None


def _asked(rule: Rule, branch: Branch, path: Path, facts: Facts) -> Generator[Came, None, bool]:
    """What is asked of one part, whose own value is returned."""
    if not branch.word:
        held = branch.condition.holds(facts)
        if not isinstance(branch.node, Literal):
            yield Came(rule, path, held)
        return held
    held = branch.word == "and"
    for number, operand in enumerate(branch.operands):
        held = yield from _asked(rule, operand, (*path, number), facts)
        if branch.word == "not":
            return not held
        if held == (branch.word == "or"):
            break
    return held
