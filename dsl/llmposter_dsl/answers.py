"""What a rule answers and how it goes out: from the keys of a rule to `Say`, `Refuse`, `Fail` and `Delivery`.

Also which of these keys may stand beside each other, since a key that would do nothing is a mistake.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from msgspec.structs import replace

from llmposter_dsl import bind, deliveries, delivery_forms, expressions, keys, words
from llmposter_dsl.bind import Table
from llmposter_dsl.calls import calls
from llmposter_dsl.diagnostic import Diagnostic
from llmposter_dsl.expressions import Scope
from llmposter_dsl.faults import check_order, faults
from llmposter_dsl.includes import Placed
from llmposter_dsl.place import Within
from llmposter_dsl.program import Delivery, Duration, Fail, Fault, Refuse, Say, Template, Usage, Value

_HEADER: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL: Final = re.compile(r"[^\t\x20-\x7e\xa0-\xff]")
_OURS: Final = ("connection", "content-length", "transfer-encoding")
_SILENT: Final = ("finish", "usage", "headers", "latency", "stream")
"""Keys that say how an answer goes out."""
_MOST_TOKENS: Final = 10**12


class Answers:
    """Compiles what the rules of one scenario answer, with the defaults of the scenario."""

    def __init__(self, defaults: Mapping[str, Placed], tools: Mapping[str, Value], report: bind.Report) -> None:
        self.tools = tools
        value = {name: each.value for name, each in defaults.items()}
        self._usage: Usage | None = None
        self._delivery: deliveries.Written = {}
        self._defaults: list[Table] = []
        self._paced = False
        for name, each in defaults.items():
            place = Within(each.place.document, each.place.path[:-1])
            table = bind.table({name: value[name]}, place, keys.DEFAULTS, report)
            self._defaults.append(table)
            self._delivery |= deliveries.written(table)
            self._usage = usage(table) or self._usage

    def outcome(self, table: Table, scope: Scope, *, passes: bool) -> Say | Refuse | Fail | None:
        """What the rule answers; None where it passes on, or after a mistake."""
        _together(table, passes=passes)
        if "error" in table:
            return self._fail(table, scope)
        if "refuse" in table:
            text = self._template(table, "refuse", scope)
            return None if text is None else Refuse(text)
        if not _answers(table):
            return _silence(table) if "fault" in table else None
        return Say(
            think=self._template(table, "think", scope),
            reply=self._template(table, "reply", scope),
            json=expressions.data(table.get("json"), table.at("json"), scope, table.report)
            if "json" in table
            else None,
            calls=calls(table, scope, self.tools) if "call" in table else (),
        )

    def _template(self, table: Table, name: str, scope: Scope) -> Template | None:
        if name not in table:
            return None
        return expressions.template(table.get(name), table.at(name), scope, table.report)

    def _fail(self, table: Table, scope: Scope) -> Fail:
        made = fail(table.get("error"), table.at("error"), scope, table.report)
        # Headers of the rule and of its error are one; where both give the same, the error's own holds.
        own = {name.lower() for name, _ in made.headers}
        more = tuple(each for each in self.headers(table, scope) if each[0].lower() not in own)
        return replace_headers(made, (*more, *made.headers)) if more else made

    def finish(self, table: Table) -> str | None:
        """The finish reason that the rule gives."""
        value: str | None = table.get("finish")
        if value is not None and not value.strip():
            table.refuse("LP114", "the finish reason is empty", "finish")
        return value

    def headers(self, table: Table, scope: Scope) -> tuple[tuple[str, Template], ...]:
        """Headers by name, compiled."""
        return headers(table, scope)

    def usage(self, table: Table) -> Usage | None:
        """Token counts: the rule's, and the scenario's where the rule says nothing."""
        own, default = usage(table), self._usage
        if own is None or default is None or "error" in table or not _answers(table):
            return own if own is not None or not _answers(table) or "error" in table else default
        return Usage(
            input=default.input if own.input is None else own.input,
            output=default.output if own.output is None else own.output,
            cached=default.cached if own.cached is None else own.cached,
            reasoning=default.reasoning if own.reasoning is None else own.reasoning,
        )

    def delivery(self, table: Table) -> Delivery:
        """How the answer goes out."""
        own = deliveries.written(table)
        self._paced |= "pace" in own
        deliveries.check_pace(table, own, self._delivery)
        return deliveries.delivery(own, self._delivery)

    def faults(self, table: Table) -> tuple[Fault, ...]:
        """How the delivery of the answer breaks."""
        found = faults(table, speaks=_answers(table))
        check_order(found, table.report)
        return found

    def check_defaults(self) -> None:
        """Reports what no rule could make use of, once all are compiled."""
        for table in () if self._paced else self._defaults:
            deliveries.check_pace(table, self._delivery, {})


def _answers(table: Table) -> bool:
    return any(name in table for name in keys.OUTCOMES)


def _together(table: Table, *, passes: bool) -> None:
    """Reports keys of a rule that do not go together."""
    written = [name for name in table.written if name in keys.OUTCOMES]
    for alone in ("refuse", "error"):
        if alone in written and len(written) > 1:
            other = next(name for name in written if name != alone)
            _apart(table, alone, other)
            return
    if passes and "goto" not in table.written:
        if any(name not in keys.RULE for name in table.written):
            return  # the unknown key, which has been reported, may be the answer
        help_ = f"a rule has {words.listed((*keys.OUTCOMES, 'fault'))}, or a `goto` alone"
        table.refuse("LP112", "this rule neither answers nor goes anywhere", cure=help_)
        return
    if passes:
        _useless(table, _SILENT, "goto", "a rule that only has a `goto` passes the request on and sends nothing")
    elif "error" in table.written:
        _useless(table, ("finish", "usage", "stream"), "error", "an error has no finish reason, usage or stream")
    elif not written and "fault" in table.written:
        _useless(table, ("finish", "usage"), "fault", "a rule that only has a fault says nothing")


def _apart(table: Table, alone: str, other: str) -> None:
    first, second = sorted((alone, other), key=list(table.written).index)
    table.refuse_key("LP113", f"`{second}` cannot stand beside `{first}`", second, "make two rules of it", first)


def _useless(table: Table, names: tuple[str, ...], beside: str, why: str) -> None:
    for name in names:
        if name in table.written:
            table.refuse_useless(f"`{name}` does nothing beside `{beside}`", name, why, beside)


def _silence(table: Table) -> Say:
    """What a rule says that only has a fault."""
    return Say(reply=Template(table.at("fault"), (), lambda _: "", ""))


def fail(value: Value, place: Within, scope: Scope, report: bind.Report) -> Fail:
    """The error that a status, a name or a table is."""
    if isinstance(value, int):
        return Fail(status=_status(value, place, report))
    if isinstance(value, str):
        return Fail(name=_name(value, place, report))
    table = bind.table(value, place, keys.ERROR, report, _no_goto)
    if "name" not in table.written and "status" not in table.written:
        table.refuse("LP112", "this error has neither `name` nor `status`")
    message = None
    if "message" in table:
        message = expressions.template(table.get("message"), table.at("message"), scope, report)
    after, dated = _retry_after(table)
    return Fail(
        name=_name(table.get("name"), table.at("name"), report) if "name" in table else None,
        status=_status(table.get("status"), table.at("status"), report) if "status" in table else None,
        type=table.get("type"),
        code=table.get("code"),
        message=message,
        headers=headers(table, scope),
        retry_after=after,
        retry_date=dated,
    )


def replace_headers(of: Fail, given: tuple[tuple[str, Template], ...]) -> Fail:
    """The same error with these headers."""
    return replace(of, headers=given)


def _retry_after(table: Table) -> tuple[Duration | None, bool]:
    if "retry_after" not in table:
        return None, False
    found = delivery_forms.retry_after(table.get("retry_after"))
    if found is None:
        message = f"{words.shown(table.get('retry_after'))} is no duration"
        table.refuse("LP114", message, "retry_after", cure=delivery_forms.RETRY_FORMS)
        return None, False
    return found


def _no_goto(name: str, place: Within) -> Diagnostic | None:
    if name != "goto":
        return None
    from llmposter_dsl import reshaping

    help_ = "write it beside `error`, as a key of the rule"
    fixes = reshaping.lifted(place.key(name), safe=True)
    return Diagnostic("LP125", "`goto` stands inside `error`", place.key(name), help_, (), fixes)


def _status(value: int, place: Within, report: bind.Report) -> int:
    if not 400 <= value <= 599:
        message = f"{words.shown(value)} is no status of an error"
        report(Diagnostic("LP114", message, place, "a status of an error is between 400 and 599"))
    return value


def _name(value: str, place: Within, report: bind.Report) -> str:
    if value not in keys.ERRORS:
        from llmposter_dsl import fixing

        help_, fixes = words.meant(value, keys.ERRORS), fixing.meant(place, value, keys.ERRORS)
        if value.strip().isdigit():
            help_ = f"write the status without quotes: `{value.strip()}`"
            # Under `name` stands no status.
            fixes = fixing.NONE if place.path[-1:] == ("name",) else fixing.as_written(place, value.strip(), safe=True)
        report(Diagnostic("LP211", f"unknown error {words.shown(value)}", place, help_, (), fixes))
    return value


def duration(table: Table, name: str) -> Duration | None:
    """The duration that a key holds, or None."""
    if name not in table:
        return None
    found = delivery_forms.duration(table.get(name))
    if found is None:
        message = f"{words.shown(table.get(name))} is no duration"
        table.refuse("LP114", message, name, cure=delivery_forms.DURATION_FORMS)
    return found


def usage(table: Table) -> Usage | None:
    """The token counts that a table gives."""
    if "usage" not in table:
        return None
    counts = bind.table(table.get("usage"), table.at("usage"), keys.USAGE, table.report)
    for name in list(counts.values):
        if not 0 <= counts.get(name) <= _MOST_TOKENS:
            counts.refuse("LP114", f"`{name}` is {words.shown(counts.get(name))}, expected 0 or more", name)
    for part, whole in (("cached", "input"), ("reasoning", "output")):
        if part in counts and whole in counts and counts.get(part) > counts.get(whole):
            counts.refuse("LP114", f"`{part}` is more than `{whole}`, which includes it", part)
    return Usage(**counts.values)


def headers(table: Table, scope: Scope) -> tuple[tuple[str, Template], ...]:
    """Headers by name, compiled."""
    if "headers" not in table:
        return ()
    found = []
    for name, value in table.get("headers").items():
        template = _header(name, value, table.at("headers", name), scope, table.report)
        if template is not None:
            found.append((name, template))
    return tuple(found)


def _header(name: str, value: Value, place: Within, scope: Scope, report: bind.Report) -> Template | None:
    key = Within(place.document, place.path, "key")
    if _HEADER.fullmatch(name) is None:
        report(Diagnostic("LP114", f"{words.shown(name)} cannot be the name of a header", key))
    elif name.lower() in _OURS:
        report(Diagnostic("LP114", f"the header {words.shown(name)} is the server's own", key))
    if not isinstance(value, str):
        message = f"the header {words.shown(name)} is {words.kind(value)}, expected a text"
        report(Diagnostic("LP111", message, place))
        return None
    bad = _CONTROL.search(value)
    if bad is not None:
        message = f"the header {words.shown(name)} holds a character that no header can have"
        report(Diagnostic("LP114", message, place.stretch(bad.start(), bad.end())))
    return expressions.template(value, place, scope, report)
