"""The check of a function's arguments: how many, of which types, and those that must be literals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmposter_dsl.expressions import wording
from llmposter_dsl.expressions.functions import Function, Parameter
from llmposter_dsl.expressions.patterns import compile_query
from llmposter_dsl.expressions.syntax import Apply, Literal, Node, Trouble
from llmposter_dsl.types import JSON, Type, join

if TYPE_CHECKING:
    from llmposter_dsl.expressions.check import Checker


def apply(checker: Checker, node: Apply, function: Function) -> Type:
    """The type of a call of a known function."""
    if not _counted(checker, node, function):
        return JSON
    if function.volatile:
        checker.checked.volatile.add(id(node))
    if function.chance:
        checker.checked.chance.add(id(node))
    match function.form:
        case "each":
            return _each(checker, node, function)
        case "named" | "query":
            return _literal(checker, node, function)
        case _:
            return _plain(checker, node, function)


def _counted(checker: Checker, node: Apply, function: Function) -> bool:
    found, wanted = len(node.arguments), len(function.parameters)
    if found == wanted:
        return True
    plural = "" if wanted == 1 else "s"
    count = str(wanted) if wanted else "no"
    message = f"`{function.name}` takes {count} argument{plural}, found {found}"
    checker.refuse("LP205", node, message, f"write `{function.signature}`")
    return False


def _plain(checker: Checker, node: Apply, function: Function) -> Type:
    types = [checker.type(argument) for argument in node.arguments]
    for argument, parameter, found in zip(node.arguments, function.parameters, types, strict=True):
        _fits(checker, function, argument, parameter, found)
    if function.name == "default":
        left, right = types
        # Still `maybe`: a variable may hold another thing than its type says, and `default` hands that on.
        return join(left, right) if left.maybe else left
    if function.name == "chance":
        _probability(checker, node.arguments[0])
    maybe = any(found.maybe for found in types) and not function.certain
    return function.result.optional() if maybe else function.result


def _fits(checker: Checker, function: Function, argument: Node, parameter: Parameter, found: Type) -> None:
    if found.kind == "json" or found.kind in parameter.kinds:
        return
    wanted = wording.either(kind for kind in parameter.kinds if kind != "null")
    message = f"`{function.name}` takes a {wanted}, {checker.quote(argument)} is {wording.a(found)}"
    checker.refuse("LP205", argument, message)


def _probability(checker: Checker, node: Node) -> None:
    if isinstance(node, Literal) and isinstance(node.value, (int, float)) and not 0 <= node.value <= 1:
        checker.refuse("LP205", node, f"a probability is between 0 and 1, `{node.value}` is not")


def _each(checker: Checker, node: Apply, function: Function) -> Type:
    items, condition = node.arguments
    found = checker.type(items)
    _fits(checker, function, items, function.parameters[0], found)
    checker.it.append(found.items if found.kind == "list" else JSON)
    checker.condition(condition)
    checker.it.pop()
    return function.result.optional() if found.maybe and not function.certain else function.result


def _literal(checker: Checker, node: Apply, function: Function) -> Type:
    argument = node.arguments[0]
    if not isinstance(argument, Literal) or not isinstance(argument.value, str):
        checker.type(argument)
        message = f"`{function.name}` takes a text in quotes, not {checker.quote(argument)}"
        return checker.refuse("LP205", argument, message, f"write `{function.signature}`")
    checker.type(argument)
    if function.form == "query":
        return _query(checker, node, argument, function)
    _known(checker, argument, function, argument.value)
    return function.result


def _query(checker: Checker, node: Apply, argument: Literal, function: Function) -> Type:
    query = compile_query(str(argument.value))
    if isinstance(query, Trouble):
        # Offsets in the query are offsets in the literal only where no escape stands between.
        plain = argument.end - argument.start == len(str(argument.value)) + 2 and query.end > query.start
        first = argument.start + 1
        at = (first + query.start, first + query.end) if plain else (argument.start, argument.end)
        return checker.refuse(query.code, at, query.message, query.help)
    checker.checked.queries[id(node)] = query
    checker.scope.used.facts.add("body")
    return function.result


def _known(checker: Checker, argument: Literal, function: Function, name: str) -> None:
    scope = checker.scope
    if function.name == "fired":
        scope.used.rules.add(name)
        if scope.rules is not None and name not in scope.rules:
            help_, fixes = wording.did_you_mean(name, sorted(scope.rules)), checker.meant(argument, name, scope.rules)
            checker.refuse("LP213", argument, f"unknown rule `{name}`", help_, fixes)
        return
    scope.used.tools.add(name)
    if scope.tools and name not in scope.tools:
        help_, fixes = wording.did_you_mean(name, list(scope.tools)), checker.meant(argument, name, scope.tools)
        checker.refuse("LP209", argument, f"unknown tool `{name}`", help_, fixes)
