"""The rules of `embeddings` and `moderations`: from tables of known keys to `InputRule`s.

They stand outside of the machine: an input has no state and no history, and no rule leads to another.
"""

from __future__ import annotations

from collections.abc import Container
from typing import Final, NamedTuple

from llmposter_dsl import bind, expressions, fixing, keys, words
from llmposter_dsl.answers import fail
from llmposter_dsl.bind import Table
from llmposter_dsl.diagnostic import Diagnostic, Related
from llmposter_dsl.expressions import Scope
from llmposter_dsl.facts import INPUT
from llmposter_dsl.faults import check_order, faults
from llmposter_dsl.place import Within
from llmposter_dsl.program import Fail, Fault, InputRule, Value
from llmposter_dsl.rules import groups, positive


class _Kind(NamedTuple):
    """What rules of one list have: their keys, and the one that says what is answered."""

    keys: keys.Keys
    outcome: str


_NUMBER: Final = keys.Form(frozenset((int, float)), "a number")
_LARGEST: Final = 3.4028234663852886e38
"""What base64 has room for: vectors are sent in it as numbers of 32 bits (IEEE 754)."""
_POINTS: Final = ("before headers", "inside headers", "after headers", "bytes", "halfway")
"""Points that one body has, whole and at once."""
_KINDS: Final = {
    "embeddings": _Kind(keys.EMBEDDING, "vector"),
    "moderations": _Kind(keys.MODERATION, "flags"),
}


def compile_rules(  # noqa: PLR0913, PLR0917 - a list of rules, and what names mean in it
    group: str,
    value: list[Value],
    place: Within,
    scope: Scope,
    elsewhere: Container[str],
    report: bind.Report,
) -> tuple[InputRule, ...]:
    """The rules of one list; those with a mistake are left out. *elsewhere* has the names that conversations know."""
    kind = _KINDS[group]
    found: list[InputRule | None] = []
    stop: Table | None = None

    def told(diagnostic: Diagnostic) -> None:
        report(_outside(diagnostic, elsewhere))

    def unknown(name: str, at: Within) -> Diagnostic | None:
        return _of_another_rule(name, at, kind)

    for number, (each, at) in enumerate(bind.items(value, place, keys.TABLE, "a rule", report), 1):
        table = bind.table(each, at, kind.keys, told, unknown)
        name = f"{group}#{number}"
        if stop is not None:
            _never(name, table, stop)
        elif "when" not in table.written and "times" not in table.written:
            stop = table
        found.append(_rule(name, table, kind, scope))
    return tuple(rule for rule in found if rule is not None)


def _outside(found: Diagnostic, elsewhere: Container[str]) -> Diagnostic:
    """The finding; of a name that only conversations know it says so."""
    name = found.message.rpartition(" ")[2].strip("`") if found.code == "LP202" else ""
    if name not in elsewhere:
        return found
    cure = f"`{name}` belongs to a conversation; an input has {words.listed(list(INPUT.facts), 'and')}"
    return Diagnostic(found.code, found.message, found.place, cure)


def _of_another_rule(name: str, place: Within, kind: _Kind) -> Diagnostic | None:
    if name not in keys.RULE:
        return None
    has = words.listed(list(kind.keys), "and")
    return Diagnostic("LP110", f"unknown key {words.shown(name)}", place.key(name), f"a rule of this list has {has}")


def _rule(name: str, table: Table, kind: _Kind, scope: Scope) -> InputRule | None:
    when = None
    if "when" in table:
        when = expressions.condition(table.get("when"), table.at("when"), scope, table.report)
    outcome = _outcome(table, kind, scope.with_groups(groups(table, when)))
    times, struck = positive(table, "times"), _faults(table)
    if (outcome is None and not struck) or (when is None and "when" in table.written):
        return None
    return InputRule(name, table.place, outcome, when, times, struck)


def _faults(table: Table) -> tuple[Fault, ...]:
    """How the delivery breaks; the answer to an input is one body, so that many a point is never reached."""
    found = faults(table)
    check_order(found, table.report)
    for fault in found:
        if fault.point.kind not in _POINTS:
            message = f"{words.shown(fault.text)} never strikes: the answer to an input is one body"
            cure = "write `before headers`, `inside headers`, `after headers`, `after 20 bytes` or `halfway`"
            table.report(Diagnostic("LP402", message, fault.place, cure))
    return found


def _outcome(table: Table, kind: _Kind, scope: Scope) -> tuple[float, ...] | frozenset[str] | Fail | None:
    if kind.outcome in table.written and "error" in table.written:
        first, second = sorted((kind.outcome, "error"), key=list(table.written).index)
        table.refuse_key("LP113", f"`{second}` cannot stand beside `{first}`", second, "make two rules of it", first)
    elif "error" in table:
        return fail(table.get("error"), table.at("error"), scope, table.report)
    elif kind.outcome in table:
        return _vector(table) if kind.outcome == "vector" else _flags(table)
    elif all(name in kind.keys for name in table.written) and not _answers(table, kind):
        cure = f"a rule of this list has `{kind.outcome}`, `error` or `fault`"
        table.refuse("LP112", "this rule answers nothing", cure=cure)
    return None


def _answers(table: Table, kind: _Kind) -> bool:
    """Whether there is an answer, which was refused."""
    return any(name in table.written for name in (kind.outcome, "error", "fault"))


def _vector(table: Table) -> tuple[float, ...] | None:
    given = table.get("vector")
    if not given:
        table.refuse("LP114", "the vector is empty", "vector")
        return None
    found = []
    for number, place in bind.items(given, table.at("vector"), _NUMBER, "an element of a vector", table.report):
        if abs(number) > _LARGEST:
            table.report(Diagnostic("LP114", f"{words.shown(number)} is too large for a number of 32 bits", place))
        else:
            found.append(float(number))
    return tuple(found)


def _flags(table: Table) -> frozenset[str]:
    found = set()
    for name, place in bind.texts(table.get("flags"), table.at("flags"), "a category", table.report):
        if name not in keys.CATEGORIES:
            message = f"unknown category {words.shown(name)}"
            fixes = fixing.meant(place, name, keys.CATEGORIES)
            table.report(Diagnostic("LP114", message, place, words.meant(name, keys.CATEGORIES), (), fixes))
        found.add(name)
    return frozenset(found)


def _never(name: str, table: Table, stop: Table) -> None:
    related = (Related(stop.place, "it stands here"),)
    message = f"the rule {words.shown(name)} can never fire: an earlier rule always fires"
    table.report(Diagnostic("LP302", message, table.place, None, related))
