"""Texts of which a regular expression needs one, read off its pattern; what is not surely understood gives none.

It reads a part of RE2's syntax (https://github.com/google/re2/wiki/Syntax). A need that is too weak costs time; one
that is too strong would lose a rule.
"""

from __future__ import annotations

import re
from typing import Final

_GROUP: Final = re.compile(r"\(\?P?<\w+>|\(\?:|\((?!\?)")
_COUNT: Final = re.compile(r"\{(\d+)(?:,\d*)?\}")
_CLASS: Final = re.compile(r"\[\^?\]?(?:\\.|[^\]\\\[])*\]", re.DOTALL)
_BREAKS: Final = frozenset("dDwWsSbBAz")
"""Escapes that stand for a class of characters or for a place."""
_MOST: Final = 32


class _Unknown(Exception):  # noqa: N818 - no error: it only ends the reading
    """The pattern has something that is not read here."""


def required(pattern: str, fold: bool) -> tuple[str, ...]:  # noqa: FBT001 - the flag `i`
    """Every text in which *pattern* finds something holds one of these; none where that is not known."""
    try:
        reader = _Reader(pattern, fold)
        found = reader.branches()
    except (_Unknown, RecursionError):
        return ()
    return tuple(found) if reader.at == len(pattern) and found and len(found) <= _MOST else ()


class _Reader:
    def __init__(self, pattern: str, fold: bool) -> None:  # noqa: FBT001 - as above
        self.pattern, self.fold = pattern, fold
        self.at = 0

    def branches(self) -> list[str] | None:
        """What `a|b|c` needs up to its end: one of what the branches need, if each needs something."""
        found = [self._sequence()]
        while self.pattern[self.at : self.at + 1] == "|":
            self.at += 1
            found.append(self._sequence())
        if any(each is None for each in found):
            return None
        return [text for each in found if each is not None for text in each]

    def _sequence(self) -> list[str] | None:
        """What stands side by side needs all of its parts; the best of them is told."""
        best: list[str] | None = None
        run = ""
        while self.at < len(self.pattern) and self.pattern[self.at] not in "|)":
            atom = self._atom()
            least, plain = self._repeat()
            if isinstance(atom, str) and plain:
                run += atom
                continue
            best, run = _better(best, [run + atom] if isinstance(atom, str) and least else [run]), ""
            if isinstance(atom, list) and least:
                best = _better(best, atom)
        return _better(best, [run])

    def _atom(self) -> str | list[str] | None:
        """A character; what a group needs; None for what may be anything."""
        char = self.pattern[self.at]
        if char == "(":
            return self._group()
        if char == "[":
            self._skip(_CLASS)
            return None
        if char == "\\":
            return self._escape()
        if char in "*+?{":
            raise _Unknown
        self.at += 1
        return None if char in ".^$" else self._letter(char)

    def _letter(self, char: str) -> str | None:
        # Folding beyond ASCII is told differently by RE2 and by Python.
        return None if self.fold and not char.isascii() else char

    def _group(self) -> list[str] | None:
        begin = _GROUP.match(self.pattern, self.at)
        if begin is None:
            raise _Unknown
        self.at = begin.end()
        found = self.branches()
        if self.pattern[self.at : self.at + 1] != ")":
            raise _Unknown
        self.at += 1
        return found

    def _skip(self, what: re.Pattern[str]) -> None:
        found = what.match(self.pattern, self.at)
        if found is None:
            raise _Unknown
        self.at = found.end()

    def _escape(self) -> str | None:
        char = self.pattern[self.at + 1 : self.at + 2]
        self.at += 2
        if char in _BREAKS and char:
            return None
        if not char or not char.isascii() or char.isalnum() or char == "_":
            raise _Unknown
        return char

    def _repeat(self) -> tuple[bool, bool]:
        """Whether what stands before comes at least once, and whether it comes exactly once."""
        sign = self.pattern[self.at : self.at + 1]
        if sign not in ("*", "+", "?", "{"):
            return True, True
        least = sign == "+"
        if sign == "{":
            count = _COUNT.match(self.pattern, self.at)
            if count is None:
                raise _Unknown
            least, self.at = int(count[1]) > 0, count.end()
        else:
            self.at += 1
        if self.pattern[self.at : self.at + 1] == "?":  # as few as may be
            self.at += 1
        if self.pattern[self.at : self.at + 1] in ("*", "+", "?", "{"):
            raise _Unknown
        return least, False


def _better(one: list[str] | None, other: list[str] | None) -> list[str] | None:
    """The one whose shortest text is longer."""
    usable = [each for each in (one, other) if each and all(each)]
    return max(usable, key=lambda each: (min(map(len, each)), -len(each)), default=None)
