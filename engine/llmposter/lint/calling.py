"""Which rules may take the request that comes after a call, and what is called at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from llmposter_dsl.analysis import Atom, clauses, contradict
from llmposter_dsl.expressions.make import walk
from llmposter_dsl.expressions.parse import parse
from llmposter_dsl.expressions.syntax import Apply, Literal, Name, ToolCall, Trouble
from llmposter_dsl.program import Expression, Fail, Refuse, Say

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from llmposter.lint.never import Study
    from llmposter_dsl.analysis import Clause
    from llmposter_dsl.expressions.syntax import Node
    from llmposter_dsl.place import Place
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
        yield from _of(rule.when.apart().node)


def read(rule: Rule) -> Iterator[tuple[str, Place]]:
    """The tools whose results a rule asks for, expects, or makes its texts and variables of; and where."""
    if rule.when is not None:
        yield from ((tool, rule.when.place) for tool in awaited(rule))
    for each in rule.expect:
        if each.apart is not None:
            node = each.apart().node
            yield from ((tool, each.place) for tool in _of(node) if _wants(node, tool))
    for one in _expressions(rule):
        tree = parse(one.text, "start") if "result" in one.text else None
        if tree is not None and not isinstance(tree, ToolCall | Trouble):
            yield from ((tool, one.place) for tool in _of(tree))


def _wants(tree: Node, tool: str) -> bool:
    """Whether it does not hold without a result of the tool; that there is none may be expected, too."""
    lacks = (Atom(Apply("result", (Literal("text", tool),)), "exists"), False)
    return all(contradict((*clause, lacks)) for clause in clauses(tree) or ((),))


def _of(tree: Node) -> Iterator[str]:
    for node in walk(tree):
        match node:
            case Apply(function="result", arguments=(Literal(value=str(tool)),)):
                yield tool
            case _:
                pass


def _expressions(rule: Rule) -> Iterator[Expression]:
    yield from (value for _, value in rule.set if isinstance(value, Expression))
    templates = [template for _, template in rule.headers]
    match rule.outcome:
        case Say(think=think, reply=reply):
            templates += [each for each in (think, reply) if each is not None]
        case Refuse(text=text):
            templates.append(text)
        case Fail(message=message):
            templates += [] if message is None else [message]
        case _:
            pass
    yield from (piece for each in templates for piece in each.pieces if isinstance(piece, Expression))


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
