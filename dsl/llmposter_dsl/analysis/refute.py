"""Whether a clause leaves nothing that conditions do not take: by cases, with a bound on their number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from llmposter_dsl.analysis.atoms import Clause, Signed
from llmposter_dsl.analysis.theory import NOTHING, Known, contradict

_MOST: Final = 400
"""Cases that are looked at for one answer."""


class _Bound:
    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = _MOST


def refuted(clause: Clause, taken: Sequence[Clause], known: Known = NOTHING) -> bool:
    """Whether it is sure that whatever passes *clause* passes one of those that are *taken*."""
    bound = _Bound()
    return next(_ways(clause, taken, known, bound), None) is None and bound.left > 0


def ways(clause: Clause, taken: Sequence[Clause], known: Known = NOTHING) -> Iterator[Clause]:
    """How *clause* might pass while none that is *taken* does, as far as the bound lets look."""
    return _ways(clause, taken, known, _Bound())


def _ways(clause: tuple[Signed, ...], taken: Sequence[Clause], known: Known, bound: _Bound) -> Iterator[Clause]:
    bound.left -= 1
    if bound.left <= 0 or contradict(clause, known):
        return
    if not taken:
        yield clause
        return
    first, rest = taken[0], taken[1:]
    for atom, wanted in first:
        yield from _ways((*clause, (atom, not wanted)), rest, known, bound)
