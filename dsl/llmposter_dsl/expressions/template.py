"""Templates: text with `${…}` in it, alone or as the strings of JSON data."""

from __future__ import annotations

import re
from collections.abc import Callable

from llmposter_dsl.diagnostic import Diagnostic
from llmposter_dsl.expressions import make
from llmposter_dsl.expressions.check import Report
from llmposter_dsl.expressions.operations import jsonable
from llmposter_dsl.expressions.operations import text as write
from llmposter_dsl.expressions.scope import Scope
from llmposter_dsl.expressions.wording import quote
from llmposter_dsl.place import Within
from llmposter_dsl.program import Data, Env, Expression, Template, Value

_OPEN = re.compile(r"\$\$\{|\$\{")
_STEP = re.compile(
    r"""\s+|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'
    |matches\s*/(?:\\.|\[(?:\\.|[^\]\\])*\]|[^/\\\[])+/|[^\W\d]\w*|.""",
    re.VERBOSE | re.DOTALL,
)


def _closes(text: str, at: int) -> int | None:
    """The offset of the `}` that ends the expression at *at*; braces inside literals do not count."""
    depth = 0
    while at < len(text):
        step = _STEP.match(text, at)
        token = step[0] if step else text[at]
        if token == "}":
            if not depth:
                return at
            depth -= 1
        depth += token == "{"
        at += len(token)
    return None


def _pieces(text: str, place: Within, scope: Scope, report: Report) -> list[str | Expression] | None:
    """Text and expressions in turn; None after an error was reported."""
    base = place.inner[0] if place.inner else 0
    pieces: list[str | Expression] = []
    plain, at, failed = "", 0, False
    for _ in range(len(text) + 1):
        found = _OPEN.search(text, at)
        if found is None:
            break
        plain += text[at : found.start()]
        at = found.end()
        if found[0] == "$${":
            plain += "${"
            continue
        end = _closes(text, at)
        if end is None or not text[at:end].strip():
            stop = len(text) if end is None else end + 1
            _broken(
                text,
                found.start(),
                stop,
                place.stretch(base + found.start(), base + stop),
                report,
                closed=end is not None,
            )
            return None if end is None else _after(text[stop:], base + stop, place, scope, report)
        made = make.inner(text[at:end], place, at, scope, report)
        failed = failed or made is None
        pieces += [plain] if plain else []
        pieces += [made] if made else []
        plain, at = "", end + 1
    plain += text[at:]
    pieces += [plain] if plain else []
    return None if failed else pieces


def _after(rest: str, offset: int, place: Within, scope: Scope, report: Report) -> None:
    """Reports what else is wrong behind an error."""
    _pieces(rest, place.stretch(offset, offset + len(rest)), scope, report)


def _broken(text: str, start: int, stop: int, place: Within, report: Report, *, closed: bool) -> None:
    if closed:
        report(
            Diagnostic(
                "LP121", f"{quote(text[start:stop])} holds no expression", place, "write `$${` for the text `${`"
            )
        )
        return
    message = f"{quote(text[start:stop])} is not closed: expected `}}`"
    report(Diagnostic("LP121", message, place, "write `$${` for the text `${`"))


def _constant(pieces: list[str | Expression]) -> str | None:
    return "".join(map(str, pieces)) if all(isinstance(piece, str) for piece in pieces) else None


def _renderer(pieces: tuple[str | Expression, ...]) -> Callable[[Env], str]:
    steps = tuple(piece if isinstance(piece, str) else piece.evaluate for piece in pieces)
    return lambda env: "".join([step if isinstance(step, str) else write(step(env)) for step in steps])


def template(text: str, place: Within, scope: Scope, report: Report) -> Template | None:
    """The template that *text* is; None after what is wrong with it was reported."""
    pieces = [text] if "${" not in text else _pieces(text, place, scope, report)
    if pieces is None:
        return None
    constant = _constant(pieces)
    if constant is not None:
        return Template(place, (constant,) if constant else (), lambda _: constant, constant)
    return Template(place, tuple(pieces), _renderer(tuple(pieces)))


def data(value: Value, place: Within, scope: Scope, report: Report) -> Data | None:
    """JSON data whose strings are templates; None after what is wrong with it was reported."""
    match value:
        case str():
            return _string(value, place, scope, report)
        case dict():
            return _map(value, place, scope, report)
        case list():
            return _list(value, place, scope, report)
        case _:
            return Data(place, lambda _: value, constant=True)


def _string(value: str, place: Within, scope: Scope, report: Report) -> Data | None:
    made = template(value, place, scope, report)
    if made is None:
        return None
    if len(made.pieces) == 1 and isinstance(made.pieces[0], Expression):
        alone = made.pieces[0]
        return Data(place, lambda env: jsonable(alone.evaluate(env)), constant=False, volatile=alone.volatile)
    return Data(place, made.render, constant=made.constant is not None, volatile=made.volatile)


def _map(value: dict[str, Value], place: Within, scope: Scope, report: Report) -> Data | None:
    made = {key: data(each, place.child(key), scope, report) for key, each in value.items()}
    members = {key: each for key, each in made.items() if each is not None}
    if len(members) < len(made):
        return None
    constant, volatile = _traits(list(members.values()))
    builds = tuple((key, each.build) for key, each in members.items())
    return Data(place, lambda env: {key: build(env) for key, build in builds}, constant, volatile)


def _list(value: list[Value], place: Within, scope: Scope, report: Report) -> Data | None:
    made = [data(each, place.child(index), scope, report) for index, each in enumerate(value)]
    items = [each for each in made if each is not None]
    if len(items) < len(made):
        return None
    constant, volatile = _traits(items)
    builds = tuple(each.build for each in items)
    return Data(place, lambda env: [build(env) for build in builds], constant, volatile)


def _traits(inside: list[Data]) -> tuple[bool, bool]:
    return all(each.constant for each in inside), any(each.volatile for each in inside)
