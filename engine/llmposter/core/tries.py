"""Which requests of the journal are tries of one thing: the same, asked again after it had come to no answer.

Two requests are one client's where the journal shows it; where it only seems so, the later try is not `sure`.
"""

from __future__ import annotations

from collections import deque
from itertools import pairwise
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import msgspec

from llmposter.model import Failure, Struct

if TYPE_CHECKING:
    from collections.abc import Iterable

    from llmposter.core.journal import Entry
    from llmposter_dsl.program import Fault

Ending: TypeAlias = Literal["answered", "going", "passing", "lasting", "credential", "broken", "left"]
"""How a try ended: ``passing``: an error that a retry may get over; ``lasting``: one that it cannot; ``credential``:
it was not let in; ``broken``: a fault struck the answer; ``left``: the client did not wait for its end; ``going``: it
has none yet."""

LONGEST: Final = 600.0
"""Seconds, on top of what the client was told to wait, after which the same is asked anew and not again."""
_LATE: Final = 1.0
"""Seconds by which the server may hear of a client's leaving after the retry that follows it."""
_GLANCE: Final = 64
"""How many tries of the same are looked at, newest first, for the one that a request follows."""
_NOT_FOLLOWED: Final = ("answered", "going")
"""Endings after which the same is asked anew."""
_LASTING: Final = frozenset(
    ("bad_request", "permission_denied", "not_found", "context_length_exceeded", "request_too_large", "content_filter")
)
_PASSING: Final = (408, 409, 425, 429)
"""Beside 5xx: what the SDKs of the providers try again (docs/sdk-behaviour.md), and Too Early."""


class Try(Struct, frozen=True):
    """One request.

    Attributes:
        wait: seconds from the end of the answer before to this request, on the server's clock; None for the first.
        sure: it is the same client's as the one before.
    """

    entry: Entry
    ending: Ending
    wait: float | None = None
    sure: bool = True

    @property
    def told(self) -> float | None:
        """The seconds after which it might come back, as its error said."""
        return self.entry.retry_after if self.ending == "passing" else None


class Asked(msgspec.Struct, eq=False):
    """One thing that a client asked for, with all its tries in order."""

    tries: list[Try]

    @property
    def last(self) -> Try:
        return self.tries[-1]

    @property
    def pairs(self) -> list[tuple[Try, Try]]:
        """Each try with the one that followed it."""
        return list(pairwise(self.tries))


def asked(entries: Iterable[Entry]) -> list[Asked]:
    """What was asked for, in the order in which it was first asked."""
    found = _Found()
    for entry in entries:
        if entry.request is not None and entry.outcome != "event":
            found.add(entry)
    return found.all


class _Same(msgspec.Struct, eq=False):
    """What asked the same in one session.

    Attributes:
        waiting: what may still be tried again. crowded: several clients asked it, as far as the journal shows.
    """

    first: Entry
    waiting: deque[Asked]
    crowded: bool = False


class _Found:
    """What was found so far: by what was asked, and by conversation."""

    def __init__(self) -> None:
        self.all: list[Asked] = []
        self._same: dict[object, _Same] = {}
        self._latest: dict[object, Asked] = {}

    def add(self, entry: Entry) -> None:
        request = entry.request
        assert request is not None
        key = (entry.session, request.method, request.path, entry.print)
        talk = (entry.session, entry.scenario, entry.conversation)
        if (same := self._same.get(key)) is None:
            same = self._same[key] = _Same(entry, deque(maxlen=_GLANCE))
        likely = self._by_conversation(talk, entry) or _likely(same, entry)
        if not likely:
            thing = Asked([Try(entry, ending(entry))])
            same.crowded = same.crowded or not _near(same.first, entry)
            self.all.append(thing)
        else:
            thing = likely[-1]
            sure = len(likely) == 1 and _is_its_own(thing.last.entry, entry, crowded=same.crowded)
            same.crowded = same.crowded or not sure
            thing.tries.append(Try(entry, ending(entry), _wait(thing.last.entry, entry), sure))
        if thing in same.waiting:
            same.waiting.remove(thing)
        if thing.last.ending not in _NOT_FOLLOWED:
            same.waiting.append(thing)
        if entry.conversation:
            self._latest[talk] = thing

    def _by_conversation(self, talk: object, entry: Entry) -> list[Asked]:
        """The machine took this for another attempt at the last thing of the conversation, or gave its answer again."""
        thing = self._latest.get(talk) if entry.conversation else None
        if thing is None:
            return []
        before = thing.last.entry
        if entry.outcome == "repeated":
            return [thing] if before.print == entry.print else []
        same = entry.attempt > 1 and (_path(before), before.model) == (_path(entry), entry.model)
        return [thing] if same and _follows(thing.last, entry) else []


def _likely(same: _Same, entry: Entry) -> list[Asked]:
    """What it may be another try of, newest last; those on its own connection before all others."""
    likely = [each for each in same.waiting if _may_follow(each.last, entry)]
    return [each for each in likely if same_connection(each.last.entry, entry)] or likely


def _is_its_own(before: Entry, entry: Entry, *, crowded: bool) -> bool:
    """Whether it is surely of the client of the one before; among several clients a count is no sign of one."""
    if not one_client(before, entry):
        return False
    return not crowded or _near(before, entry) or (bool(entry.session) and entry.retry is None)


def _wait(before: Entry, entry: Entry) -> float:
    return max(0.0, entry.time - (before.time if before.ended is None else before.ended))


def _path(entry: Entry) -> str:
    return "" if entry.request is None else entry.request.path


def _may_follow(last: Try, entry: Entry) -> bool:
    """Conversations tell clients apart; an error before there is one tells nothing."""
    before = last.entry.conversation
    if before and entry.conversation and before != entry.conversation:
        return False
    one, other = last.entry.retry, entry.retry
    if (one is None) != (other is None) or (other and one != other - 1):
        return False  # a client counts or does not
    return _follows(last, entry)


def _follows(last: Try, entry: Entry) -> bool:
    """It came after the other had failed, and not so long after that it is a matter of its own."""
    before, ended = last.entry, last.entry.ended
    if ended is None or last.ending in _NOT_FOLLOWED:
        return False
    early = _LATE if last.ending == "left" else 0.0
    return ended - early <= entry.time <= ended + (before.retry_after or 0.0) + LONGEST


def one_client(before: Entry, entry: Entry) -> bool:
    """Whether the later request is surely the same client's.

    A session with a name is one client's, and the machine tells the clients of a conversation apart; but an SDK that
    counts and says 0 on another connection may be anybody's.
    """
    if same_connection(before, entry):
        return True
    if entry.retry is not None:
        return entry.retry > 0
    return bool(entry.session) or (entry.attempt > 1 and _near(before, entry))


def same_connection(before: Entry, entry: Entry) -> bool:
    """Both came on one TCP connection."""
    one, other = before.request, entry.request
    return one is not None and other is not None and one.connection is other.connection


def _near(before: Entry, entry: Entry) -> bool:
    alike = entry.conversation and (entry.scenario, entry.conversation) == (before.scenario, before.conversation)
    return bool(alike) or same_connection(before, entry)


# --- how a try ended ------------------------------------------------------------------------------------------------


def ending(entry: Entry) -> Ending:
    """How it ended, as far as a retry is concerned."""
    if entry.how == "client left":
        return "left"
    if entry.ended is None or entry.how == "server stopped":
        return "going"
    fault = broken_by(entry)
    if entry.how == "failed" or (fault is not None and fault.action not in ("error", "send")):
        return "broken"
    name, status = error_name(entry), _status(entry)
    if entry.outcome == "rejected" or name == "invalid_api_key" or status == 401:
        return "credential"
    if status >= 400 or name is not None:
        return "lasting" if _lasts(entry, name, status) else "passing"
    return "answered" if fault is None else "broken"


def broken_by(entry: Entry) -> Fault | None:
    """The fault that broke its answer."""
    return None if entry.step is None else next((each.fault for each in entry.step.struck if each.breaks), None)


def error_name(entry: Entry) -> str | None:
    """The name that the scenario has for its error, where it has one."""
    fault = broken_by(entry)
    if fault is not None:
        return None if fault.error is None else fault.error.name
    failure = _failure(entry)
    return None if failure is None else failure.name


def _status(entry: Entry) -> int:
    """That of the error, which in a stream is not that of the answer."""
    fault = broken_by(entry)
    told = None if fault is None or fault.error is None else fault.error.status
    return told or entry.status or 0


def _failure(entry: Entry) -> Failure | None:
    return entry.step.outcome if entry.step is not None and isinstance(entry.step.outcome, Failure) else None


def _lasts(entry: Entry, name: str | None, status: int) -> bool:
    failure = _failure(entry)
    said = {key.lower(): value for key, value in (failure.headers if failure is not None else ())}
    if said.get("x-should-retry") == "true":
        return False
    if name == "quota_exceeded" or entry.outcome == "limited":
        # A limit that says no time is one that the request alone is above.
        return entry.retry_after is None
    if name in _LASTING:
        return True
    return 400 <= status < 500 and status not in _PASSING
