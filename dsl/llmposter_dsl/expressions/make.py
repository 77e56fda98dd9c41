"""Text to compiled conditions, values, templates, data and calls: parse, check, emit, in this order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Literal as Literals
from typing import TypeVar

from msgspec.structs import replace

from llmposter_dsl.diagnostic import Diagnostic, Fix
from llmposter_dsl.expressions.check import Checked, Report, Text, check
from llmposter_dsl.expressions.emit import Emitter
from llmposter_dsl.expressions.needs import needs
from llmposter_dsl.expressions.operations import jsonable
from llmposter_dsl.expressions.parse import Start, parse
from llmposter_dsl.expressions.scope import Scope
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
    ToolCall,
    Trouble,
)
from llmposter_dsl.place import Within
from llmposter_dsl.program import Branch, Call, Condition, Data, Env, Expression, Value


def read(text: Text, report: Report, start: Start = "start") -> Node | ToolCall | None:
    """The tree of a text, or None after its syntax error was reported."""
    tree = parse(text.text, start)
    if isinstance(tree, Trouble):
        fixes = _fixes(tree, text)
        report(Diagnostic(tree.code, tree.message, text.at(tree.start, tree.end), tree.help, (), fixes))
        return None
    return tree


def _fixes(trouble: Trouble, text: Text) -> tuple[Fix, ...]:
    if trouble.instead is None:
        return ()
    from llmposter_dsl import fixing

    return fixing.of_trouble(trouble, text.at(0, len(text.text)))


class Maker:
    """Compiles the nodes of one tree in one scope."""

    def __init__(self, tree: Node, text: Text, scope: Scope, report: Report, *, condition: bool) -> None:
        self.text = text
        self.checked: Checked = check(tree, text, scope, report, condition=condition)
        where = "/".join(str(step) for step in text.place.path)
        self.emitter = Emitter(self.checked, scope.groups, frozenset(scope.variables), f"{where}:{text.offset}")
        if scope.variables and not condition:
            scope.used.filled.extend((each.name, text.at(each.start, each.end)) for each in _filled(tree, scope))

    def expression(self, node: Node, place: Within | None = None) -> Expression:
        return self._expression(node, place or self._place(node), self.emitter.value(node))

    def _expression(self, node: Node, place: Within, evaluate: Callable[[Env], Value]) -> Expression:
        volatile = self._any(node, self.checked.volatile)
        return Expression(self._text(node), place, self.checked.types[id(node)].kind, evaluate, volatile)

    def data(self, node: Node, place: Within, key: Within | None = None) -> Data:
        build = self.emitter.value(node)
        below = walk(node)
        return Data(
            place,
            lambda env: jsonable(build(env)),
            constant=not any(isinstance(each, (Name, Apply)) for each in below),
            volatile=self._any(node, self.checked.volatile),
            type=self.checked.types[id(node)].kind,
            members=self._members(node) if isinstance(node, MapOf) else None,
            items=tuple(self.data(item, self._place(item)) for item in node.items)
            if isinstance(node, ListOf)
            else None,
            key=key,
        )

    def _members(self, node: MapOf) -> dict[str, Data]:
        pairs = node.pairs
        return {
            pair.key: self.data(pair.value, self._place(pair.value), self.text.at(pair.start, pair.key_end))
            for pair in pairs
        }

    def condition(self, node: Node, place: Within) -> Condition:
        groups = tuple(self.checked.groups)
        made = self._condition(node, place, self.emitter.truth(node), groups)
        made = replace(made, needs=needs(node), apart=partial(self._branch, node, made))
        if not isinstance(node, Joined) or node.word != "and":
            return replace(made, parts=(made,))
        # Parts and subjects are asked only to explain a miss, so their code is made when they are.
        parts = [
            self._condition(part, self._place(part), later(partial(self.emitter.truth, part))) for part in node.operands
        ]
        return replace(made, parts=tuple(replace(part, parts=(part,)) for part in parts))

    def _branch(self, node: Node, made: Condition) -> Branch:
        """Taken apart; the code of what is below is made when it is asked."""
        word, below = _joining(node)
        operands = tuple(
            self._branch(each, self._condition(each, self._place(each), later(partial(self.emitter.truth, each))))
            for each in below
        )
        return Branch(made, word, operands, node)

    def _condition(
        self, node: Node, place: Within, holds: Callable[[Env], bool], groups: tuple[str, ...] = ()
    ) -> Condition:
        volatile = self._any(node, self.checked.volatile | self.checked.chance)
        asked = tuple(
            self._expression(each, self._place(each), later(partial(self.emitter.value, each)))
            for each in _reasons(node)
        )
        return Condition(self._text(node), place, holds, (), asked, volatile, groups)

    def _any(self, node: Node, nodes: set[int]) -> bool:
        return bool(nodes) and any(id(each) in nodes for each in walk(node))

    def _text(self, node: Node) -> str:
        return self.text.text[node.start : node.end]

    def _place(self, node: Node) -> Within:
        return self.text.at(node.start, node.end)


Answer = TypeVar("Answer")


def later(make: Callable[[], Callable[[Env], Answer]]) -> Callable[[Env], Answer]:
    """A function that is compiled when it is first called."""
    made: Callable[[Env], Answer] | None = None

    def run(env: Env) -> Answer:
        nonlocal made
        if made is None:
            made = make()
        return made(env)

    return run


def children(node: Node) -> tuple[Node, ...]:
    """The nodes right below."""
    match node:
        case Literal() | Name():
            return ()
        case ListOf():
            return node.items
        case MapOf():
            return tuple(pair.value for pair in node.pairs)
        case Member():
            return (node.of,)
        case Item():
            return (node.of, node.index)
        case Apply():
            return node.arguments
        case Not() | Negative() | IsType() | Exists():
            return (node.operand,)
        case Joined():
            return node.operands
        case Compare() | Calculate():
            return (node.left, node.right)
        case Matches():
            return (node.left,)


def _joining(node: Node) -> tuple[Literals["and", "or", "not", ""], tuple[Node, ...]]:
    """The word that joins conditions here, and those."""
    match node:
        case Joined():
            return node.word, node.operands
        case Not():
            return "not", (node.operand,)
        case _:
            return "", ()


def walk(node: Node) -> list[Node]:
    """The node and all below it."""
    found = [node]
    for each in found:
        found += children(each)
    return found


def subjects(node: Node) -> list[Node]:
    """The nodes whose values tell why a condition came out as it did: no literals, each once."""
    match node:
        case Joined():
            found = [each for operand in node.operands for each in subjects(operand)]
        case Not() | Exists() | IsType():
            found = subjects(node.operand)
        case Compare():
            found = [*subjects(node.left), *subjects(node.right)]
        case Matches():
            found = subjects(node.left)
        case Literal() | ListOf() | MapOf():
            found = []
        case _:
            found = [node]
    return list(dict.fromkeys(found))


def _reasons(node: Node) -> list[Node]:
    """The subjects of a condition; its own value says nothing new, so for a function it is that of what it looks at."""
    looked_at = node.arguments[0] if isinstance(node, Apply) and node.arguments else node
    return [each for each in subjects(looked_at) if each is not node]


def _filled(tree: Node, scope: Scope) -> Iterator[Name]:
    """The variables that stand there for what is in them; what is only asked about them is not told."""
    match tree:
        case Name(name=name):
            if name in scope.variables and name not in scope.groups:
                yield tree
        case ListOf() | MapOf() | Calculate() | Member() | Item() | Apply(function="lower" | "upper" | "trim" | "text"):
            for each in children(tree):
                yield from _filled(each, scope)
        case _:
            pass


def _here(text: str, place: Within, offset: int = 0) -> Text:
    return Text(text, place, offset + (place.inner[0] if place.inner else 0))


def _prepare(here: Text, scope: Scope, report: Report, *, condition: bool) -> tuple[Node, Maker] | None:
    tree = read(here, report)
    if tree is None or isinstance(tree, ToolCall):
        return None
    maker = Maker(tree, here, scope, report, condition=condition)
    return None if maker.checked.failed else (tree, maker)


def condition(text: str, place: Within, scope: Scope, report: Report) -> Condition | None:
    """The condition that *text* is; None after what is wrong with it was reported."""
    made = _prepare(_here(text, place), scope, report, condition=True)
    if made is not None:
        scope.used.models.update(dict.fromkeys(_models(made[0])))
    return made and made[1].condition(made[0], place)


def _models(tree: Node) -> Iterator[str]:
    """The values that the fact `model` is compared with."""
    for node in walk(tree):
        match node:
            case Compare(operator="==", left=Name(name="model"), right=Literal(value=str(value))):
                yield value
            case Compare(operator="==", left=Literal(value=str(value)), right=Name(name="model")):
                yield value
            case Compare(operator="in", left=Name(name="model"), right=ListOf(items=items)):
                yield from (each.value for each in items if isinstance(each, Literal) and isinstance(each.value, str))


def value(text: str, place: Within, scope: Scope, report: Report) -> Expression | None:
    """The expression that *text* is; None after what is wrong with it was reported."""
    made = _prepare(_here(text, place), scope, report, condition=False)
    return made and made[1].expression(made[0], place)


def inner(text: str, place: Within, offset: int, scope: Scope, report: Report) -> Expression | None:
    """The expression that stands *offset* characters into the string at *place*."""
    made = _prepare(_here(text, place, offset), scope, report, condition=False)
    return made and made[1].expression(made[0])


def call(text: str, place: Within, scope: Scope, report: Report) -> Call | None:
    """The tool call that *text* is; None after what is wrong with it was reported."""
    here = _here(text, place)
    tree = read(here, report, "tool_call")
    if not isinstance(tree, ToolCall):
        return None
    scope.used.tools.add(tree.tool)
    node = MapOf(tree.arguments, start=tree.tool_end, end=tree.end, depth=tree.depth)
    maker = Maker(node, here, scope, report, condition=False)
    return None if maker.checked.failed else Call(place, tree.tool, maker.data(node, place))
