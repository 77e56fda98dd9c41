"""Which rules may take the request that comes after a call, and what is called at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from llmposter_dsl.analysis import Atom, contradict
from llmposter_dsl.expressions.make import walk
from llmposter_dsl.expressions.syntax import Apply, Literal, Name
from llmposter_dsl.program import Say

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from llmposter.lint.never import Study
    from llmposter_dsl.analysis import Clause
    from llmposter_dsl.program import Call, Rule

ANSWERED: Final[Clause] = ((Atom(Name("result"), "exists"), True),)
"""Some call of the last answer has its result."""


def calls(rule: Rule) -> tuple[Call, ...]:
    """What a rule calls."""
    return rule.outcome.calls if isinstance(rule.outcome, Say) else ()


def called(rules: Iterable[Rule]) -> frozenset[str]:
    """The tools that rules call."""
    return frozenset(call.tool for rule in rules for call in calls(rule))


def awaited(rule: Rule) -> Iterator[str]:
    """The tools whose results a rule's condition asks for."""
    if rule.when is not None and rule.when.apart is not None:
        for node in walk(rule.when.apart().node):
            match node:
                case Apply(function="result", arguments=(Literal(value=str(tool)),)):
                    yield tool
                case _:
                    pass


def takes(study: Study, state: str, rule: Rule, answered: Collection[str], possible: Collection[str]) -> bool:
    """Whether a rule may take a request with a result of each tool *answered*, and of no other than the *possible*."""
    made = study.clauses(rule)
    if made is None:
        return True
    results = {Apply("result", (Literal("text", tool),)): tool for tool in (*answered, *awaited(rule))}
    given = tuple(
        (Atom(node, "exists"), tool in answered)
        for node, tool in results.items()
        if tool in answered or tool not in possible
    )
    known = study.known(state)
    return any(not contradict((*clause, *ANSWERED, *given), known) for clause in made)
