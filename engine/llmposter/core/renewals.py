"""What a client did when its credential was not let in: sent it again, came with a new one, or stayed away.

Where a token comes from is nothing that this server sees; it sees which ones are sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from llmposter.core.findings import bad, described, finding
from llmposter.core.masking import FIELDS, hidden
from llmposter.core.tries import LONGEST, Try, ending, one_client, same_connection

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from llmposter.core.findings import Finding
    from llmposter.core.journal import Entry

_SECRETS: Final = tuple(sorted(FIELDS - {"cookie", "proxy-authorization"}))
_LATE: Final = 1.0
"""Seconds in which a client of several threads may not have heard yet that a credential is dead."""

_GLANCE: Final = 64
"""How many of the latest refusals are looked at for one of the same client."""


class _Refused(msgspec.Struct, eq=False):
    """A credential that was refused, in a session or, where a rule refused it, in a conversation.

    Attributes:
        refused: the entries. again: those, and whatever else came with it, once its client knew; whether it is sure
            that this was the same client. renewed: the first entry with another credential. known: all before it.
    """

    secret: str
    refused: list[Entry]
    known: set[str]
    again: list[tuple[Entry, bool]] = []
    renewed: Entry | None = None

    @property
    def first(self) -> Entry:
        return self.refused[0]


def renewals(entries: Iterable[Entry]) -> Iterator[Finding]:
    """A finding for each credential that was refused."""
    found: list[_Refused] = []
    waiting: dict[object, dict[str, _Refused]] = {}
    sessions: dict[str, set[str]] = {}
    for entry in entries:
        if entry.request is None:
            continue
        secret, known = _secret(entry), sessions.setdefault(entry.session, set())
        talk, provider = (entry.session, entry.scenario, entry.conversation), (entry.session, entry.provider)
        _meet(waiting.get(provider), entry, secret, scripted=False)
        if entry.conversation:
            _meet(waiting.get(talk), entry, secret, scripted=True)
        if ending(entry) == "credential":
            there = waiting.setdefault(provider if entry.outcome == "rejected" else talk, {})
            if secret in there:
                there[secret].refused.append(entry)
            else:
                there[secret] = _Refused(secret, [entry], set(known) | {secret})
                found.append(there[secret])
        known.add(secret)
    return map(_told, found)


def _meet(waiting: dict[str, _Refused] | None, entry: Entry, secret: str, *, scripted: bool) -> None:
    """What *entry* says of the credentials refused before it; those that it renews wait no longer."""
    for each in list(waiting.values()) if waiting else ():
        assert waiting is not None
        ended = each.refused[-1].ended
        if ended is None or entry.time < ended:
            continue  # it did not know yet
        if entry.time > ended + LONGEST:
            del waiting[each.secret]
        elif secret == each.secret:
            if scripted or entry.outcome == "rejected":
                _sent_again(each, entry)
        elif secret not in each.known:
            each.renewed = entry
            del waiting[each.secret]


def _sent_again(each: _Refused, entry: Entry) -> None:
    """The same request, or one that came when every part of its client could know."""
    latest = each.refused[-_GLANCE:]
    same = any(other.print == entry.print for other in latest)
    if not same and (entry.retry or entry.time <= (each.first.ended or 0.0) + _LATE):
        return  # the SDK's own retry of something else sends what it was given at first
    if same_connection(each.refused[-1], entry):
        sure = True
    else:
        named = bool(entry.session) and entry.retry != 0
        sure = named or (same and any(one_client(other, entry) for other in latest if other.conversation))
    each.again.append((entry, sure))


def _told(each: _Refused) -> Finding:
    first, renewed = each.first, each.renewed
    sent = [entry for entry, sure in each.again if sure] or [entry for entry, _ in each.again]
    if sent:
        sure = any(sure for _, sure in each.again)
        times = "again" if len(sent) == 1 else f"{len(sent)} times again"
        then = " before it came with another" if renewed is not None else ""
        message = f"sent {_shown(each.secret)} {times} after {described(first)}{then}: renew it first"
        return bad("credential", message, _tries([first, *sent]), sure=sure)
    if renewed is None:
        message = f"did not come with another credential after {described(first)}"
        return finding("credential", "unknown", message, _tries([first]))
    after = described(first) if len(each.refused) == 1 else f"{len(each.refused)} requests that met {described(first)}"
    return finding("credential", "good", f"came with a new credential after {after}", _tries([*each.refused, renewed]))


def _tries(entries: Sequence[Entry]) -> list[Try]:
    return [Try(entry, ending(entry)) for entry in entries]


def _secret(entry: Entry) -> str:
    """All that it presents; never shown whole."""
    assert entry.request is not None
    headers, query = entry.request.headers, entry.request.query
    return "\n".join(filter(None, (headers.get(name) or query.get(name) for name in _SECRETS)))


def _shown(secret: str) -> str:
    return f"the credential {hidden(secret.partition(chr(10))[0])}" if secret else "no credential"
