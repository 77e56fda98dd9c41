"""Plain data to tables of known keys: unknown keys and wrong types are reported here, once.

What is left in a `Table` has the type that `keys` promises, so that later stages look at meaning only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

from llmposter_dsl import words
from llmposter_dsl.diagnostic import Diagnostic, Related
from llmposter_dsl.place import Within
from llmposter_dsl.program import Value

if TYPE_CHECKING:
    from llmposter_dsl.diagnostic import Fix
    from llmposter_dsl.keys import Form, Key, Keys

Report = Callable[[Diagnostic], None]
Unknown = Callable[[str, Within], Diagnostic | None]
"""A better finding for an unknown key than that it is unknown, or None."""


class Table:
    """The keys of one table that are known and hold what they may; `written` has all that its user wrote."""

    __slots__ = ("place", "report", "values", "written")

    def __init__(self, place: Within, values: dict[str, Value], written: dict[str, Value], report: Report) -> None:
        self.place = place
        self.values = values
        self.written = written
        self.report = report

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def get(self, name: str, default: Value = None) -> Any:
        """The value of a key, or *default* where it is not there or was refused."""
        return self.values.get(name, default)

    def at(self, *path: str | int) -> Within:
        """The place of a value further in."""
        return self.place.child(*path)

    def key_at(self, name: str) -> Within:
        """The place of a key."""
        return self.place.key(name)

    def refuse(
        self, code: str, message: str, *path: str | int, cure: str | None = None, fixes: tuple[Fix, ...] = ()
    ) -> None:
        """Reports a finding at a value further in."""
        self.report(Diagnostic(code, message, self.place.child(*path), cure, (), fixes))

    def refuse_key(
        self, code: str, message: str, name: str, cure: str | None = None, beside: str | None = None
    ) -> None:
        """Reports a finding at a key, and points to the key that it does not go with."""
        self.report(Diagnostic(code, message, self.key_at(name), cure, self._stands(beside)))

    def refuse_useless(self, message: str, name: str, cure: str | None, beside: str | None) -> None:
        """Reports a key that does nothing beside another one, and can be left out."""
        from llmposter_dsl import reshaping

        fixes = reshaping.without(self.key_at(name))
        self.report(Diagnostic("LP113", message, self.key_at(name), cure, self._stands(beside), fixes))

    def _stands(self, beside: str | None) -> tuple[Related, ...]:
        return () if beside is None else (Related(self.key_at(beside), f"`{beside}` stands here"),)


def table(value: Value, place: Within, keys: Keys, report: Report, unknown: Unknown | None = None) -> Table:
    """The table that *value*, a dict, is; what is wrong with its keys is reported."""
    kept: dict[str, Value] = {}
    for name, each in value.items():
        key = keys.get(name)
        if key is None:
            report((unknown and unknown(name, place)) or _unknown(name, keys, place, value))
        elif type(each) in key.form.types:
            kept[name] = each
        else:
            report(_mistyped(key, each, place))
    for key in keys.values():
        if key.required and key.name not in value and not _misspelt(key.name, value, keys):
            report(Diagnostic("LP112", f"`{key.name}` is missing here", place))
    return Table(place, kept, value, report)


def items(
    value: list[Value],
    place: Within,
    form: Form,
    noun: str,
    report: Report,
) -> Iterator[tuple[Value, Within]]:
    """The items of a list that have the form, each with its place; the others are reported."""
    for index, each in enumerate(value):
        if type(each) in form.types:
            yield each, place.child(index)
        else:
            message = f"{noun} is {form.words}, found {words.kind(each)}"
            report(Diagnostic("LP111", message, place.child(index)))


def texts(value: list[Value], place: Within, noun: str, report: Report) -> list[tuple[str, Within]]:
    """The texts of a list, each with its place; anything else is reported."""
    from llmposter_dsl.keys import TEXT

    return list(items(value, place, TEXT, noun, report))


def tables(value: list[Value], place: Within, keys: Keys, noun: str, report: Report) -> list[Table]:
    """The tables of a list; anything else is reported."""
    from llmposter_dsl.keys import TABLE

    return [table(each, at, keys, report) for each, at in items(value, place, TABLE, noun, report)]


_OTHERWISE: Final = {"name": "tool", "function": "tool", "input": "arguments", "parameters": "arguments"}
"""What providers call what a call has."""


def _unknown(name: str, keys: Keys, place: Within, value: dict[str, Value]) -> Diagnostic:
    from llmposter_dsl import fixing

    known, at = list(keys), place.key(name)
    many = next((key for key in known if name in (f"{key}s", key.removesuffix("s"))), None)
    ours = many if _OTHERWISE.get(name) not in keys else _OTHERWISE[name]
    help_: str | None
    if ours is not None:
        help_, fixes = f"did you mean `{ours}`?", fixing.renamed(at, name, ours, safe=True)
    elif (elsewhere := _elsewhere(name, keys)) is not None:
        help_, fixes = elsewhere, fixing.NONE
    else:
        help_, fixes = words.meant(name, known), fixing.meant(at, name, known)
        ours = words.close(name, known)
    fixes = fixing.NONE if ours in value else fixes
    return Diagnostic("LP110", f"unknown key {words.shown(name)}", at, help_, (), fixes)


def _misspelt(name: str, value: dict[str, Value], keys: Keys) -> bool:
    """Whether a key that is not there stands there with a slip of the pen, which has been reported."""
    return any(each not in keys and (words.close(each, [name]) or _OTHERWISE.get(each) == name) for each in value)


def _elsewhere(name: str, keys: Keys) -> str | None:
    """Where a key belongs that is known, but not here."""
    from llmposter_dsl.keys import DOCUMENT, RULE, SCENARIO

    for heading, others in (("a rule", RULE), ("`scenario`", SCENARIO), ("the top of the file", DOCUMENT)):
        if name in others and others is not keys:
            return f"`{name}` is a key of {heading}"
    return None


def _mistyped(key: Key, value: Value, place: Within) -> Diagnostic:
    message = f"`{key.name}` is {words.kind(value)}, expected {key.form.words}"
    at = place.child(key.name)
    return Diagnostic("LP111", message, at, _cure(key, value), (), _mended(key, value, at))


def _mended(key: Key, value: Value, at: Within) -> tuple[Fix, ...]:
    """Quotes around a number, brackets around what is to be a list, or a number out of its quotes."""
    from llmposter_dsl import fixing, keys, reshaping

    match value:
        case str() if list in key.form.types and key.form.words.endswith(("texts", "states")):
            return reshaping.listed(at)
        case dict() if list in key.form.types and key.form.words.startswith("a list of"):
            return reshaping.listed(at)
        case bool() if key.form in (keys.CONDITION, keys.CONDITIONS, keys.EXPRESSION, keys.TEXT, keys.TEMPLATE):
            return fixing.wrapped(at, '"', '"', safe=True)
        case int() | float() if key.form in (keys.TEXT, keys.TEMPLATE) and not isinstance(value, bool):
            return fixing.wrapped(at, '"', '"', safe=True)
        case str() if int in key.form.types and str not in key.form.types and value.isascii() and value.isdecimal():
            return fixing.as_written(at, str(int(value[:18])), safe=len(value) <= 18)
        case "true" | "false" if key.form.types == {bool}:
            return fixing.as_written(at, value, safe=True)
        case _:
            return fixing.NONE


def _cures() -> dict[Form, str]:
    from llmposter_dsl import delivery_forms, keys

    return {
        keys.DURATION: delivery_forms.DURATION_FORMS,
        keys.LATENCY: delivery_forms.LATENCY_FORMS,
        keys.CHUNK: delivery_forms.CHUNK_FORMS,
        keys.PACE: delivery_forms.PACE_FORMS,
        keys.JITTER: delivery_forms.JITTER_FORMS,
    }


def _cure(key: Key, value: Value) -> str | None:
    match value:
        case str() if list in key.form.types and key.form.words.endswith(("texts", "states")):
            return f"write `[{_quoted(value)}]`"
        case int() | float() if key.form in (cures := _cures()):
            return cures[key.form]
        case bool() | int() | float() if str in key.form.types and abs(value) < 10**15:
            return f'write `"{words.shown(value).strip("`")}"` in quotes'
        case dict() if list in key.form.types and key.form.words.startswith("a list of"):
            return "put it in a list: `[[…]]` in TOML, `- ` in YAML"
        case _:
            return None


def _quoted(text: str) -> str:
    from llmposter_dsl.expressions.wording import quote

    return f'"{quote(text, 30).strip("`")}"'
