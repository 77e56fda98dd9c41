"""All findings on some scenarios: the compiler's, those of every wire, and those of the examples.

A file that cannot be compiled keeps no other from being checked.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from llmposter_dsl import compiler
from llmposter_dsl.diagnostic import Diagnostic, Related
from llmposter_dsl.place import At, Within
from llmposter_dsl.source import Span
from llmposter_dsl.words import shown

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator

    from llmposter.lint.player import ExampleResult
    from llmposter.model import Wire
    from llmposter_dsl.compiler import Compiled
    from llmposter_dsl.place import Place
    from llmposter_dsl.program import Condition, Program, Rule, Token

_FAILED: Final = "LP307"
_CANNOT: Final = "LP401"
_NEVER: Final = "LP402"
_TWICE: Final = "LP310"
_TOKENS: Final = "LP502"


class Checked(NamedTuple):
    """What became of the scenarios.

    Attributes:
        programs: of the files that compile, in the order in which they are asked; also those with a failing example.
        diagnostics: sorted by file and place.
        files: those that were checked.
        results: of the examples of each program, in the order of `programs`.
    """

    programs: tuple[Program, ...]
    diagnostics: tuple[Diagnostic, ...]
    files: tuple[str, ...]
    results: tuple[tuple[ExampleResult, ...], ...] = ()

    @property
    def failed(self) -> bool:
        """Whether one of the findings is an error."""
        return any(each.severity == "error" for each in self.diagnostics)


def check(paths: Iterable[str | os.PathLike[str]]) -> Checked:
    """See `llmposter.lint.check`."""
    files = compiler.scenario_files(paths)
    compiled = [compiler.compile_path(file) for file in files]
    programs = [each.program for each in compiled if each.program is not None]
    between: dict[int, list[Diagnostic]] = {}
    for known, diagnostic in (*_doubles(programs), *_tokens_alike(programs)):
        between.setdefault(known, []).append(diagnostic)
    played: list[tuple[ExampleResult, ...]] = []
    found: list[Diagnostic] = []
    for each in compiled:
        found += _findings(each, between, played)
    return Checked(tuple(programs), _told(found), tuple(files), tuple(played))


def _told(found: list[Diagnostic]) -> tuple[Diagnostic, ...]:
    """By file and place, each once: a file that two scenarios include has its findings twice."""
    if not found:
        return ()
    from llmposter_dsl.report import sort

    return sort(found)


def _findings(
    compiled: Compiled, between: dict[int, list[Diagnostic]], played: list[tuple[ExampleResult, ...]]
) -> tuple[Diagnostic, ...]:
    program = compiled.program
    if program is None:
        return compiled.diagnostics
    results: tuple[ExampleResult, ...] = ()
    if program.examples:
        from llmposter.lint.player import play

        results = tuple(play(program))
    played.append(results)
    more = [*_cannot(program), *_never(program), *_failures(results), *between.get(id(program), ())]
    return compiler.settle((*compiled.raw, *more), compiled.documents) if more else compiled.diagnostics


def _cannot(program: Program) -> Iterator[Diagnostic]:
    """What no client of a provider could be told, by a rule that such a client can get to."""
    from llmposter.wire import load

    for wire in load().values():
        if not _meant_for(wire, program.serves):
            continue
        for rule in _rules(program):
            sentences = tuple(wire.cannot(rule))
            if sentences and _meant_for(wire, rule.when):
                yield from (Diagnostic(_CANNOT, sentence, _finish(rule)) for sentence in sentences)


def _never(program: Program) -> Iterator[Diagnostic]:
    """Faults that strike no answer of their rule, on any wire whose clients can get to it."""
    rules = [rule for rule in _rules(program) if rule.faults]
    if not rules:
        return
    from llmposter.lint.striking import never
    from llmposter.wire import load

    for rule in rules:
        meant = [wire for wire in load().values() if _meant_for(wire, program.serves) and _meant_for(wire, rule.when)]
        for fault, lacks in never(program, rule, meant):
            yield Diagnostic(_NEVER, f"{shown(fault.text)} never strikes: {lacks}", fault.place)


def _meant_for(wire: Wire, condition: Condition | None) -> bool:
    """Whether what a condition says of `provider` alone holds for this one."""
    if condition is None:
        return True
    env: Any = SimpleNamespace(provider=wire.name, vars={}, groups={})
    parts = condition.parts or (condition,)
    return all(part.holds(env) for part in parts if {each.text for each in part.subjects} == {"provider"})


def _finish(rule: Rule) -> Place:
    # A finish word is what a wire finds missing so far; a rule of another kind is underlined whole.
    place = rule.place
    return place.child("finish") if rule.finish is not None and isinstance(place, Within) else place


def _rules(program: Program) -> Iterator[Rule]:
    yield from program.always
    for rules in program.states.values():
        yield from rules
    yield from program.otherwise


def _failures(results: Iterable[ExampleResult]) -> Iterator[Diagnostic]:
    for result in results:
        for failure in result.failures:
            yield Diagnostic(_FAILED, f"{result.title} fails: {failure.message}", failure.place)


def _doubles(programs: Iterable[Program]) -> Iterator[tuple[int, Diagnostic]]:
    """Scenarios whose name another one before has: a journal could not tell them apart."""
    first: dict[str, Program] = {}
    for program in programs:
        if (other := first.setdefault(program.name, program)) is program:
            continue
        message = f'two scenarios are called "{program.name}"'
        related = (Related(_name(other), "the first one is here"),)
        yield id(program), Diagnostic(_TWICE, message, _name(program), "give one of them another `name`", related)


def _tokens_alike(programs: Iterable[Program]) -> Iterator[tuple[int, Diagnostic]]:
    """Scenarios with a token that another has otherwise: requests are let in before they are anybody's."""
    first: dict[str, tuple[Program, Token]] = {}
    for program in programs:
        for index, token in enumerate(() if program.auth is None else program.auth.tokens):
            for known in (f"name {token.name}", f"value {token.value}"):
                other, same = first.setdefault(known, (program, token))
                if other is not program and same != token:
                    related = (Related(_auth(other), "the first one is here"),)
                    message = f'the token "{token.name}" is another one in the scenario "{other.name}"'
                    help_ = "give it another name and value, or the same uses and lifetime"
                    yield id(program), Diagnostic(_TOKENS, message, _auth(program, index), help_, related)
                    break


def _auth(program: Program, index: int | None = None) -> Place:
    place = program.place
    if not isinstance(place, Within):
        return place
    return place.key("auth") if index is None else place.child("auth", "tokens", index)


def _name(program: Program) -> Place:
    place = program.place
    span = place.child("scenario", "name").span if isinstance(place, Within) and _is_named(place) else Span(0, 0)
    return At(place.source, span)


def _is_named(place: Within) -> bool:
    scenario = getattr(place.document, "data", {}).get("scenario")
    return isinstance(scenario, dict) and "name" in scenario
