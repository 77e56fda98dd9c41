"""Rules: from tables of known keys to compiled `Rule`s.

A rule with a mistake in it gives no `Rule`, and still tells where it goes, so that the machine can be checked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from llmposter_dsl import bind, expressions, keys, words
from llmposter_dsl.answers import Answers
from llmposter_dsl.auth import token_end
from llmposter_dsl.bind import Table
from llmposter_dsl.diagnostic import Diagnostic, Related
from llmposter_dsl.expressions import Scope
from llmposter_dsl.names import States
from llmposter_dsl.place import Within, assigned
from llmposter_dsl.program import Condition, Data, Expression, Rule, Value
from llmposter_dsl.types import Type
from llmposter_dsl.types import of as type_of

_GROUPS = re.compile(r"\(\?P<(\w+)>")


class Line(NamedTuple):
    """A rule as the machine's checks see it, whether or not it could be compiled.

    Attributes:
        goto: a state that there is, or None.
        certain: it always fires when it is tried.
        passes: it has no answer of its own.
        volatile: its condition draws, or asks the time.
    """

    table: Table
    name: str
    group: str
    named: bool
    goto: str | None = None
    certain: bool = False
    passes: bool = False
    volatile: bool = False
    rule: Rule | None = None

    @property
    def place(self) -> Within:
        return self.table.place


def lines(value: list[Value], place: Within, group: str, unknown: bind.Unknown, report: bind.Report) -> list[Line]:
    """The rules of one list, with their names; their keys are checked, their values not yet."""
    found = []
    for each, at in bind.items(value, place, keys.TABLE, "a rule", report):
        table = bind.table(each, at, keys.RULE, report, unknown)
        name = table.get("name")
        number = at.path[-1]
        assert isinstance(number, int)
        found.append(Line(table, name or f"{group}#{number + 1}", group, bool(name)))
    return found


def check_names(every: list[Line]) -> None:
    """Reports names that two rules have, and empty ones."""
    first: dict[str, Line] = {}
    for line in sorted(every, key=lambda line: line.named):
        if line.table.get("name") == "":
            line.table.refuse("LP114", "the name of a rule is empty", "name")
        other = first.setdefault(line.name, line)
        if other is not line:
            at = other.table.at("name") if other.named else other.place
            message = f"two rules are called {words.shown(line.name)}"
            related = (Related(at, "this is the other one"),)
            line.table.report(Diagnostic("LP114", message, line.table.at("name"), None, related))


def undeclared(every: list[Line]) -> dict[str, Value]:
    """The tools that some rule calls although they may not be there, so that results and calls can be asked for."""
    calls = (line.table.get("call") for line in every)
    tables = [each for call in calls for each in (call if isinstance(call, list) else [call]) if isinstance(each, dict)]
    names = (table.get("tool") for table in tables if table.get("undeclared") is True)
    return {name: {} for name in names if isinstance(name, str)}


class Compiler:
    """Compiles the rules of one scenario."""

    def __init__(
        self,
        scope: Scope,
        variables: Mapping[str, Type],
        states: States,
        answers: Answers,
        report: bind.Report,
    ) -> None:
        self.scope = scope
        self.variables = variables
        self.states = states
        self.answers = answers
        self._report = report
        self._errors = 0

    def report(self, diagnostic: Diagnostic) -> None:
        """Passes a finding on, and counts it if no rule can be made of what it speaks of."""
        self._errors += diagnostic.severity == "error"
        self._report(diagnostic)

    def compile(self, line: Line) -> Line:
        """The same line, with what was found out about it."""
        before, table = self._errors, line.table
        table.report = self.report
        when = self._when(table)
        scope = self.scope.with_groups(groups(table, when))
        passes = not any(name in table.written for name in (*keys.OUTCOMES, "fault"))
        goto = table.get("goto")
        known = goto is not None and self.states.check(goto, table.at("goto"))
        outcome = self.answers.outcome(table, scope, passes=passes)
        rule = Rule(
            name=line.name,
            group=line.group,
            place=table.place,
            named=line.named,
            when=when,
            times=self._times(table),
            expect=self.conditions(table, "expect", scope),
            set=self._set(table, scope),
            outcome=outcome,
            finish=self.answers.finish(table),
            usage=self.answers.usage(table),
            headers=() if "error" in table else self.answers.headers(table, scope),
            delivery=self.answers.delivery(table),
            goto=goto if known else None,
            token=token_end(table, credentials=self.scope.credentials),
            faults=self.answers.faults(table),
        )
        return line._replace(
            goto=rule.goto,
            certain="times" not in table.written and self._certain(table),
            passes=passes,
            volatile=when is not None and when.volatile,
            rule=rule if self._errors == before else None,
        )

    def conditions(self, table: Table, name: str, scope: Scope) -> tuple[Condition, ...]:
        """The conditions under a key that holds one or a list of them."""
        value = table.get(name)
        if isinstance(value, str):
            found = [expressions.condition(value, table.at(name), scope, self.report)]
        else:
            texts = bind.texts(value or [], table.at(name), "a condition", self.report)
            found = [expressions.condition(text, at, scope, self.report) for text, at in texts]
        return tuple(each for each in found if each is not None)

    def _when(self, table: Table) -> Condition | None:
        if "when" not in table:
            return None
        return expressions.condition(table.get("when"), table.at("when"), self.scope, self.report)

    def _certain(self, table: Table) -> bool:
        return "when" not in table.written or table.get("when", "").strip() == "true"

    def _times(self, table: Table) -> int | None:
        return positive(table, "times")

    def _set(self, table: Table, scope: Scope) -> tuple[tuple[str, Expression | Data], ...]:
        found = []
        for name, value in table.get("set", {}).items():
            made = self._value(name, value, table.at("set", name), scope)
            if made is not None:
                found.append((name, made))
        return tuple(found)

    def _value(self, name: str, value: Value, place: Within, scope: Scope) -> Expression | Data | None:
        if name not in self.variables:
            help_ = words.close(name, list(self.variables))
            first = f"declare it with its first value under `vars`: {assigned(name, '…', place)}"
            cure = f"did you mean `{help_}`?" if help_ else first
            from llmposter_dsl import fixing

            fixes = fixing.meant(place.key(), name, self.variables)
            self.report(Diagnostic("LP202", f"unknown variable {words.shown(name)}", place.key(), cure, (), fixes))
        if not isinstance(value, str):
            return self._itself(name, value, place)
        made = expressions.value(value, place, scope, self.report)
        if made is not None:
            self._fits(name, made.type, words.shown(value), place)
        return made

    def _itself(self, name: str, value: Value, place: Within) -> Data:
        self._fits(name, type_of(value).kind, "the value", place)
        return Data(place, lambda _: value, constant=True)

    def _fits(self, name: str, kind: str, shown: str, place: Within) -> None:
        wanted = self.variables.get(name)
        if wanted is None or wanted.kind == "json" or kind in ("json", "null", wanted.kind):
            return
        message = f"{shown} is {_a(kind)}, the variable `{name}` holds {_a(wanted.kind)}"
        self.report(Diagnostic("LP215", message, place, _cure(wanted.kind, shown)))


def groups(table: Table, when: Condition | None) -> tuple[str, ...]:
    """The named groups of a rule's condition."""
    # Of a condition with a mistake in it they are still looked for, so that one mistake is told once.
    # So are those of a condition whose key has a slip of the pen.
    if when is not None:
        return when.groups
    texts = [table.get("when", ""), *(value for name, value in table.written.items() if name not in keys.RULE)]
    return tuple(group for text in texts if isinstance(text, str) for group in _GROUPS.findall(text))


def positive(table: Table, name: str) -> int | None:
    """A whole number that is at least 1, or None."""
    value = table.get(name)
    if value is None or value >= 1:
        return None if value is None else int(value)
    table.refuse("LP114", f"`{name}` is {words.shown(value)}, expected 1 or more", name)
    return None


def _a(kind: str) -> str:
    return f"a {kind}"


def _cure(wanted: str, shown: str) -> str | None:
    if shown.startswith("`") and wanted in ("text", "number") and "…" not in shown:
        return f"`{wanted}(…)` makes {_a(wanted)} of it"
    return None
