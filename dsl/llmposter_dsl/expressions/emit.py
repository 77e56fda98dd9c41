"""A checked tree to Python's own tree: plain loads and operators where types are certain, total functions elsewhere.

No text of the user becomes source: names and constants enter as constants of the tree.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any, assert_never

from llmposter_dsl.expressions import operations
from llmposter_dsl.expressions.check import Checked
from llmposter_dsl.expressions.functions import FUNCTIONS
from llmposter_dsl.expressions.operators import ORDERED
from llmposter_dsl.expressions.syntax import (
    Apply,
    Calculate,
    Compare,
    Exists,
    IsType,
    Item,
    Joined,
    ListOf,
    Literal,
    MapOf,
    Matches,
    Member,
    Name,
    Negative,
    Node,
    Not,
)
from llmposter_dsl.program import Duration, Env, Value
from llmposter_dsl.types import Type, kind_of

_HERE: dict[str, Any] = {"lineno": 1, "col_offset": 0}
_SCALARS = frozenset(("text", "number", "bool", "duration", "null"))
_ORDER: dict[str, tuple[type[ast.cmpop], str]] = {
    "<": (ast.Lt, "less"),
    "<=": (ast.LtE, "less_equal"),
    ">": (ast.Gt, "greater"),
    ">=": (ast.GtE, "greater_equal"),
}
_PREFIX = {"starts with": "startswith", "ends with": "endswith"}
_ARITHMETIC = {"+": "add", "-": "subtract", "*": "multiply", "/": "divide", "%": "modulo"}
_BASE: dict[str, Any] = {
    "__builtins__": {},
    "len": len,
    "kind_of": kind_of,
    **{name: value for name, value in vars(operations).items() if not name.startswith("_")},
}


def _load(name: str) -> ast.expr:
    return ast.Name(name, ast.Load(), **_HERE)


def _constant(value: Any) -> ast.expr:
    return ast.Constant(value, **_HERE)


def _attribute(of: ast.expr, name: str) -> ast.expr:
    return ast.Attribute(of, name, ast.Load(), **_HERE)


def _call(function: ast.expr | str, *arguments: ast.expr) -> ast.expr:
    return ast.Call(_load(function) if isinstance(function, str) else function, list(arguments), [], **_HERE)


def _comparison(left: ast.expr, operator: ast.cmpop, right: ast.expr) -> ast.expr:
    return ast.Compare(left, [operator], [right], **_HERE)


def _lambda(argument: str, body: ast.expr) -> ast.Lambda:
    arguments = ast.arguments([], [ast.arg(argument, **_HERE)], None, [], [], None, [])
    return ast.Lambda(arguments, body, **_HERE)


class Emitter:
    """Makes functions of nodes of one checked tree; *place* names the text in the file for what is seeded."""

    def __init__(self, checked: Checked, groups: tuple[str, ...], variables: frozenset[str], place: str) -> None:
        self.checked = checked
        self.groups = groups
        self.variables = variables
        self.place = place
        self.globals: dict[str, Any] = {}
        self.depth = 0

    def value(self, node: Node) -> Callable[[Env], Value]:
        """A function from an `Env` to the value."""
        return self._function(self.emit(node))

    def truth(self, node: Node) -> Callable[[Env], bool]:
        """A function from an `Env` to whether *node* holds."""
        return self._function(self.condition(node))

    def _function(self, body: ast.expr) -> Callable[[Env], Any]:
        code = compile(ast.Expression(_lambda("env", body)), "<expression>", "eval")
        return eval(code, {**_BASE, **self.globals})  # type: ignore[no-any-return]  # noqa: S307  (our own tree)

    def _keep(self, value: Any) -> ast.expr:
        name = f"k{len(self.globals)}"
        self.globals[name] = value
        return _load(name)

    def _type(self, node: Node) -> Type:
        return self.checked.types[id(node)]

    def _certain(self, *nodes: Node) -> str | None:
        """The kind that all of them have for certain."""
        kinds = {None if found.maybe else found.kind for found in map(self._type, nodes)}
        return kinds.pop() if len(kinds) == 1 else None

    def condition(self, node: Node) -> ast.expr:
        made = self.emit(node)
        found = self._type(node)
        if found.kind == "bool" and not found.maybe:
            return made
        return _comparison(made, ast.Is(), _constant(value=True))

    def emit(self, node: Node) -> ast.expr:
        match node:
            case Literal():
                return self._literal(node.value)
            case Name():
                return self._name(node.name)
            case ListOf():
                made: ast.expr = ast.List([self.emit(item) for item in node.items], ast.Load(), **_HERE)
                return self._bounded(made, node.items)
            case MapOf():
                keys: list[ast.expr | None] = [_constant(pair.key) for pair in node.pairs]
                values = tuple(pair.value for pair in node.pairs)
                return self._bounded(ast.Dict(keys, [self.emit(value) for value in values], **_HERE), values)
            case Member():
                return self._member(node.of, node.name)
            case Item():
                if isinstance(node.index, Literal) and isinstance(node.index.value, str):
                    return self._member(node.of, node.index.value)
                return _call("item", self.emit(node.of), self.emit(node.index))
            case Apply():
                return self._apply(node)
            case Not():
                return ast.UnaryOp(ast.Not(), self.condition(node.operand), **_HERE)
            case Negative():
                return _call("negate", self.emit(node.operand))
            case Joined():
                word = ast.And() if node.word == "and" else ast.Or()
                return ast.BoolOp(word, [self.condition(operand) for operand in node.operands], **_HERE)
            case Compare():
                return self._compare(node)
            case Calculate():
                return _call(_ARITHMETIC[node.operator], self.emit(node.left), self.emit(node.right))
            case Matches():
                return self._matches(node)
            case IsType():
                return _comparison(_call("kind_of", self.emit(node.operand)), ast.Eq(), _constant(node.type))
            case Exists():
                return self._exists(self.emit(node.operand))
            case _:
                assert_never(node)

    def _exists(self, made: ast.expr) -> ast.expr:
        # Python warns of `is` beside a literal.
        literal = isinstance(made, (ast.Constant, ast.List, ast.Dict))
        return _call("exists", made) if literal else _comparison(made, ast.IsNot(), _constant(None))

    def _literal(self, value: Any) -> ast.expr:
        return self._keep(value) if isinstance(value, Duration) else _constant(value)

    def _name(self, name: str) -> ast.expr:
        env = _load("env")
        if name == "it":
            return _load(f"it{self.depth}")
        if name in self.groups:
            return _call(_attribute(_attribute(env, "groups"), "get"), _constant(name))
        if name in self.variables:
            return _call(_attribute(_attribute(env, "vars"), "get"), _constant(name))
        return _attribute(env, name)

    def _bounded(self, made: ast.expr, items: tuple[Node, ...]) -> ast.expr:
        """A list of what is itself large could double with every request, so it is measured."""
        return made if all(self._type(item).kind in _SCALARS for item in items) else _call("bounded", made)

    def _member(self, of: Node, name: str) -> ast.expr:
        if self._certain(of) == "map":
            return _call(_attribute(self.emit(of), "get"), _constant(name))
        return _call("member", self.emit(of), _constant(name))

    def _apply(self, node: Apply) -> ast.expr:
        function = FUNCTIONS[node.function]
        operation = function.operation
        match function.form:
            case "each":
                items = self.emit(node.arguments[0])
                self.depth += 1
                holds = _lambda(f"it{self.depth}", self.condition(node.arguments[1]))
                self.depth -= 1
                return _call(operation, items, holds)
            case "named":
                return _call(_attribute(_load("env"), operation), self.emit(node.arguments[0]))
            case "query":
                return _call(operation, self._keep(self.checked.queries[id(node)]), _attribute(_load("env"), "body"))
            case "seeded" if not function.parameters:
                return _call(_attribute(_load("env"), operation), self._seed(node))
            case "seeded":
                return _call(operation, _load("env"), self._seed(node), *map(self.emit, node.arguments))
            case "plain":
                return self._plain(node, operation)
            case _:
                assert_never(function.form)

    def _plain(self, node: Apply, operation: str) -> ast.expr:
        if node.function == "now":
            return _call(_attribute(_load("env"), operation))
        if operation == "length" and self._certain(node.arguments[0]) is not None:
            operation = "len"
        return _call(operation, *map(self.emit, node.arguments))

    def _seed(self, node: Apply) -> ast.expr:
        return _constant(f"{self.place}:{node.start}")

    # --- operators --------------------------------------------------------------------------------------------------

    def _compare(self, node: Compare) -> ast.expr:
        left, right = self.emit(node.left), self.emit(node.right)
        certain = self._certain(node.left, node.right)
        match node.operator:
            case "==" | "!=":
                if self._plainly_equal(node, certain):
                    return _comparison(left, ast.Eq() if node.operator == "==" else ast.NotEq(), right)
                return _call("equal" if node.operator == "==" else "different", left, right)
            case "<" | "<=" | ">" | ">=":
                plain, total = _ORDER[node.operator]
                return _comparison(left, plain(), right) if certain in ORDERED else _call(total, left, right)
            case "in" | "not in":
                return self._holds((node.right, right), (node.left, left), negated=node.operator == "not in")
            case "contains" | "not contains":
                return self._holds((node.left, left), (node.right, right), negated=node.operator == "not contains")
            case "mentions":
                return _call("mentions", left, right)
            case "starts with" | "ends with":
                if certain == "text":
                    return _call(_attribute(left, _PREFIX[node.operator]), right)
                return _call(node.operator.replace(" ", "_"), left, right)
            case _:
                assert_never(node.operator)

    def _plainly_equal(self, node: Compare, certain: str | None) -> bool:
        """Whether Python's `==` is ours: both are of one scalar kind, or one is text, which equals only text."""
        if certain in _SCALARS:
            return True
        return "text" in (self._certain(node.left), self._certain(node.right))

    def _holds(self, whole: tuple[Node, ast.expr], part: tuple[Node, ast.expr], *, negated: bool) -> ast.expr:
        if self._certain(whole[0], part[0]) == "text" or self._lists(whole[0], part[0]):
            return _comparison(part[1], ast.NotIn() if negated else ast.In(), whole[1])
        made = _call("contains", whole[1], part[1])
        return ast.UnaryOp(ast.Not(), made, **_HERE) if negated else made

    def _lists(self, whole: Node, part: Node) -> bool:
        found = self._type(whole)
        item = found.items
        certain = found.kind == "list" and not found.maybe and not item.maybe and item.kind in ("text", "number")
        return certain and self._certain(part) == item.kind

    def _matches(self, node: Matches) -> ast.expr:
        pattern = self.checked.patterns[id(node)]
        search = self._keep(pattern.search)
        left = self.emit(node.left)
        if pattern.names:
            return _call("captures", _load("env"), search, left)
        return _call("searches", search, left)
