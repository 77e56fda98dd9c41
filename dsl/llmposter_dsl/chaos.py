"""Chaos: faults and errors for a share of the requests, from `[chaos]` of a scenario, or from the same table alone."""

from __future__ import annotations

from llmposter_dsl import bind, keys, words
from llmposter_dsl.answers import fail
from llmposter_dsl.diagnostic import Diagnostic
from llmposter_dsl.expressions import Scope
from llmposter_dsl.facts import RULE
from llmposter_dsl.faults import faults
from llmposter_dsl.place import Within, assigned
from llmposter_dsl.program import Chaos, Fail, Value


def chaos(value: Value, place: Within, scope: Scope, report: bind.Report) -> Chaos | None:
    """What the table says; None where it has no rate. *scope*: what the messages of its errors may speak of."""
    table = bind.table(value, place, keys.CHAOS, report)
    rate = table.get("rate")
    if rate is not None and not 0 <= rate <= 1:
        cure = f"write `{rate / 100:g}` for {rate:g}%" if 1 < rate <= 100 else "write `0.1` for one request in ten"
        table.refuse("LP114", f"`rate` is {words.shown(rate)}, expected a number from 0 to 1", "rate", cure=cure)
    struck, failed = faults(table, "faults"), _errors(table, scope)
    if rate and not any(name in table.written for name in ("faults", "errors")):
        cure = assigned("faults", '["drop"]', place)
        table.refuse("LP112", "this chaos has neither `faults` nor `errors`", cure=f"write {cure}")
    return None if rate is None else Chaos(float(rate), struck, failed)


def read(data: dict[str, Value]) -> Chaos | tuple[Diagnostic, ...]:
    """What such a table says that came as JSON; or at least one error, its place within the table."""
    from llmposter_dsl.source import Source
    from llmposter_dsl.tree import Document

    found: list[Diagnostic] = []
    made = chaos(data, Document(Source("chaos", ""), data, "yaml").root(), Scope(RULE), found.append)
    failed = tuple(each for each in found if each.severity == "error")
    return failed if made is None or failed else made


def _errors(table: bind.Table, scope: Scope) -> tuple[Fail, ...]:
    if "errors" not in table:
        return ()
    given = table.get("errors")
    if not given:
        table.refuse("LP114", "the list of errors is empty", "errors", cure="take `errors` out, or name an error")
    each = bind.items(given, table.at("errors"), keys.ERROR_VALUE, "an error", table.report)
    return tuple(fail(value, place, scope, table.report) for value, place in each)
