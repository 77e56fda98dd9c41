"""The names that a scenario gives: states, variables, tools, rules, and the texts that must be one of them.

Answers are the names that can be used; what is wrong with the others was reported.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from llmposter_dsl import words
from llmposter_dsl.bind import Report
from llmposter_dsl.diagnostic import Diagnostic
from llmposter_dsl.facts import reserved
from llmposter_dsl.includes import Placed
from llmposter_dsl.place import Within
from llmposter_dsl.program import Value

GROUPS: Final = ("always", "otherwise")
"""Names of groups of rules, which no state can have."""

_IDENTIFIER: Final = re.compile(r"[\w-]+")
_VARIABLE: Final = re.compile(r"[^\W\d]\w*")


def is_identifier(name: str) -> bool:
    """Letters, digits, `_` and `-`; at least one of them."""
    return _IDENTIFIER.fullmatch(name) is not None


def as_identifier(name: str) -> str:
    """The nearest identifier to a file's name."""
    return re.sub(r"[^\w-]+", "-", name).strip("-") or "scenario"


def identifier(name: str, noun: str, place: Within, report: Report) -> bool:
    """Whether a name is an identifier; if not, it was reported."""
    if is_identifier(name):
        return True
    message = f"{words.shown(name)} cannot be the name of {noun}"
    report(Diagnostic("LP114", message, place, "a name has letters, digits, `_` and `-`"))
    return False


def variables(given: Mapping[str, Placed], report: Report) -> dict[str, Value]:
    """First values by name, of those whose name can be a variable's."""
    return {name: each.value for name, each in given.items() if _variable(name, each.place, report)}


def _variable(name: str, place: Within, report: Report) -> bool:
    at = Within(place.document, place.path, "key")
    if _VARIABLE.fullmatch(name) is None:
        message = f"{words.shown(name)} cannot be the name of a variable"
        report(Diagnostic("LP214", message, at, "a variable has letters, digits and `_`, and no digit first"))
        return False
    why = reserved(name)
    if why is not None:
        report(Diagnostic("LP214", f"a variable cannot be called `{name}`, which is {why}", at))
    return why is None


class States:
    """The states of a scenario, and every use of their names.

    Attributes:
        known: the declared ones in the order of the file, then those that only `final` names.
        unknown: whether a name was used that no state has, so that the ways between states are not all known.
    """

    def __init__(self, declared: Iterable[str], report: Report) -> None:
        self.known = list(declared)
        self._set = set(self.known)
        self._report = report
        self.unknown = False

    def __contains__(self, name: object) -> bool:
        return name in self._set

    def final(self, named: list[tuple[str, Within]], targets: set[str | None]) -> frozenset[str]:
        """The final states. One that nothing declares is a state of its own if a rule goes there."""
        for name, place in named:
            if name in self._set:
                continue
            if name in targets and name not in GROUPS and is_identifier(name):
                self.known.append(name)
                self._set.add(name)
            else:
                self.check(name, place, "a final state stands under `states`, or a rule goes to it")
        return frozenset(name for name, _ in named if name in self._set)

    def check(self, name: str, place: Within, otherwise: str | None = None, words_too: tuple[str, ...] = ()) -> bool:
        """Whether *name* is a state; if not, it was reported. *words_too* may stand there as well."""
        if name in self._set:
            return True
        self.unknown = True
        help_ = words.meant(name, self.known)
        if otherwise is not None and (help_ is None or not help_.startswith("did")):
            help_ = otherwise
        from llmposter_dsl import fixing

        fixes = fixing.meant(place, name, (*words_too, *self.known))
        self._report(Diagnostic("LP201", f"unknown state {words.shown(name)}", place, help_, (), fixes))
        return False


def tool(name: str, tools: Mapping[str, Value], place: Within, report: Report) -> bool:
    """Whether a tool can be called: it is declared, or none is; if not, it was reported."""
    if not tools or name in tools:
        return True
    from llmposter_dsl import fixing

    message, fixes = f"unknown tool {words.shown(name)}", fixing.meant(place, name, tools)
    report(Diagnostic("LP209", message, place, words.meant(name, list(tools)), (), fixes))
    return False
