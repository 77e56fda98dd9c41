"""What requests went through, counted: states, rules, and what the conditions of rules came to."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from llmposter.core.conversation import Step
    from llmposter.lint.branches import Came, Path


@dataclass(slots=True)
class Covered:
    """Counts of requests.

    Attributes:
        states: that they were in, or came through.
        rules: that fired, by the state they fired in and their name.
        branches: by rule, part of its condition, and what that came to.
    """

    states: Counter[str] = field(default_factory=Counter)
    rules: Counter[tuple[str, str]] = field(default_factory=Counter)
    branches: Counter[tuple[str, Path, bool]] = field(default_factory=Counter)

    def went(self, step: Step) -> None:
        """One request, and what the machine did with it."""
        state = step.before.state
        through = {state, step.after.state}
        for rule in (*step.passed, *([step.rule] if step.rule else [])):
            self.rules[state, rule.name] += 1
            state = rule.goto or state
            through.add(state)
        self.states.update(through)

    def asked(self, came: Iterable[Came]) -> None:
        """What conditions came to for one request."""
        self.branches.update((each.rule.name, each.path, each.held) for each in came)


def all_of(several: Iterable[Covered]) -> Covered:
    """The sum."""
    total = Covered()
    for each in several:
        total.states.update(each.states)
        total.rules.update(each.rules)
        total.branches.update(each.branches)
    return total
