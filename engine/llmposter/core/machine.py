"""A Program as a state machine: states and rules as edges, for drawing; and the same steps as its tables give.

Sole importer of `transitions`. The server answers by `core.tables`, which a property test keeps equal to this.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import transitions

from llmposter.core.tables import Tables
from llmposter.core.walker import MOST_PASSES, Walker

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llmposter.core.conversation import Conversation, Moment, Step
    from llmposter.model import Turn
    from llmposter_dsl.program import Program, Rule

__all__ = ["MOST_PASSES", "Diagram", "Edge", "Machine"]

_EVENT: Final = "turn"


@dataclass(frozen=True, slots=True)
class Edge:
    """A rule as it leads from one state to another, or back to the same."""

    source: str
    dest: str
    rule: Rule


@dataclass(frozen=True, slots=True)
class Diagram:
    """The machine as a picture shows it; states and edges in the order of the file."""

    states: tuple[str, ...]
    start: str
    final: frozenset[str]
    edges: tuple[Edge, ...]


class Machine(Tables):
    """One Program, ready to answer and to be drawn."""

    def stepped(self, conversation: Conversation, turn: Turn, moment: Moment) -> Step:
        """As `advance`, by the state machine: every rule is tried, and `transitions` moves the state."""
        walker = Walker.of(self.program, conversation, turn, moment)
        walker.check(self.program.expect)
        while self._fires(walker):
            if walker.outcome is not None:
                return walker.answered()
            if len(walker.passed) > MOST_PASSES:
                break
        return walker.missed()

    def diagram(self) -> Diagram:
        """States and edges, for drawing."""
        return Diagram(tuple(self._machine.states), self.program.start, self.program.final, tuple(self.edges()))

    def edges(self) -> Iterator[Edge]:
        """Each rule from each state in which it stands; rules of `always` and `otherwise` stand in all."""
        for taken in self._machine.get_transitions(_EVENT):
            assert isinstance(taken, Taken)
            yield Edge(taken.source, taken.dest or taken.source, taken.rule)

    def _fires(self, walker: Walker) -> bool:
        event = self._machine.events.get(_EVENT)
        # A state without rules has no transitions, which the library takes for a mistake.
        if event is None or walker.state not in event.transitions:
            return False
        return event.trigger(walker)

    @cached_property
    def _machine(self) -> transitions.Machine:
        return _machine(self.program)


class Taken(transitions.Transition):
    """A rule in one state. It asks the walker, so that a rule that does not fire costs next to nothing."""

    def __init__(self, source: str, dest: str | None, *_: Any, rule: Rule) -> None:
        # None keeps the state, whatever the library's type says.
        super().__init__(source, dest, before=[self._fire], after=[self._settle])  # type: ignore[arg-type]
        self.rule = rule

    def execute(self, event_data: transitions.EventData) -> bool:
        """Whether the rule fired."""
        return _walker(event_data).allows(self.rule) and super().execute(event_data)

    def _fire(self, event: transitions.EventData) -> None:
        _walker(event).fire(self.rule)

    def _settle(self, event: transitions.EventData) -> None:
        _walker(event).settle(self.rule)


class _Machine(transitions.Machine):
    transition_cls = Taken


def _machine(program: Program) -> transitions.Machine:
    machine = _Machine(model=None, states=list(program.states), initial=None, auto_transitions=False, send_event=True)
    for state, rules in program.states.items():
        for rule in (*program.always, *rules, *program.otherwise):
            # The library takes any name for a state until somebody goes there.
            assert rule.goto is None or rule.goto in program.states, f"rule {rule.name!r} goes to no state"
            machine.add_transition(_EVENT, state, rule.goto, rule=rule)
    return machine


def _walker(event: transitions.EventData) -> Walker:
    assert isinstance(event.model, Walker)
    return event.model
