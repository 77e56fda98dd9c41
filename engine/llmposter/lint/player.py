"""Plays the examples of a scenario through the mock itself, on a clock of their own, each alone.

No socket and no server: what a client would see is looked at before a wire writes it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from llmposter.core.clock import ManualClock
from llmposter.core.conformance import in_our_words
from llmposter.core.conversation import Conversation, Step
from llmposter.core.delivery import damage, plan
from llmposter.core.machine import Machine
from llmposter.core.mock import Mock
from llmposter.lint.branches import came
from llmposter.lint.client import Client, Unplayable
from llmposter.lint.covered import Covered, all_of
from llmposter.lint.letting_in import key_of, let_in
from llmposter.lint.said import Said
from llmposter.model import Reply, Wait
from llmposter.wire import load
from llmposter_dsl.program import Chaos

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from llmposter.model import BadRequest, Turn, Unpaired, Wire
    from llmposter_dsl.place import Place
    from llmposter_dsl.program import Condition, Example, ExampleTurn, Program

START: Final = 1_767_225_600.0
"""When an example begins: 2026-01-01, so that `now()` gives the same text each time."""

MOST: Final = 1_000
"""Requests of one example; each carries the whole history, so that their cost grows with the square."""

_LITERAL: Final = re.compile(r""""(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'""")


@dataclass(frozen=True, slots=True)
class Fault:
    """What was expected and did not come, with the place of the expectation."""

    place: Place
    message: str


@dataclass(frozen=True, slots=True)
class ExampleResult:
    """How one example went, on the formats on which it went so.

    Attributes:
        apart: it went otherwise on other formats, so that a message has to name these.
        failures: of the first turn that failed; empty where the example passed.
        covered: what it went through.
    """

    name: str
    providers: tuple[str, ...]
    place: Place
    apart: bool = False
    failures: tuple[Fault, ...] = ()
    covered: Covered = field(default_factory=Covered, hash=False)

    @property
    def title(self) -> str:
        """How messages call it."""
        return f'example "{self.name}"' + (f" on {', '.join(self.providers)}" if self.apart else "")


class Chosen(NamedTuple):
    """Which examples are played, and how.

    Attributes:
        providers: on these formats only; None for all that an example names.
        names: those whose name has one of these texts in it, whatever its case; empty for all.
        branches: what conditions came to is noted.
    """

    providers: Sequence[str] | None = None
    names: Sequence[str] = ()
    branches: bool = False

    def takes(self, example: Example) -> bool:
        """Whether an example is one of them."""
        return not self.names or any(name.casefold() in example.name.casefold() for name in self.names)


EVERY: Final = Chosen()


def play(program: Program, chosen: Chosen = EVERY) -> list[ExampleResult]:
    """See `llmposter.lint.play`."""
    machine = Machine(program)
    examples = filter(chosen.takes, program.examples)
    return [result for example in examples for result in _results(program, machine, example, chosen)]


def _results(program: Program, machine: Machine, example: Example, chosen: Chosen) -> list[ExampleResult]:
    """One result for all formats on which the example goes alike."""
    wires = load()
    going: dict[tuple[Fault, ...], list[Run]] = {}
    for name in example.providers or tuple(wires):
        if chosen.providers is None or name in chosen.providers:
            run = Run(program, machine, wires, name, branches=chosen.branches)
            going.setdefault(_failures(run, example), []).append(run)
    return [
        ExampleResult(
            example.name,
            tuple(run.provider for run in runs),
            example.place,
            len(going) > 1,
            failures,
            all_of(run.covered for run in runs),
        )
        for failures, runs in going.items()
    ]


def _failures(run: Run, example: Example) -> tuple[Fault, ...]:
    """Of the first turn that failed."""
    for turn in example.turns:
        if failures := tuple(run.turn(turn)):
            return failures
    return ()


@dataclass(slots=True)
class Run:
    """One example under way."""

    program: Program
    machine: Machine
    wires: Mapping[str, Wire]
    provider: str
    clock: ManualClock = field(default_factory=lambda: ManualClock(START))
    mock: Mock = field(init=False)
    client: Client = field(init=False)
    stands: Conversation = field(init=False)
    requests: int = 0
    branches: bool = False
    covered: Covered = field(default_factory=Covered)

    def __post_init__(self) -> None:
        self.mock = Mock([self.program], self.clock, machine=lambda _: self.machine)
        # An example tells what the rules do.
        self.mock.set_chaos(Chaos(0.0))
        self.client = Client(self.program)
        self.stands = self.machine.begin(self.clock.now())

    def turn(self, turn: ExampleTurn) -> Iterator[Fault]:
        """What went wrong in one turn, played as often as it says."""
        for _ in range(turn.times):
            self.clock.advance(turn.wait)
            if turn.kind == "wait":
                continue
            self.requests += 1
            if self.requests > MOST:
                yield Fault(turn.place, f"an example sends at most {MOST} requests")
                return
            failures = tuple(self._once(turn))
            if failures:
                yield from failures
                return

    def _once(self, turn: ExampleTurn) -> Iterator[Fault]:
        name = turn.request.get("provider", self.provider)
        wire = self.wires.get(name)
        if wire is None:
            yield Fault(turn.place, f"this version has no format `{name}`: it has {_listed(self.wires)}")
            return
        try:
            asked = self.client.turn(turn, wire)
        except Unplayable as trouble:
            yield Fault(turn.place, str(trouble))
            return
        step, served = self._answered(asked, wire, turn.request.get("token"))
        said = Said(step, wire, self.clock.now())
        yield from self._judged(turn, said, served=served)
        self._went(step, asked, wire, whole=not said.cut)

    def ask(self, turn: ExampleTurn, wire: Wire) -> tuple[Step, Said]:
        """What one turn gets; the conversation goes on from it.

        Raises:
            Unplayable: the last answer does not hold what the turn answers to.
        """
        asked = self.client.turn(turn, wire)
        step, _ = self._answered(asked, wire, turn.request.get("token"))
        said = Said(step, wire, self.clock.now())
        self._went(step, asked, wire, whole=not said.cut)
        return step, said

    def _answered(self, asked: Turn, wire: Wire, token: str | int | None) -> tuple[Step, bool]:
        """What came of a request; whether the scenario is the one for it."""
        key = key_of(self.mock, self.program.auth, token)
        admitted = let_in(self.mock, asked, wire, self.stands, key)
        if isinstance(admitted, Step):
            return admitted, True
        stood = self.mock.stand(admitted) if self.branches else None
        exchange = self.mock.answer(admitted, _minded_by(wire), partial(damage, asked, wire))
        if exchange.entry.outcome != "repeated":
            self.covered.went(exchange.step)
            if stood is not None and (exchange.step.rule or exchange.step.missed):
                standing, told = stood
                self.covered.asked(came(self.program, standing.stands, told, standing.moment))
        return exchange.step, exchange.program is not None

    def _went(self, step: Step, asked: Turn, wire: Wire, *, whole: bool) -> None:
        self.stands = step.after
        items = plan(step, asked, wire, self.clock.now()).items
        self.clock.advance(sum(item.seconds for item in items if isinstance(item, Wait)))
        if isinstance(step.outcome, Reply) and whole:
            self.client.got(step.outcome)

    def _judged(self, turn: ExampleTurn, said: Said, *, served: bool) -> Iterator[Fault]:
        if not served:
            yield Fault(turn.place, f"the scenario does not take this conversation: {said.unanswered}")
            return
        if said.unanswered and not _speaks_of("error", turn.expect):
            yield Fault(turn.place, said.unanswered)
            return
        if said.violations and not (said.unanswered or _speaks_of("violations", turn.expect)):
            yield Fault(turn.place, f"the request breaks what is expected of it: {'; '.join(said.violations)}")
        for condition in turn.expect:
            if not said.holds(condition):
                yield Fault(condition.place, said.breach(condition))
        if turn.state not in (None, said.state):
            place = turn.state_place or turn.place
            yield Fault(place, f'expected state "{turn.state}", it is "{said.state}"; {said.told}')


def _minded_by(wire: Wire) -> Callable[[Turn, Unpaired], BadRequest | None]:
    """Told in our words, which are the same on every wire; what its provider takes stays no finding."""
    return lambda turn, found: None if wire.unpaired(turn, found) is None else in_our_words(turn, found)


def _speaks_of(fact: str, conditions: Iterable[Condition]) -> bool:
    """Whether an example says what it expects of errors, or of violations: silence would hide them."""
    return any(re.search(rf"\b{fact}\b", _LITERAL.sub("", condition.text)) for condition in conditions)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
