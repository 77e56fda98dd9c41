"""Things found under several keys at once, newest or oldest first; no look-up looks at all of them.

Nearly every thing is alone where it is, and costs no more than one key there.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator

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


class Places(Generic[T]):
    """Things at places; only where several are at one are they told apart, by keys of their own.

    Args:
        keys: of a thing, among those at its place.
    """

    __slots__ = ("_at", "_keys")

    def __init__(self, keys: Callable[[T], tuple[Hashable, ...]]) -> None:
        self._at: dict[bytes, T | Buckets[T]] = {}
        self._keys = keys

    def add(self, place: bytes, thing: T) -> None:
        found = self._at.setdefault(place, thing)
        if isinstance(found, Buckets):
            found.add(thing, self._keys(thing))
        elif found is not thing:
            self._at[place] = buckets = Buckets[T]()
            buckets.add(found, self._keys(found))
            buckets.add(thing, self._keys(thing))

    def discard(self, place: bytes, thing: T) -> None:
        found = self._at.get(place)
        if isinstance(found, Buckets):
            found.discard(thing, self._keys(thing))
        if found is thing or (isinstance(found, Buckets) and not found):
            del self._at[place]
            if not self._at:
                self._at = {}  # a dict that was emptied keeps its room

    def first(self, place: bytes, key: Hashable, most: int) -> list[T]:
        """The oldest under a key, oldest first."""
        found = self._at.get(place)
        if isinstance(found, Buckets):
            return found.first(key, most)
        return [] if found is None or key not in self._keys(found) else [found]

    def all(self, place: bytes, most: int) -> list[T]:
        """Some of those there, each once, whatever their keys."""
        found = self._at.get(place)
        if isinstance(found, Buckets):
            return list(islice(dict.fromkeys(found), most))
        return [] if found is None else [found]

    def newest(self, place: bytes, key: Hashable) -> T | None:
        if (found := self._at.get(place)) is None:
            return None
        if isinstance(found, Buckets):
            return found.newest(key)
        return found if key in self._keys(found) else None

    def __iter__(self) -> Iterator[T]:
        """Each thing, once or more often."""
        for found in self._at.values():
            if isinstance(found, Buckets):
                yield from found
            else:
                yield found

    def __contains__(self, place: bytes) -> bool:
        """Whether something is there."""
        return place in self._at

    def __len__(self) -> int:
        """How many places something is at."""
        return len(self._at)
