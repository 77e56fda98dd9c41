"""Text to compiled conditions, values, templates, data and calls: parse, check, emit, in this order."""

from __future__ import annotations

from llmposter_dsl.diagnostic import Diagnostic
from llmposter_dsl.expressions.check import Checked, Report, Text, check
from llmposter_dsl.expressions.emit import Emitter
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
from llmposter_dsl.program import Call, Condition, Data, Expression


def read(text: Text, report: Report, start: Start = "start") -> Node | ToolCall | None:
    """The tree of a text, or None after its syntax error was reported."""
    tree = parse(text.text, start)
    if isinstance(tree, Trouble):
        report(Diagnostic(tree.code, tree.message, text.at(tree.start, tree.end), tree.help))
        return None
    return tree


class Maker:
    """Compiles the nodes of one tree in one scope."""

    def __init__(self, tree: Node, text: Text, scope: Scope, report: Report, *, condition: bool) -> None:
        self.text = text
        self.checked: Checked = check(tree, text, scope, report, condition=condition)
        where = "/".join(str(step) for step in text.place.path)
        self.emitter = Emitter(self.checked, scope.groups, frozenset(scope.variables), f"{where}:{text.offset}")

    def expression(self, node: Node, place: Within | None = None) -> Expression:
        found = self.checked.types[id(node)]
        volatile = self._any(node, self.checked.volatile)
        return Expression(
            self._text(node), place or self._place(node), found.kind, self.emitter.value(node), volatile=volatile
        )

    def data(self, node: Node, place: Within) -> Data:
        made = self.expression(node, place)
        constant = not any(isinstance(each, (Name, Apply)) for each in walk(node))
        return Data(place, lambda env: jsonable(made.evaluate(env)), constant, made.volatile)

    def condition(self, node: Node, place: Within | None = None) -> Condition:
        volatile = self._any(node, self.checked.volatile | self.checked.chance)
        groups = tuple(self.checked.groups) if place is not None else ()
        holds = self.emitter.truth(node)
        made = Condition(
            self._text(node), place or self._place(node), holds, (), self._subjects(node), volatile, groups
        )
        parts = self._parts(node, made)
        return Condition(made.text, made.place, holds, parts, made.subjects, volatile, groups)

    def _parts(self, node: Node, whole: Condition) -> tuple[Condition, ...]:
        if isinstance(node, Joined) and node.word == "and":
            return tuple(self.condition(operand) for operand in node.operands)
        return (whole,)

    def _subjects(self, node: Node) -> tuple[Expression, ...]:
        return tuple(self.expression(each) for each in subjects(node))

    def _any(self, node: Node, nodes: set[int]) -> bool:
        return bool(nodes) and any(id(each) in nodes for each in walk(node))

    def _text(self, node: Node) -> str:
        return self.text.text[node.start : node.end]

    def _place(self, node: Node) -> Within:
        return self.text.at(node.start, node.end)


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
    unique: list[Node] = []
    for each in found:
        if each not in unique:
            unique.append(each)
    return unique


def _text_of(text: str, place: Within, offset: int = 0) -> Text:
    return Text(text, place, offset + (place.inner[0] if place.inner else 0))


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
    return made and made[1].condition(made[0], place)


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
