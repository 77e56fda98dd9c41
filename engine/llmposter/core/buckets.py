"""Things found under several keys at once, newest or oldest first; no look-up looks at all of them."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

T = TypeVar("T")


class Buckets(Generic[T]):
    """Under each key the things that were put there, in order."""

    __slots__ = ("_under",)

    def __init__(self) -> None:
        self._under: dict[Hashable, dict[T, None]] = {}

    def add(self, thing: T, keys: Iterable[Hashable]) -> None:
        for key in keys:
            self._under.setdefault(key, {})[thing] = None

    def discard(self, thing: T, keys: Iterable[Hashable]) -> None:
        for key in keys:
            if (bucket := self._under.get(key)) is not None:
                bucket.pop(thing, None)
                if not bucket:
                    del self._under[key]

    def count(self, key: Hashable) -> int:
        return len(self._under.get(key, ()))

    def first(self, key: Hashable, most: int) -> list[T]:
        """The oldest under a key, oldest first."""
        return list(islice(self._under.get(key, ()), most))

    def latest(self, key: Hashable, most: int) -> list[T]:
        """The newest under a key, newest first."""
        return list(islice(reversed(self._under.get(key, {})), most))

    def oldest(self, key: Hashable) -> T | None:
        return next(iter(self._under.get(key, ())), None)

    def newest(self, key: Hashable) -> T | None:
        return next(reversed(self._under.get(key, {})), None)
