"""Which codes are meant, by their names or by how they begin, ``LP3``, and which findings are told; the longer wins.

An error that leaves nothing to serve is always told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

import llmposter.fixtures.checks
import llmposter.lint.checks  # noqa: F401 - their codes are known then
from llmposter_dsl import words
from llmposter_dsl.codes import CODES, Code

if TYPE_CHECKING:
    from collections.abc import Iterable


class Unknown(ValueError):  # noqa: N818 - it says what the text is
    """A text that no code begins with; the message is one sentence for the user."""


def matching(prefixes: Iterable[str]) -> list[str]:
    """The codes that begin with one of these, in order; all of them without any.

    Raises:
        Unknown: no code begins with one of them.
    """
    given = tuple(map(known, prefixes))
    return [code for code in CODES if not given or code.startswith(given)]


def known(prefix: str) -> str:
    """A beginning of codes, in upper case.

    Raises:
        Unknown: no code begins with it.
    """
    wanted = prefix.strip().upper()
    if wanted and any(code.startswith(wanted) for code in CODES):
        return wanted
    meant = words.close(wanted, list(CODES))
    families = words.listed(sorted({code[:3] for code in CODES}), "and")
    cure = f"did you mean `{meant}`?" if meant else f"there are {families}"
    raise Unknown(f"no check is called {words.shown(prefix)}: {cure}")


def ignorable(prefix: str) -> str:
    """A beginning of codes of which some can be ignored, in upper case.

    Raises:
        Unknown: there are none.
    """
    wanted = known(prefix)
    if any(code.startswith(wanted) and CODES[code].silenceable for code in CODES):
        return wanted
    raise Unknown(f"`{wanted}` cannot be ignored: a scenario with such a finding cannot be served")


def level(code: Code) -> str:
    """How bad a finding is, in words."""
    severity = {"error": "error", "warning": "warning", "info": "information"}[code.severity]
    return f"{severity}, only where it is selected" if code.asked else severity


class Choice(msgspec.Struct, frozen=True):
    """What is selected and what is ignored, by the beginnings of codes.

    Attributes:
        select: what is told; None for all that is not only told where it is selected.
        extend: what is told beside that.
        ignore: what is not told; of two that speak of one code the longer counts, of two alike this one.
    """

    select: tuple[str, ...] | None = None
    extend: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()

    @property
    def wanted(self) -> frozenset[str]:
        """The selected ones of those that are looked for only where somebody asks."""
        if self.select is None and not self.extend:
            return frozenset()
        return frozenset(code for code in CODES if CODES[code].asked and self.tells(code))

    def tells(self, code: str) -> bool:
        """Whether findings of a code are told."""
        if self.select is None and not self.extend and not self.ignore:
            return not CODES[code].asked
        if not CODES[code].silenceable:
            return True
        by_itself = 0 if self.select is None and not CODES[code].asked else -1
        selected = max(by_itself, _longest(code, (*(self.select or ()), *self.extend)))
        return selected > _longest(code, self.ignore)


def _longest(code: str, prefixes: Iterable[str]) -> int:
    return max((len(each) for each in prefixes if code.startswith(each)), default=-1)
