"""What the examples of a scenario covered, in lines of text: an author sees what no example has tried yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmposter_dsl.place import Within, where

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from llmposter.lint.player import ExampleResult
    from llmposter_dsl.place import Place
    from llmposter_dsl.program import Program, Rule


def report(program: Program, results: Sequence[ExampleResult]) -> list[str]:
    """See `llmposter.lint.report`."""
    return [f"{program.name} ({program.place.source.name})", *_examples(results), *_covered(program, results)]


def _examples(results: Sequence[ExampleResult]) -> Iterator[str]:
    if not results:
        yield "  no examples"
    for result in results:
        yield f"  {'FAILED' if result.failures else 'passed'}  {result.title}"
        for failure in result.failures:
            yield f"      {where(failure.place)} {failure.message}"


def _covered(program: Program, results: Sequence[ExampleResult]) -> Iterator[str]:
    states = {name for result in results for name in result.states}
    names = {name for result in results for name in result.rules}
    rules = [*program.always, *(rule for each in program.states.values() for rule in each), *program.otherwise]
    unseen = [state for state in program.states if state not in states]
    untried = [rule for rule in rules if rule.name not in names]
    alone = [rule for rule in untried if rule.group not in unseen]
    yield f"  states {_share(program.states, unseen)}, rules {_share(rules, untried)}"
    for state in unseen:
        yield f'      state "{state}" is not covered ({where(_place(program, state))})'
    for rule in alone:
        yield f'      rule "{rule.name}" is not covered ({where(rule.place)})'


def _share(all_: Iterable[object], left: Sequence[object]) -> str:
    total = len(list(all_))
    return f"{total - len(left)}/{total}"


def _place(program: Program, state: str) -> Place:
    """The key of a state; its first rule where an included file brings it."""
    rules: tuple[Rule, ...] = program.states[state]
    place = program.place
    if isinstance(place, Within) and not (rules and rules[0].place.source is not place.source):
        return place.key("states", state)
    return rules[0].place if rules else place
