"""What pieces of JSON said when they were last read, bounded: no more than a memory of a pure function."""

from __future__ import annotations

from itertools import compress, count
from operator import not_
from typing import TYPE_CHECKING, Final, Generic, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

MOST: Final = 2 * 1024 * 1024
"""Bytes, roughly, of one of the two generations."""
LONGEST: Final = 65_536
"""Bytes of a piece that is kept."""
_BESIDE: Final = 600
"""Bytes, roughly, that a piece costs beside itself."""


class Memo(Generic[T]):
    """A function remembered for pieces that come again soon; what is not asked for while others fill it is forgotten.

    Without a lock: a race of threads loses what it remembers, never what it gives.
    """

    __slots__ = ("_make", "_old", "_size", "_young")

    def __init__(self, make: Callable[[bytes], T]) -> None:
        self._make = make
        self._young: dict[bytes, T] = {}
        self._old: dict[bytes, T] = {}
        self._size = 0

    def get(self, raw: bytes) -> T:
        """What the function gives for *raw*; its exceptions are not remembered."""
        if (found := self._young.get(raw)) is not None:
            return found
        found = self._old.get(raw)
        if found is None:
            found = self._make(raw)
        if len(raw) <= LONGEST:
            self._young[raw] = found
            self._size += len(raw) + _BESIDE
            if self._size > MOST:
                self._old, self._young, self._size = self._young, {}, 0
        return found

    def all(self, raws: list[bytes]) -> list[T]:
        """Likewise for many; what the function gives is nothing that counts as false."""
        found = list(map(self._young.get, raws))
        for missing in compress(count(), map(not_, found)):
            found[missing] = self.get(raws[missing])
        return cast("list[T]", found)

    def __len__(self) -> int:
        return len(self._young) + len(self._old)
