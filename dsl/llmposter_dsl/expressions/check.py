"""Names and types: gives every node its type, or says what can never be right, at its exact place.

One pass from the leaves up; a node that was refused counts as json from then on, so that one mistake is told once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final, assert_never

from llmposter_dsl.diagnostic import Diagnostic, Fix
from llmposter_dsl.expressions import operators, wording
from llmposter_dsl.expressions.functions import FUNCTIONS, Function
from llmposter_dsl.expressions.patterns import Pattern, compile_pattern
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
    Trouble,
)
from llmposter_dsl.facts import RULE, WORDS
from llmposter_dsl.place import Within
from llmposter_dsl.types import BOOL, JSON, TEXT, Type, join, list_of
from llmposter_dsl.types import of as type_of

Report = Callable[[Diagnostic], None]


@dataclass(frozen=True, slots=True)
class Text:
    """An expression's text, and where it stands: *offset* characters into the string at *place*."""

    text: str
    place: Within
    offset: int = 0

    def at(self, start: int, end: int) -> Within:
        """The place of a stretch of the expression; of an empty one the whole, since nothing can be underlined."""
        if end <= start:
            return self.place
        return self.place.stretch(self.offset + start, self.offset + end)


@dataclass(slots=True)
class Checked:
    """What the check of one tree found out; nodes are told apart by identity.

    Attributes:
        failed: an error was reported. volatile, chance: as in `program.Expression` and `program.Condition`.
    """

    types: dict[int, Type] = field(default_factory=dict)
    patterns: dict[int, Pattern] = field(default_factory=dict)
    queries: dict[int, Callable[[Any], Any]] = field(default_factory=dict)
    groups: list[str] = field(default_factory=list)
    volatile: set[int] = field(default_factory=set)
    chance: set[int] = field(default_factory=set)
    failed: bool = False


_DURATION: Final = re.compile(r"\d+(?:\.\d+)?(?:ms|s|m|h|d)")


def _written_in(help_: str | None) -> str | None:
    """What a help tells to write; a text shortened in the middle is nothing that one could write."""
    found = None if help_ is None else help_.split("`")
    return found[1] if found is not None and len(found) == 3 and "…" not in found[1] else None


def check(tree: Node, text: Text, scope: Scope, report: Report, *, condition: bool) -> Checked:
    """Types, patterns and findings of a tree, which must be a condition or may be any value."""
    checker = Checker(text, scope, report)
    if condition:
        checker.condition(tree)
    else:
        checker.type(tree)
    return checker.checked


class Checker:
    """One pass over one tree."""

    def __init__(self, text: Text, scope: Scope, report: Report) -> None:
        self.text = text
        self.scope = scope
        self.report = report
        self.checked = Checked()
        self.it: list[Type] = []

    def refuse(
        self,
        code: str,
        at: Node | tuple[int, int],
        message: str,
        help: str | None = None,  # noqa: A002 - the field's name
        fixes: tuple[Fix, ...] = (),
    ) -> Type:
        start, end = at if isinstance(at, tuple) else (at.start, at.end)
        self.report(Diagnostic(code, message, self.text.at(start, end), help, (), fixes))
        self.checked.failed = True
        return JSON

    def meant(self, at: Node | tuple[int, int], word: str, known: Iterable[str]) -> tuple[Fix, ...]:
        """The known name that was meant in place of *word*."""
        from llmposter_dsl import fixing

        start, end = at if isinstance(at, tuple) else (at.start, at.end)
        return fixing.meant(self.text.at(start, end), word, known)

    def instead(self, at: Node | tuple[int, int], text: str | None, *, safe: bool = False) -> tuple[Fix, ...]:
        """Another text in place of what stands there."""
        from llmposter_dsl import fixing

        start, end = at if isinstance(at, tuple) else (at.start, at.end)
        return () if text is None else fixing.instead(self.text.at(start, end), text, safe=safe)

    def quote(self, node: Node) -> str:
        return wording.quote(self.text.text[node.start : node.end])

    def type(self, node: Node) -> Type:
        found = self._type(node)
        self.checked.types[id(node)] = found
        return found

    def _type(self, node: Node) -> Type:
        match node:
            case Literal():
                return type_of(node.value) if node.value is not None else Type("null", maybe=True)
            case Name():
                return self.name(node)
            case ListOf():
                types = [self.type(item) for item in node.items]
                item = types[0] if types else JSON
                for each in types[1:]:
                    item = join(item, each)
                return list_of(item)
            case MapOf():
                return Type("map", fields=self._fields(node))
            case Member():
                return self.member(node, self.type(node.of))
            case Item():
                return self.item(node, self.type(node.of), self.type(node.index))
            case Apply():
                return self.apply(node)
            case Not():
                self.condition(node.operand)
                return BOOL
            case Negative():
                return self.negative(node, self.type(node.operand))
            case Joined():
                for operand in node.operands:
                    self.condition(operand)
                return BOOL
            case Compare():
                self.compare(node, self.type(node.left), self.type(node.right))
                return BOOL
            case Calculate():
                return self.calculate(node, self.type(node.left), self.type(node.right))
            case Matches():
                self.matches(node, self.type(node.left))
                return BOOL
            case IsType() | Exists():
                self.type(node.operand)
                return BOOL
            case _:
                assert_never(node)

    def _fields(self, node: MapOf) -> dict[str, Type]:
        return {pair.key: self.type(pair.value) for pair in node.pairs}

    def condition(self, node: Node) -> None:
        """*node* stands where a condition must."""
        found = self.type(node)
        if found.kind not in ("bool", "json"):
            message = f"{self.quote(node)} is {wording.a(found)}, not a condition"
            help_ = wording.as_condition(self.quote(node), found)
            self.refuse("LP206", node, message, help_, self.instead(node, _written_in(help_)))

    # --- names ------------------------------------------------------------------------------------------------------

    def name(self, node: Name) -> Type:
        scope, name = self.scope, node.name
        if name == "it":
            if self.it:
                return self.it[-1]
            message = "`it` stands only in the condition of `any`, `all` and `count`"
            return self.refuse("LP205", node, message)
        if name in scope.groups:
            return TEXT.optional()
        if name in scope.vocabulary.facts:
            fact = scope.vocabulary.facts[name]
            scope.used.facts.add(name)
            if name == "token" and not scope.credentials:
                self.report(Diagnostic("LP503", wording.WITHOUT_AUTH, self.text.at(node.start, node.end), wording.AUTH))
            if fact.volatile:
                self.checked.volatile.add(id(node))
            return fact.type
        if name in scope.variables:
            scope.used.variables.add(name)
            return scope.variables[name].optional()
        known = [*scope.groups, *scope.vocabulary.facts, *scope.variables]
        help_, fixes = wording.unknown_name(name, known, scope), self.meant(node, name, known)
        return self.refuse("LP202", node, f"unknown name `{name}`", help_, fixes)

    def member(self, node: Member, of: Type) -> Type:
        return self._key(node.of, of, node.name, (node.name_start, node.end))

    def _key(self, owner: Node, of: Type, key: str, at: tuple[int, int]) -> Type:
        if of.kind in ("json", "null"):
            return JSON
        if of.kind != "map":
            message = f"{self.quote(owner)} is {wording.a(of)} and has no `{key}`"
            return self.refuse("LP203", at, message, wording.of_list(self.quote(owner), key, of))
        if of.fields is None:
            return of.items.optional()
        if key in of.fields:
            return of.fields[key].optional() if of.maybe else of.fields[key]
        message = f"{self.quote(owner)} has no `{key}`"
        fixes = self.meant(at, key, of.fields)
        return self.refuse("LP203", at, message, wording.did_you_mean(key, list(of.fields)), fixes)

    def item(self, node: Item, of: Type, index: Type) -> Type:
        if of.kind in ("json", "null"):
            if index.kind in ("text", "number", "json"):
                return JSON
            message = f"an item is asked by text or number, {self.quote(node.index)} is {wording.a(index)}"
            return self.refuse("LP206", node.index, message)
        if of.kind == "map":
            if index.kind not in ("text", "json"):
                return self.refuse(
                    "LP206", node.index, f"a map is asked by text, {self.quote(node.index)} is {wording.a(index)}"
                )
            if isinstance(node.index, Literal):
                return self._key(node.of, of, str(node.index.value), (node.index.start, node.index.end))
            return of.items.optional() if of.fields is None else JSON
        if of.kind == "list":
            if index.kind not in ("number", "json"):
                message = f"a list is asked by number, {self.quote(node.index)} is {wording.a(index)}"
                return self.refuse("LP206", node.index, message)
            return of.items.optional()
        return self.refuse("LP206", node, f"{self.quote(node.of)} is {wording.a(of)} and has no items")

    # --- functions --------------------------------------------------------------------------------------------------

    def apply(self, node: Apply) -> Type:
        from llmposter_dsl.expressions.check_functions import apply

        function = FUNCTIONS.get(node.function)
        if function is None or node.function not in self.scope.vocabulary.functions:
            for argument in node.arguments:
                if function is None or function.form != "each":
                    self.type(argument)
            return self._unknown_function(node, function)
        return apply(self, node, function)

    def _unknown_function(self, node: Apply, function: Function | None) -> Type:
        at = (node.start, node.name_end or node.end)
        if function is not None:
            return self.refuse("LP204", at, f"`{node.function}` is not known here")
        known = sorted(self.scope.vocabulary.functions)
        help_, fixes = wording.did_you_mean(node.function, known), self.meant(at, node.function, known)
        return self.refuse("LP204", at, f"unknown function `{node.function}`", help_, fixes)

    # --- operators --------------------------------------------------------------------------------------------------

    def compare(self, node: Compare, left: Type, right: Type) -> None:
        found = operators.clash(node.operator, left, right)
        if found is not None:
            message = (
                f"{self.quote(node.left)} is {wording.a(left)}, {self.quote(node.right)} is {wording.a(right)}: {found}"
            )
            if left.kind == right.kind:
                message = f"{self.quote(node.left)} and {self.quote(node.right)} are {wording.many(left)}: {found}"
            self.refuse("LP206", node, message, wording.compare_help(node, left, right), self._alike(node, left, right))

    def _alike(self, node: Compare, left: Type, right: Type) -> tuple[Fix, ...]:
        """A unit for a number that a duration is compared with, or a duration out of its quotes."""
        kinds = {left.kind, right.kind}
        literals = [side for side in (node.left, node.right) if isinstance(side, Literal)]
        if len(literals) != 1 or "duration" not in kinds:
            return ()
        literal = literals[0]
        if kinds == {"number", "duration"}:
            return self.instead(literal, f"{literal.value}s")
        plain = isinstance(literal.value, str) and _DURATION.fullmatch(literal.value) is not None
        return self.instead(literal, str(literal.value), safe=True) if plain else ()

    def calculate(self, node: Calculate, left: Type, right: Type) -> Type:
        found = operators.result(node.operator, left, right)
        if found is None:
            message = (
                f"`{node.operator}` does not take {wording.a(left)} and {wording.a(right)}: "
                f"{self.quote(node.left)} {node.operator} {self.quote(node.right)}"
            )
            return self.refuse("LP206", node, message, wording.calculate_help(node.operator, left, right))
        return found

    def negative(self, node: Negative, operand: Type) -> Type:
        if operand.kind in ("number", "duration", "json"):
            return operand
        return self.refuse(
            "LP206", node, f"`-` takes a number or a duration, {self.quote(node.operand)} is {wording.a(operand)}"
        )

    def matches(self, node: Matches, left: Type) -> None:
        if left.kind not in ("text", "json"):
            message = f"`matches` takes a text, {self.quote(node.left)} is {wording.a(left)}"
            self.refuse("LP206", node.left, message)
        pattern = compile_pattern(node.pattern, node.flags)
        if isinstance(pattern, Trouble):
            start = node.pattern_start
            at = start + pattern.start, start + pattern.end
            fixes = self.instead(at, pattern.instead, safe=pattern.sure)
            self.refuse(pattern.code, at, pattern.message, pattern.help, fixes)
            return
        self.checked.patterns[id(node)] = pattern
        self._bind(node, pattern)

    def _bind(self, node: Matches, pattern: Pattern) -> None:
        for name, (start, end) in pattern.places.items():
            if name in RULE.facts or name in WORDS:
                at = (node.pattern_start + start, node.pattern_start + end)
                what = "a fact" if name in RULE.facts else "a word of the language"
                self.refuse("LP214", at, f"a named group cannot be called `{name}`, which is {what}")
        self.checked.groups += [name for name in pattern.names if name not in self.checked.groups]
