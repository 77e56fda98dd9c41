"""Rate limits: what is left of each, counted for a credential or a session, and how long who is above one has to wait.

Pure: time comes in as an argument. What was used comes back evenly, as it does at the providers, and a request that is
refused uses nothing.
"""

from __future__ import annotations

from collections import OrderedDict
from math import floor
from typing import TYPE_CHECKING, Final, TypeAlias

import msgspec

from llmposter.access import Limited, Window

if TYPE_CHECKING:
    from collections.abc import Iterable

    from llmposter_dsl.program import Limit

Owner: TypeAlias = tuple[str, str]
"""Whose use is counted: a session, and the name of a credential in it or ""."""
MOST_OWNERS: Final = 20_000
"""Of more, the one that asked longest ago begins anew when it comes back."""
_SLACK: Final = 1e-6
"""What floating point may take from a time that a client waited exactly."""


class Bucket(msgspec.Struct):
    """One limit for one owner; *left* may be below zero, since the size of an answer is known only once it is made."""

    limit: Limit
    left: float
    at: float

    def fill(self, now: float) -> None:
        """What came back since it was asked last."""
        most, per = self.limit.most, self.limit.per
        self.left = min(most, self.left + max(0.0, now - self.at) * most / per)
        self.at = max(self.at, now)

    def wait(self, wanted: float) -> float:
        """Seconds until so much is there."""
        return max(0.0, wanted - self.left) * self.limit.per / self.limit.most

    def window(self) -> Window:
        return Window(
            self.limit.what,
            self.limit.most,
            self.limit.per,
            max(0, floor(self.left + _SLACK)),
            self.wait(self.limit.most),
        )


class Rates:
    """All limits of a server, and what its clients used of them."""

    def __init__(self, limits: Iterable[Limit] = ()) -> None:
        # The same limit twice is one.
        self.limits = tuple(dict.fromkeys(limits))
        self._buckets: OrderedDict[Owner, tuple[Bucket, ...]] = OrderedDict()

    def ask(self, owner: Owner, tokens: int | None, now: float) -> Limited | None:
        """Takes one request of so many tokens (None: it has no size), or says which limit stands in its way."""
        buckets = self._filled(owner, now)
        wanted = [_wanted(bucket, tokens) for bucket in buckets]
        above = [
            (bucket.wait(amount), bucket, amount)
            for bucket, amount in zip(buckets, wanted, strict=True)
            if bucket.left + _SLACK < amount
        ]
        if not above:
            for bucket, amount in zip(buckets, wanted, strict=True):
                bucket.left -= amount
            return None
        wait, bucket, amount = max(above, key=lambda each: (each[2] > each[1].limit.most, each[0]))
        limit = bucket.limit
        used = max(0, limit.most - floor(bucket.left + _SLACK))
        return Limited(
            limit.what, limit.most, limit.per, used, amount, None if amount > limit.most else wait, _windows(buckets)
        )

    def spend(self, owner: Owner, tokens: int, now: float) -> None:
        """So many more tokens turned out to be used; fewer, where it is below zero."""
        for bucket in self._filled(owner, now):
            if bucket.limit.what == "tokens":
                bucket.left = min(bucket.limit.most, bucket.left - tokens)

    def windows(self, owner: Owner, now: float) -> tuple[Window, ...]:
        """What is left, of each kind of limit where the least is."""
        return _windows(self._filled(owner, now))

    def replace(self, limits: Iterable[Limit]) -> None:
        """These hold from now on; of one that held before, what was used stays used."""
        self.limits = tuple(dict.fromkeys(limits))
        for owner, buckets in self._buckets.items():
            known = {bucket.limit: bucket for bucket in buckets}
            at = max((bucket.at for bucket in buckets), default=0.0)
            self._buckets[owner] = tuple(known.get(limit) or Bucket(limit, limit.most, at) for limit in self.limits)

    def reset(self, session: str | None = None) -> None:
        """Forget what a session used, or what all did."""
        for owner in [each for each in self._buckets if session is None or each[0] == session]:
            del self._buckets[owner]

    def _filled(self, owner: Owner, now: float) -> tuple[Bucket, ...]:
        if (buckets := self._buckets.get(owner)) is None:
            buckets = self._buckets[owner] = tuple(Bucket(limit, limit.most, now) for limit in self.limits)
            if len(self._buckets) > MOST_OWNERS:
                self._buckets.popitem(last=False)
        else:
            self._buckets.move_to_end(owner)
        for bucket in buckets:
            bucket.fill(now)
        return buckets


def _wanted(bucket: Bucket, tokens: int | None) -> int:
    if bucket.limit.what == "requests":
        return 1
    return 0 if tokens is None else tokens


def _windows(buckets: Iterable[Bucket]) -> tuple[Window, ...]:
    tightest: dict[str, Window] = {}
    for window in (bucket.window() for bucket in buckets):
        other = tightest.get(window.what)
        if other is None or (window.left, -window.reset) < (other.left, -other.reset):
            tightest[window.what] = window
    return tuple(tightest.values())
