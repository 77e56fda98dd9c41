"""Transcripts that cover what the examples of a scenario do not, found by playing what conditions ask for.

The shortest come first. What is given was compiled and played again, as an example of the scenario, on every format.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from llmposter.core.machine import Machine
from llmposter.core.pattern import json_text
from llmposter.lint import asking
from llmposter.lint.branches import leaves
from llmposter.lint.client import Unplayable
from llmposter.lint.coverage import every_rule
from llmposter.lint.covered import all_of
from llmposter.lint.player import Chosen, Run, play
from llmposter.lint.transcribing import transcript
from llmposter.model import Reply
from llmposter.wire import load
from llmposter_dsl.compiler import compile_text
from llmposter_dsl.writing import Kind, Unwritable, write

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from llmposter.lint.covered import Covered
    from llmposter.lint.player import ExampleResult
    from llmposter.lint.said import Said
    from llmposter_dsl.program import ExampleTurn, Program, Value
    from llmposter_dsl.tree import Document

MOST_REQUESTS: Final = 5_000
"""That are sent in one search."""
_MOST_COUNTED: Final = 6
"""Beyond it, one time more is no other place to be."""

_NOTED: Final = Chosen(branches=True)

Goal: TypeAlias = tuple[Any, ...]
"""A state, a rule, or a part of a rule's condition and what it is to come to."""


def goals(program: Program, *, branches: bool) -> set[Goal]:
    """All that can be covered."""
    found: set[Goal] = {("state", name) for name in program.states}
    for rule in every_rule(program):
        found.add(("rule", rule.name))
        if branches:
            found |= {("branch", rule.name, path, held) for path, _ in leaves(rule) for held in (True, False)}
    return found


def met(covered: Covered) -> set[Goal]:
    """Those that were covered."""
    found: set[Goal] = {("state", name) for name in covered.states}
    found |= {("rule", name) for _, name in covered.rules}
    return found | {("branch", *each) for each in covered.branches}


class Heard(NamedTuple):
    """A transcript that was played: its turns, what each got, and what it covered."""

    turns: tuple[ExampleTurn, ...]
    said: tuple[Said | None, ...]
    met: frozenset[Goal]


class Paths(NamedTuple):
    """Examples as plain data, by what they cover first; and what none was found for."""

    examples: tuple[dict[str, Any], ...]
    missed: frozenset[Goal]


def paths(program: Program, document: Document, provider: str, most_turns: int, *, branches: bool) -> Paths:
    """Examples that cover what those of the scenario do not; *document* is its file."""
    results: Sequence[ExampleResult] = play(program, _NOTED)
    missing = goals(program, branches=branches) - met(all_of(result.covered for result in results))
    left, heard = set(missing), list[Heard]()
    for violating in (False, True):
        # What clients should not do is looked at only for what nothing else covers.
        heard += _Search(program, provider, most_turns, left, violating).found()
    found = _fewest(heard, missing)
    examples, reached = _verified(program, document, found, missing)
    return Paths(tuple(examples), frozenset(missing - reached))


# --- searching --------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Search:
    """Breadth first, over the places where a conversation can stand."""

    program: Program
    provider: str
    most_turns: int
    missing: set[Goal]
    violating: bool
    machine: Machine = field(init=False)
    left: int = field(init=False)
    _counts: bool = field(init=False)

    def __post_init__(self) -> None:
        self.machine = Machine(self.program)
        self.left = MOST_REQUESTS
        # Whether a rule can tell how often one fired.
        self._counts = any(
            rule.times is not None or (rule.when is not None and "fired" in rule.when.text)
            for rule in every_rule(self.program)
        )

    def found(self) -> list[Heard]:
        """Transcripts that each cover something that those before do not."""
        kept: list[Heard] = []
        places: set[str] = set()
        open_: deque[tuple[ExampleTurn, ...]] = deque([()])
        while open_ and self.missing and self.left > 0:
            before = open_.popleft()
            for more in self._next(before):
                turns = (*before, more)
                run, heard = self._played(turns)
                if heard is None or not (self.violating or self._clean(heard)):
                    continue
                if new := heard.met & self.missing:
                    self.missing -= new
                    kept.append(heard)
                place = self._place(run, heard)
                if place not in places and len(turns) < self.most_turns:
                    places.add(place)
                    open_.append(turns)
                if not self.missing or self.left <= 0:
                    break
        return kept

    @staticmethod
    def _clean(heard: Heard) -> bool:
        last = heard.said[-1]
        return last is None or not last.violations

    def _next(self, before: tuple[ExampleTurn, ...]) -> Iterator[ExampleTurn]:
        run, heard = self._played(before)
        base: Mapping[str, Value] = before[-1].request if before else {}
        last = heard.said[-1] if heard is not None and heard.said else None
        if last is not None and (last.cut or last.error is not None) and not last.step.missed:
            yield from asking.again(run, last, base)
        if last is None or last.step.rule is not None:
            yield from asking.turns(self.program, run, base)

    def _played(self, turns: tuple[ExampleTurn, ...]) -> tuple[Run, Heard | None]:
        """None for what no client could send."""
        wires = load()
        run = Run(self.program, self.machine, wires, self.provider, branches=True)
        said: list[Said | None] = []
        for turn in turns:
            self.left -= 1
            run.clock.advance(turn.wait)
            run.requests += 1
            try:
                _, heard = run.ask(turn, wires[turn.request.get("provider", self.provider)])
            except Unplayable:
                return run, None
            said.append(heard)
        return run, Heard(turns, tuple(said), frozenset(met(run.covered)))

    def _place(self, run: Run, heard: Heard) -> str:
        """Where the conversation stands, as far as rules can tell."""
        stands, last = run.stands, heard.said[-1]
        whole = last is not None and isinstance(last.step.outcome, Reply) and not last.cut
        counts = {name: min(count, _MOST_COUNTED) for name, count in stands.fired.items() if self._counts}
        waiting = [call.tool for call in run.client.waiting()]
        sent = "" if whole else repr((heard.turns[-1].results, heard.turns[-1].user, heard.turns[-1].request))
        return json_text(
            [
                sent,
                stands.state,
                {name: str(value) for name, value in stands.vars.items()},
                min(stands.visits.get(stands.state, 0), _MOST_COUNTED),
                counts,
                waiting,
                0 if whole else min(run.client.retries + 1, _MOST_COUNTED),
            ]
        )


def _fewest(found: Sequence[Heard], wanted: set[Goal]) -> list[Heard]:
    """Those that together cover as much, first those that cover most; a longer one has what is on its way."""
    left, kept = set(wanted), list[Heard]()
    while found:
        best = max(found, key=lambda each: (len(each.met & left), len(each.turns)))
        if not best.met & left:
            break
        left -= best.met
        kept.append(best)
    return [heard for heard in found if heard in kept]


# --- as examples ------------------------------------------------------------------------------------------------------


def _verified(
    program: Program, document: Document, found: Sequence[Heard], wanted: set[Goal]
) -> tuple[list[dict[str, Any]], set[Goal]]:
    """As examples, each on the formats on which it goes so; and what they cover."""
    names = {example.name for example in program.examples}
    examples, left = list[dict[str, Any]](), set(wanted)
    reached: set[Goal] = set()
    for heard in found:
        name = _name(heard.met & left, names)
        names.add(name)
        example = {"name": name, "turns": list(transcript(zip(heard.turns, heard.said, strict=True)))}
        results = _played_again(document, example)
        passed = [each for each in results if not each.failures]
        if passed:
            if len(passed) < len(results):
                example["providers"] = [provider for each in passed for provider in each.providers]
            examples.append(example)
            covered = met(all_of(each.covered for each in passed)) & wanted
            reached |= covered
            left -= covered
    return examples, reached


def _played_again(document: Document, example: dict[str, Any]) -> Sequence[ExampleResult]:
    """What becomes of the example where it stands alone in the file."""
    kind: Kind = "yaml" if document.kind == "yaml" else "toml"
    try:
        text = write({**document.data, "examples": [example]}, kind)
    except Unwritable:
        return ()
    compiled = compile_text(text, document.source.name, kind, document.source.path)
    return () if compiled.program is None else play(compiled.program, _NOTED)


def _name(new: Iterable[Goal], taken: set[str]) -> str:
    """After the rules that it tries first."""
    rules = sorted({goal[1] for goal in new if goal[0] == "rule"})
    other = sorted({goal[1] for goal in new if goal[0] == "branch"} - set(rules))
    told = ", ".join(rules[:3]) + (" and more" if len(rules) > 3 else "")
    name = told or f"another way through {', '.join(other[:3])}"
    number = 2
    unique = name
    while unique in taken:
        unique, number = f"{name} ({number})", number + 1
    return unique
