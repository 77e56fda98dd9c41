"""Templates: text with `${…}` in it, alone or as the strings of JSON data."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from typing import TypeAlias

from msgspec.structs import replace

from llmposter_dsl.diagnostic import Diagnostic
from llmposter_dsl.expressions import make
from llmposter_dsl.expressions.check import Report
from llmposter_dsl.expressions.operations import jsonable
from llmposter_dsl.expressions.operations import text as write
from llmposter_dsl.expressions.scope import Scope
from llmposter_dsl.expressions.wording import quote
from llmposter_dsl.place import Within
from llmposter_dsl.program import Data, Env, Expression, Template, Value
from llmposter_dsl.types import kind_of

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
        taken = step[0] if step else text[at]
        if taken == "}":
            if not depth:
                return at
            depth -= 1
        depth += taken == "{"
        at += len(taken)
    return None


Piece: TypeAlias = str | Expression


def stretches(text: str) -> Iterator[tuple[int, int, bool]]:
    """Where texts and expressions stand, and which of them it is; an unclosed expression ends beyond *text*."""
    at = 0
    while (found := _OPEN.search(text, at)) is not None:
        yield at, found.start(), False
        if found[0] == "$${":
            yield found.start() + 1, found.end(), False
            at = found.end()
            continue
        end = _closes(text, found.end())
        at = len(text) if end is None else end + 1
        yield found.end(), len(text) + 1 if end is None else end, True
    yield at, len(text), False


def _pieces(text: str, place: Within, scope: Scope, report: Report) -> list[Piece] | None:
    """Text and expressions in turn; None after errors were reported."""
    pieces: list[Piece] = []
    failed = False
    for start, end, coded in stretches(text):
        if not coded:
            if pieces and isinstance(pieces[-1], str):
                pieces[-1] += text[start:end]
            elif end > start:
                pieces.append(text[start:end])
            continue
        made = _expression(text, (start, end), place, scope, report)
        failed = failed or made is None
        pieces += [made] if made else []
    return None if failed else pieces


def _expression(text: str, stretch: tuple[int, int], place: Within, scope: Scope, report: Report) -> Expression | None:
    start, end = stretch
    if end <= len(text) and text[start:end].strip():
        return make.inner(text[start:end], place, start, scope, report)
    base = (place.inner[0] if place.inner else 0) + start - 2
    stop = min(end + 1, len(text))
    written = quote(text[start - 2 : stop])
    message = f"{written} holds no expression" if end <= len(text) else f"{written} is not closed: expected `}}`"
    at = place.stretch(base, base + stop - start + 2)
    report(Diagnostic("LP121", message, at, "write `$${` for the text `${`"))
    return None


def _renderer(pieces: tuple[Piece, ...]) -> Callable[[Env], str]:
    steps = tuple(piece if isinstance(piece, str) else piece.evaluate for piece in pieces)
    return lambda env: "".join([step if isinstance(step, str) else write(step(env)) for step in steps])


def template(text: str, place: Within, scope: Scope, report: Report) -> Template | None:
    """The template that *text* is; None after what is wrong with it was reported."""
    pieces = _pieces(text, place, scope, report)
    if pieces is None:
        return None
    texts = [piece for piece in pieces if isinstance(piece, str)]
    if len(texts) == len(pieces):
        constant = "".join(texts)
        return Template(place, tuple(texts), lambda _: constant, constant)
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
            return Data(place, lambda _: value, constant=True, type=kind_of(value))


def _string(value: str, place: Within, scope: Scope, report: Report) -> Data | None:
    made = template(value, place, scope, report)
    if made is None:
        return None
    if len(made.pieces) == 1 and isinstance(made.pieces[0], Expression):
        alone = made.pieces[0]
        evaluate = alone.evaluate
        return Data(
            place, lambda env: jsonable(evaluate(env)), constant=False, volatile=alone.volatile, type=alone.type
        )
    return Data(place, made.render, constant=made.constant is not None, volatile=made.volatile, type="text")


def _map(value: dict[str, Value], place: Within, scope: Scope, report: Report) -> Data | None:
    made = {key: data(each, place.child(key), scope, report) for key, each in value.items()}
    members = {key: replace(each, key=place.key(key)) for key, each in made.items() if each is not None}
    if len(members) < len(made):
        return None
    constant, volatile = _traits(members.values())
    builds = tuple((key, each.build) for key, each in members.items())
    return Data(
        place, lambda env: {key: build(env) for key, build in builds}, constant, volatile, "map", members=members
    )


def _list(value: list[Value], place: Within, scope: Scope, report: Report) -> Data | None:
    made = [data(each, place.child(index), scope, report) for index, each in enumerate(value)]
    items = tuple(each for each in made if each is not None)
    if len(items) < len(made):
        return None
    constant, volatile = _traits(items)
    builds = tuple(each.build for each in items)
    return Data(place, lambda env: [build(env) for build in builds], constant, volatile, "list", items=items)


def _traits(inside: Collection[Data]) -> tuple[bool, bool]:
    return all(each.constant for each in inside), any(each.volatile for each in inside)
