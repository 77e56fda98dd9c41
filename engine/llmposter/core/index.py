"""Which rules can match a request, without trying them all, in the order in which they are to be tried.

A rule that is left out cannot match; one that is told is still tried. Equality is looked up, and all texts that must
stand in a fact are looked for at once, so that the cost does not grow with the number of rules.
"""

from __future__ import annotations

from heapq import merge
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from llmposter.core.facts import Facts
    from llmposter_dsl.program import Need, Rule

FEWEST: Final = 12
"""Rules for which looking is cheaper than trying."""
_WINDOW: Final = 65_536
"""Characters that are looked through at once: what is found in them is held as a list."""


class Index:
    """The rules of one list."""

    __slots__ = ("_always", "_equal", "_finders", "_rules")

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = tuple(rules)
        self._always: list[int] = []
        self._equal: dict[str, dict[str, list[int]]] = {}
        texts: dict[tuple[str, bool], dict[str, list[int]]] = {}
        for number, rule in enumerate(self._rules):
            needs = () if rule.when is None else rule.when.needs
            if not needs or any(need.kind != "is" and not _plain(need.text) for need in needs):
                self._always.append(number)
                continue
            for need in needs:
                _table(need, self._equal, texts).setdefault(need.text, []).append(number)
        self._finders = [Finder(fact, wanted, folded=folded) for (fact, folded), wanted in texts.items()]

    def candidates(self, facts: Facts) -> Iterable[Rule]:
        """Those that can match, in their order."""
        rules, found = self._rules, set[int]()
        for fact, table in self._equal.items():
            if (numbers := table.get(getattr(facts, fact))) is not None:
                found.update(numbers)
        for finder in self._finders:
            text: str = getattr(facts, finder.fact)
            if text and not finder.find(text, found):
                return rules
        if not found:
            return [rules[number] for number in self._always] if self._always else ()
        chosen: Iterable[int] = sorted(found)
        return (rules[number] for number in (merge(chosen, self._always) if self._always else chosen))


def _table(
    need: Need, equal: dict[str, dict[str, list[int]]], texts: dict[tuple[str, bool], dict[str, list[int]]]
) -> dict[str, list[int]]:
    if need.kind == "is":
        return equal.setdefault(need.fact, {})
    return texts.setdefault((need.fact, need.kind == "folded"), {})


class Finder:
    """Looks for many texts in one fact at once (Aho and Corasick, 1975)."""

    __slots__ = ("_automaton", "_folded", "_longest", "_numbers", "fact")

    def __init__(self, fact: str, wanted: dict[str, list[int]], *, folded: bool) -> None:
        from ahocorasick_rs import AhoCorasick

        self.fact, self._folded = fact, folded
        self._numbers = list(wanted.values())
        self._longest = max(map(len, wanted))
        self._automaton = AhoCorasick(list(wanted), store_patterns=False)

    def find(self, text: str, found: set[int]) -> bool:
        """Adds the rules whose text stands there; false if that cannot be told."""
        if self._folded:
            text = text.casefold()
        look, numbers = self._automaton.find_matches_as_indexes, self._numbers
        try:
            if len(text) <= _WINDOW:
                for hit in look(text, overlapping=True):
                    found.update(numbers[hit[0]])
                return True
            for begin in range(0, len(text), _WINDOW):
                window = text[begin : begin + _WINDOW + self._longest - 1]
                for which in {hit[0] for hit in look(window, overlapping=True)}:
                    found.update(numbers[which])
        except UnicodeEncodeError:  # half a surrogate pair, which UTF-8 cannot hold
            return False
        return True


def _plain(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= char <= "\udfff" for char in text)
