"""Things found under several keys at once, newest or oldest first; no look-up looks at all of them."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator

T = TypeVar("T")


class Buckets(Generic[T]):
    """Under each key the things that were put there, in order. Nearly all stand alone there, and need no dict then."""

    __slots__ = ("_under",)

    def __init__(self) -> None:
        self._under: dict[Hashable, T | dict[T, None]] = {}

    def __bool__(self) -> bool:
        return bool(self._under)

    def add(self, thing: T, keys: Iterable[Hashable]) -> None:
        under = self._under
        for key in keys:
            found = under.setdefault(key, thing)
            if isinstance(found, dict):
                found[thing] = None
            elif found is not thing:
                under[key] = {found: None, thing: None}

    def discard(self, thing: T, keys: Iterable[Hashable]) -> None:
        for key in keys:
            found = self._under.get(key)
            if found is thing:
                del self._under[key]
            elif isinstance(found, dict):
                found.pop(thing, None)
                if not found:
                    del self._under[key]

    def count(self, key: Hashable) -> int:
        return len(self._all(key))

    def first(self, key: Hashable, most: int) -> list[T]:
        """The oldest under a key, oldest first."""
        return list(islice(self._all(key), most))

    def latest(self, key: Hashable, most: int) -> list[T]:
        """The newest under a key, newest first."""
        return list(islice(reversed(self._all(key)), most))

    def oldest(self, key: Hashable) -> T | None:
        return next(iter(self._all(key)), None)

    def newest(self, key: Hashable) -> T | None:
        found = self._under.get(key)
        return next(reversed(found)) if isinstance(found, dict) else found

    def __iter__(self) -> Iterator[T]:
        """Each thing, as often as it has keys."""
        for key in self._under:
            yield from self._all(key)

    def _all(self, key: Hashable) -> dict[T, None] | tuple[T, ...]:
        found = self._under.get(key)
        return () if found is None else found if isinstance(found, dict) else (found,)
