"""Whether tests can pass together: they are gathered by subject, and each subject is looked at for itself.

It says that they contradict each other only where they do; it may miss that they do.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final, Literal, TypeAlias

from llmposter_dsl import facts
from llmposter_dsl.analysis.atoms import Atom, Signed, type_of
from llmposter_dsl.analysis.follows import exclude, follows
from llmposter_dsl.expressions.syntax import Apply, Item, Member, Name, Node
from llmposter_dsl.program import Duration, Value
from llmposter_dsl.types import Kind, kind_of

KINDS: Final = frozenset[Kind](("text", "number", "bool", "duration", "list", "map", "null"))
_WHOLE: Final[Mapping[str, int]] = {"attempt": 1, "visits": 1, "turn": 1, "images": 0, "files": 0, "tokens": 0}
"""Facts that are whole numbers, with the least that they can be."""
_ORDERED: Final = (frozenset[Kind](("number",)), frozenset[Kind](("duration",)))
_EXACT: Final = 2**53
"""Beyond it not every whole number is a float."""
_COUNTED: Final = frozenset(("len", "count", "fired"))
_PASSING: Final = frozenset(("elapsed", "idle", "age"))
_SPOKEN: Final = ("user", "assistant", "tool")
_TEXTUAL: Final = frozenset(("has", "mentions", "starts with", "ends with", "matches"))
BELOW: Final[Mapping[str, str]] = {"elapsed": "age", "idle": "age", "visits": "turn"}
"""Facts that are never more than another one: a state is entered, and a request made, after the conversation began."""
LETTERS: Final[Mapping[str, Callable[[str], str]]] = {"lower": str.lower, "upper": str.upper, "trim": str.strip}


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the subjects from elsewhere, such as the state or a variable.

    Attributes:
        values: all that one can have. kinds: the kinds of all that one can have, where the values are not counted.
    """

    values: Mapping[Node, tuple[Value, ...]] = field(default_factory=dict)
    kinds: Mapping[Node, frozenset[Kind]] = field(default_factory=dict)

    def of(self, subject: Node) -> tuple[Value, ...] | None:
        """All values that the subject can have, or None where these are not counted."""
        if subject in self.values:
            return self.values[subject]
        if isinstance(subject, Name) and subject.name == "last":
            return _SPOKEN
        found = type_of(subject)
        return (True, False) if found is not None and found.kind == "bool" and not found.maybe else None


NOTHING: Final = Known()


@dataclass(slots=True)
class Tests:
    """The tests of one subject: those that are to pass, and those that are not to."""

    passing: list[Atom] = field(default_factory=list)
    failing: list[Atom] = field(default_factory=list)

    def met(self, value: Value) -> bool:
        """Whether all come out as they are to where the subject has this value."""
        return all(each.passes(value) for each in self.passing) and not any(each.passes(value) for each in self.failing)


Gathered: TypeAlias = dict[Node, Tests]


def contradict(signed: Iterable[Signed], known: Known = NOTHING) -> bool:
    """Whether it is sure that these cannot all come out as they are to."""
    return any(_impossible(subject, tests, known) for subject, tests in gathered(signed).items())


def gathered(signed: Iterable[Signed]) -> Gathered:
    """The tests by subject, with what follows for other subjects."""
    found: Gathered = {}
    for atom, wanted in signed:
        tests = found.setdefault(atom.subject, Tests())
        (tests.passing if wanted else tests.failing).append(atom)
    for subject, tests in list(found.items()):
        if not isinstance(subject, Name) and any(each.passes(None) != (each in tests.passing) for each in _all(tests)):
            for above in _needed(subject):
                found.setdefault(above, Tests()).passing.append(Atom(above, "exists"))
    for subject in list(found):
        if isinstance(subject, Apply) and subject.function in LETTERS and subject.arguments[0] in found:
            found[subject].passing += _changed(subject, found[subject.arguments[0]].passing)
        if isinstance(subject, Name) and (above := Name(BELOW.get(subject.name, ""))) in found:
            found[above].passing += [Atom(above, *each) for each in _least_of(found[subject])]
    return found


def _least_of(tests: Tests) -> Iterable[tuple[Literal[">", ">="], tuple[Any, ...]]]:
    """How much a number surely is, as tests of what is no less."""
    for each in tests.passing:
        if each.test in (">", ">=", "=="):
            yield (">" if each.test == ">" else ">="), each.value
    for each in tests.failing:
        # Nothing is less than null, however much it is.
        if each.test in ("<", "<=") and _is_number(each):
            yield (">=" if each.test == "<" else ">"), each.value


def _all(tests: Tests) -> list[Atom]:
    return [*tests.passing, *tests.failing]


def _needed(subject: Node) -> Iterable[Node]:
    """What is not null where the subject is not."""
    while isinstance(subject, Member | Item):
        subject = subject.of
        if not isinstance(subject, Name) or subject.name == "result":
            yield subject
    if isinstance(subject, Apply) and subject.function in ("result", *LETTERS):
        yield Name("result") if subject.function == "result" else subject.arguments[0]


def _changed(subject: Apply, passing: Iterable[Atom]) -> Iterable[Atom]:
    """What passes of a text once it is in lower case, where that is sure."""
    change = LETTERS[subject.function]
    for each in passing:
        if each.test not in ("==", "has", "starts with", "ends with") or not isinstance(each.value[1], str):
            continue
        if each.test == "==" or (each.value[1].isascii() and subject.function != "trim"):
            yield Atom(subject, each.test, ("text", change(each.value[1])))


def _impossible(subject: Node, tests: Tests, known: Known) -> bool:
    values = counted(subject, tests, known)
    if values is not None:
        return not any(tests.met(value) for value in values)
    kinds = possible(subject, tests, known)
    if not kinds:
        return True
    if kinds in _ORDERED:
        found = numbers(subject, tests, next(iter(kinds)))
        return bool(found) and not any(map(tests.met, found))
    if any(follows(one, other) for one in tests.passing for other in tests.failing):
        return True
    if kinds == {"text"} and any(_never(each) for each in tests.passing):
        return True
    return any(exclude(one, other) for one in tests.passing for other in tests.passing)


def counted(subject: Node, tests: Tests, known: Known) -> tuple[Value, ...] | None:
    """The only values that the subject may have, or None where these are not counted."""
    found = known.of(subject)
    if found is not None:
        return found
    for each in tests.passing:
        if each.test == "==":
            given: tuple[Value, ...] = (each.value[1],)
        elif each.test == "in":
            given = tuple(value for _, value in each.value)
        else:
            continue
        return tuple(one for one in given if _may_be(subject, one))
    if any(each.test == "exists" for each in tests.failing) or possible(subject, tests, known) == {"null"}:
        return (None,)
    return (True, False) if possible(subject, tests, known) == {"bool"} else None


def _may_be(subject: Node, value: Value) -> bool:
    """Whether the subject can have the value at all."""
    least = _least(subject)
    if least is not None and kind_of(value) in ("number", "duration"):
        return bool(value >= least) and (kind_of(value) == "duration" or value == int(value))
    return not _other_letters(subject, value)


def _other_letters(subject: Node, value: Value) -> bool:
    """Whether a text has letters that are gone once it is in lower case, or in upper case."""
    if not isinstance(subject, Apply) or subject.function not in ("lower", "upper") or not isinstance(value, str):
        return False
    gone = str.isupper if subject.function == "lower" else str.islower
    return any(char.isascii() and gone(char) for char in value)


def _never(atom: Atom) -> bool:
    """Whether no text passes."""
    if atom.test == "mentions":
        return not (isinstance(atom.value[1], str) and atom.value[1].strip())
    if atom.test not in ("has", "starts with", "ends with"):
        return False
    return not isinstance(atom.value[1], str) or _other_letters(atom.subject, atom.value[1])


def possible(subject: Node, tests: Tests, known: Known = NOTHING) -> frozenset[Kind]:
    """The kinds of value that the subject may have."""
    kinds = known.kinds.get(subject) or _kinds(subject)
    for each in tests.passing:
        kinds &= _taken(each)
    for each in tests.failing:
        if each.test == "is":
            kinds -= {each.value[0]}
        elif each.passes(None):
            kinds -= {"null"}
    return kinds


def _kinds(subject: Node) -> frozenset[Kind]:
    found = type_of(subject)
    if found is not None:
        return frozenset((found.kind, "null") if found.maybe else (found.kind,))
    return KINDS - {"duration"} if _is_sent(subject) else KINDS


def _is_sent(subject: Node) -> bool:
    """Whether it is a part of a request, where JSON has no durations."""
    while isinstance(subject, Member | Item):
        subject = subject.of
    if isinstance(subject, Name):
        return subject.name in facts.RULE.facts
    return isinstance(subject, Apply) and subject.function == "result"


def _taken(atom: Atom) -> frozenset[Kind]:
    """The kinds that can pass."""
    match atom.test:
        case test if test in _TEXTUAL:
            return frozenset(("text",))
        case "==" | "is" | "<" | "<=" | ">" | ">=":
            return frozenset((atom.value[0],))
        case "in":
            return frozenset(kind for kind, _ in atom.value)
        case "exists":
            return KINDS - {"null"}
        case "contains":
            return frozenset(("text", "list", "map") if atom.value[0] == "text" else ("list",))
        case "holds":
            return frozenset(("bool",))
        case _:
            return KINDS


def numbers(subject: Node, tests: Tests, kind: Kind) -> list[float]:
    """One of each stretch between the numbers that the tests name, and these; none where that is not exact.

    A number passes the same tests as all of its stretch.
    """
    named = [each.value[1] for each in _all(tests) if each.test in ("==", "<", "<=", ">", ">=") and _is_number(each)]
    named += [value for each in _all(tests) if each.test == "in" for of, value in each.value if of == kind]
    if any(abs(each) >= _EXACT for each in named):
        return []
    least = _least(subject)
    if kind == "duration" or least is None:
        return _stretches(named, kind, least)
    found = {least, *(whole for each in named for whole in range(math.floor(each) - 1, math.ceil(each) + 2))}
    return sorted(each for each in found if each >= least)


def _is_number(atom: Atom) -> bool:
    return atom.value[0] in ("number", "duration")


def _least(subject: Node) -> int | None:
    if isinstance(subject, Apply) and subject.function in _COUNTED:
        return 0
    if not isinstance(subject, Name):
        return None
    return 0 if subject.name in _PASSING else _WHOLE.get(subject.name)


def _stretches(named: list[float], kind: Kind, least: int | None) -> list[float]:
    first = min([*named, 0]) - 1 if least is None else least
    ends = sorted({first, *(each for each in named if each >= first)})
    found = sorted({*ends, ends[-1] + 1, *((one + other) / 2 for one, other in pairwise(ends))})
    return [Duration(each) for each in found] if kind == "duration" else [_whole(each) for each in found]


def _whole(value: float) -> float:
    return int(value) if float(value).is_integer() else value
