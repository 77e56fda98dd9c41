"""Values that pass the tests of one subject: tried out, so that each that is given does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from llmposter_dsl.analysis import regex
from llmposter_dsl.analysis.atoms import Atom
from llmposter_dsl.analysis.theory import NOTHING, Known, Tests, counted, numbers, possible
from llmposter_dsl.expressions.syntax import Node
from llmposter_dsl.program import Duration, Value
from llmposter_dsl.types import Kind

_MOST: Final = 4
"""Ways through the alternatives of a regular expression that are tried."""
_AMOUNTS: Final[tuple[Kind, ...]] = ("number", "duration")
_PLAIN: Final = ("hello", "anything", "")
_SOME: Final[dict[Kind, tuple[Value, ...]]] = {
    "text": _PLAIN,
    "number": (1, 0, 2),
    "bool": (True, False),
    "duration": (Duration(1), Duration(0)),
    "list": ([],),
    "map": ({},),
    "null": (None,),
}


def values(subject: Node, tests: Tests, known: Known = NOTHING, most: int = 3) -> Iterator[Value]:
    """Some values with which all tests of the subject come out as they are to."""
    return islice((value for value in _guesses(subject, tests, known) if tests.met(value)), most)


def _guesses(subject: Node, tests: Tests, known: Known) -> Iterator[Value]:
    given = counted(subject, tests, known)
    if given is not None:
        yield from given
        return
    kinds = possible(subject, tests, known)
    if "text" in kinds:
        yield from filter(None, texts(tests.passing))
    for kind in _AMOUNTS:
        # The least that people would write comes first.
        found = numbers(subject, tests, kind) if kind in kinds else []
        yield from sorted(found, key=lambda each: (each < 1, abs(each)))
    for each in tests.passing:
        if each.test == "contains" and "list" in kinds:
            yield [each.value[1]]
    for kind, some in _SOME.items():
        if kind in kinds:
            yield from some


def texts(passing: Iterable[Atom]) -> Iterator[str]:
    """Texts made of what the tests ask for, in the order in which they ask."""
    tests = list(passing)
    first = [each.value[1] for each in tests if each.test == "starts with"]
    last = [each.value[1] for each in tests if each.test == "ends with"]
    for branch in range(_MOST):
        inner = [piece for each in tests if (piece := _piece(each, branch)) is not None]
        begin, end = max(first, key=len, default=""), max(last, key=len, default="")
        whole = [each for each in inner if not any(each != other and each in other for other in inner)]
        pieces = list(dict.fromkeys(each for each in whole if each not in begin and each not in end))
        for joint in (" ", ""):
            yield joint.join(piece for piece in (begin, *pieces, end) if piece)
        yield begin if begin.endswith(end) else begin + end


def _piece(atom: Atom, branch: int) -> str | None:
    match atom.test:
        case "has" | "contains" | "mentions":
            return atom.value[1] if isinstance(atom.value[1], str) else None
        case "matches":
            return regex.example(atom.value[0], branch)
        case _:
            return None
