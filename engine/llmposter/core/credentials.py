"""Credentials and their ends: which of them a session knows, how often each was used, and when it was good no more.

Pure: time comes in as an argument. A value is looked up by its digest, and no secret is ever shown whole.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from hashlib import blake2b
from hmac import compare_digest
from threading import RLock
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import msgspec

from llmposter.core.masking import hidden
from llmposter.model import Struct
from llmposter_dsl.delivery_forms import DURATION_FORMS, duration

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from llmposter_dsl.program import TokenEnd

State: TypeAlias = Literal["good", "expired", "spent", "revoked"]
"""``spent``: it was used as often as it may be."""
MOST_ISSUED: Final = 10_000
"""Credentials that one session, or all of them together, hold; of more, the one issued longest ago is forgotten."""
MOST_SESSIONS: Final = 20_000
"""Sessions whose credentials are held; of more, the one asked longest ago begins anew when it comes back."""

_BOUND: Final = re.compile(r":(\w+)=([^:]*)")
_SENDABLE: Final = re.compile(r"[\x21-\x7e]+")


class Issued(Struct, frozen=True):
    """A credential as it was given out.

    Attributes:
        uses: how often it may be used; None for no limit.
        lifetime: seconds from its issue on; None for no end.
        grant: the number of the OAuth grant that gave it; None for one of the scenario or of its user.
    """

    name: str
    value: str
    uses: int | None = None
    lifetime: float | None = None
    grant: int | None = None


class Credential(msgspec.Struct, eq=False):
    """A credential and what became of it.

    Attributes:
        since: Unix seconds of its issue. used: how often it was.
        most: uses after which it is spent. until: Unix seconds at which it expires.
    """

    issued: Issued
    since: float
    used: int = 0
    most: int | None = None
    until: float | None = None
    revoked: bool = False

    @classmethod
    def of(cls, issued: Issued, now: float) -> Credential:
        until = None if issued.lifetime is None else now + issued.lifetime
        return cls(issued, now, most=issued.uses, until=until)

    def state(self, now: float) -> State:
        """Whether it is good, else how it ended."""
        if self.revoked:
            return "revoked"
        if self.until is not None and now >= self.until:
            return "expired"
        return "spent" if self.most is not None and self.used >= self.most else "good"

    def expire(self, now: float, *, uses: int = 0, seconds: float = 0.0) -> None:
        """It ends now, after so many more uses, or after so many seconds; never later than it would have."""
        if uses:
            most = self.used + uses
            self.most = most if self.most is None else min(self.most, most)
        else:
            until = now + seconds
            self.until = until if self.until is None else min(self.until, until)

    def revoke(self) -> None:
        self.revoked = True

    def become(self, issued: Issued) -> None:
        """It has other bounds now, counted from its beginning."""
        self.issued, self.most = issued, issued.uses
        self.until = None if issued.lifetime is None else self.since + issued.lifetime


class Ring:
    """The credentials of one session, or those that are good in all, by the digest of their value."""

    __slots__ = ("_held",)

    def __init__(self, given: Iterable[Issued] = (), now: float = 0.0) -> None:
        self._held: dict[bytes, Credential] = {}
        for each in given:
            self.add(each, now)

    def add(self, issued: Issued, now: float) -> Credential:
        key = _digest(issued.value)
        self._held.pop(key, None)
        made = self._held[key] = Credential.of(issued, now)
        if len(self._held) > MOST_ISSUED:
            del self._held[next(iter(self._held))]
        return made

    def find(self, value: str) -> Credential | None:
        """By a digest, so that how long it takes says nothing of values that are alike."""
        found = self._held.get(_digest(value))
        return found if found is not None and compare_digest(_encoded(found.issued.value), _encoded(value)) else None

    def regive(self, was: Sequence[Issued], given: Sequence[Issued], now: float) -> None:
        """*given* in place of what the ring began with: one of the same value keeps its uses and its age."""
        now_given = {each.value: each for each in given}
        for each in was:
            if (held := self.find(each.value)) is None or held.issued != each:
                continue  # gone, or another that was issued in its place
            if (heir := now_given.get(each.value)) is None:
                del self._held[_digest(each.value)]
            elif heir != each:
                held.become(heir)
        for each in now_given.values():
            if self.find(each.value) is None:
                self.add(each, now)

    def __iter__(self) -> Iterator[Credential]:
        return iter(self._held.values())


class Credentials:
    """All credentials of a server.

    A session begins with those that the scenarios and their user give, each with counts of its own: the session without
    a name with the server, every other when it is first asked. What is issued for no session is good in all, and has
    one count.

    Args:
        given: what each session begins with.
        now: Unix seconds.
        on: whether requests need one at all; they do where any is given.

    Attributes:
        given: as above.
    """

    def __init__(self, given: Iterable[Issued] = (), now: float = 0.0, *, on: bool = False) -> None:
        self.given = tuple(given)
        self.on = on or bool(self.given)
        self._lock = RLock()
        self._begin(now)

    def _begin(self, now: float) -> None:
        self._everywhere = Ring()
        self._sessions: OrderedDict[str, Ring] = OrderedDict({"": Ring(self.given, now)})

    def replace(self, given: Iterable[Issued], now: float, *, on: bool) -> None:
        """Sessions begin with these from now on, and those that have begun have them too."""
        with self._lock:
            was, self.given = self.given, tuple(given)
            self.on = on or bool(self.given)
            for ring in self._sessions.values():
                ring.regive(was, self.given, now)

    def issue(self, issued: Issued, now: float, session: str | None = None) -> Credential:
        """A new one, good in a session or (None) in all; one of the same value there is replaced."""
        with self._lock:
            ring = self._everywhere if session is None else self._ring(session, now)
            return ring.add(issued, now)

    def find(self, value: str, now: float, session: str = "") -> Credential | None:
        """The one of this value that is good in a session, or was."""
        with self._lock:
            return self._ring(session, now).find(value) or self._everywhere.find(value)

    def end(self, value: str, end: TokenEnd, now: float, session: str = "") -> None:
        """What a rule does to the one of this value, if it is still there."""
        with self._lock:
            if (found := self.find(value, now, session)) is not None:
                _end(found, end, now)

    def end_named(self, name: str, end: TokenEnd, now: float, session: str | None = None) -> int:
        """Does it to all of this name, of a session or of all; how many there are."""
        with self._lock:
            found = self.named(name, now, session)
            for each in found:
                _end(each, end, now)
            return len(found)

    def named(self, name: str, now: float, session: str | None = None) -> list[Credential]:
        """Those of this name: of a session, of all sessions for None; those that are good in all are among them."""
        with self._lock:
            return [each for _, each in self._of(session, now) if each.issued.name == name]

    def listed(self, now: float, session: str | None = None) -> list[dict[str, Any]]:
        """Those of a session, or of all for None, as JSON-able data."""
        with self._lock:
            return [_shown(where, each, now) for where, each in self._of(session, now)]

    def reset(self, now: float, session: str | None = None) -> None:
        """A session begins anew; for None all do, and what was issued for all of them is forgotten."""
        with self._lock:
            if session is None:
                self._begin(now)
            elif session:
                self._sessions.pop(session, None)
            else:
                self._sessions[""] = Ring(self.given, now)

    def _of(self, session: str | None, now: float) -> Iterator[tuple[str | None, Credential]]:
        rings = self._sessions if session is None else {session: self._ring(session, now)}
        for name, ring in rings.items():
            yield from ((name, each) for each in ring)
        yield from ((None, each) for each in self._everywhere)

    def _ring(self, session: str, now: float) -> Ring:
        if (ring := self._sessions.get(session)) is not None:
            self._sessions.move_to_end(session)
            return ring
        ring = self._sessions[session] = Ring(self.given, now)
        if len(self._sessions) > MOST_SESSIONS:
            self._sessions.popitem(last=False)
        return ring


def _end(credential: Credential, end: TokenEnd, now: float) -> None:
    if end.kind == "revoke":
        credential.revoke()
    else:
        credential.expire(now, uses=end.uses, seconds=end.seconds)


def issuable(value: str) -> bool:
    """Whether a client can send it."""
    return _SENDABLE.fullmatch(value) is not None


def of_flag(text: str) -> Issued | str:
    """The credential that ``NAME[:uses=3][:lifetime=15m]`` says, its name being its value; or what is wrong with it."""
    bounds = _BOUND.findall(text)
    name, said = _BOUND.sub("", text), dict(bounds)
    if strange := said.keys() - {"uses", "lifetime"}:
        return f'"{min(strange)}" is nothing that a token has: it has uses and lifetime'
    if not issuable(name):
        return f'"{name}" is no name of a token: a client sends it in a header, so that it takes no space'
    if len(said) < len(bounds):
        return f'"{text}" says one thing twice'
    uses, lifetime = said.get("uses"), said.get("lifetime")
    if uses is not None and not (uses.isascii() and uses.isdigit() and int(uses[:12]) > 0 and len(uses) <= 12):
        return f'"{uses}" is no number of uses: write a whole number from 1 on'
    seconds = None if lifetime is None else duration(lifetime)
    if lifetime is not None and not seconds:
        return f'"{lifetime}" is no lifetime: {DURATION_FORMS}'
    return Issued(name, name, None if uses is None else int(uses), None if seconds is None else float(seconds))


def _shown(session: str | None, credential: Credential, now: float) -> dict[str, Any]:
    issued = credential.issued
    return {
        "session": session, "name": issued.name, "value": hidden(issued.value), "state": credential.state(now),
        "uses": credential.used, "most": credential.most, "since": credential.since, "until": credential.until,
        "grant": issued.grant,
    }  # fmt: skip


def _digest(value: str) -> bytes:
    return blake2b(_encoded(value), digest_size=16).digest()


def _encoded(value: str) -> bytes:
    return value.encode("utf-8", "surrogatepass")
