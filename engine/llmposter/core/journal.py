"""What was asked and answered: bounded, cheap to write, rendered when read, and never silent about what it dropped."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec.structs import replace

from llmposter.core.masking import FIELDS, hidden
from llmposter.model import Failure, Miss, Outcome, Refusal, Reply, Text, Thinking, ToolCall
from llmposter_dsl.place import where

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from llmposter.core.conversation import Step, Struck
    from llmposter.model import Request, Rule, Violation

MOST_OF_BODY: Final = 16_384
"""Bytes of a request's body that are kept where nobody says otherwise."""
MOST_OF_ALL_BODIES: Final = 64 * 1024 * 1024
"""Bytes of bodies and answers kept in all; the oldest go first."""


class Entry(msgspec.Struct, eq=False):
    """One request, or one event of the server's own. `finished` completes it; the rest is set when it is made.

    Attributes:
        outcome: ``reply``, ``error``, ``miss``, ``refused``, ``unrouted``, ``repeated`` (a closed answer once more),
            ``endpoint`` (an answer beside the conversations), ``rejected`` (its credential is not good), ``limited``
            (it is above a limit) or ``event``.
        step: what the machine did.
        detail: what a miss, a refusal or an event says; which rules for inputs fired.
        state: where the conversation of an event stood.
        number: from 1, over the whole server.
        cut: bytes of the body that were not kept. light: body and answer were let go.
        how: how the answer ended: ``pending``, ``complete``, ``client left``, ``server stopped``, ``failed``, or by a
            fault ``reset`` or ``closed``.
        retry_after: seconds after which an error told the client to come back, None where it told none.
        mark: tells a body that was let go from others.
    """

    time: float
    session: str
    outcome: str
    request: Request | None = None
    provider: str = ""
    model: str = ""
    stream: bool = False
    retry: int | None = None
    scenario: str = ""
    conversation: str = ""
    attempt: int = 0
    foreign: int | None = None
    forked_from: str | None = None
    step: Step | None = None
    detail: str = ""
    state: str = ""
    status: int | None = None
    number: int = 0
    weight: int = 0
    cut: int = 0
    light: bool = False
    ended: float | None = None
    sent: int = 0
    how: str = "pending"
    retry_after: float | None = None
    mark: int = 0

    def took(self, step: Step) -> None:
        """What the machine did."""
        self.step = step
        if step.missed:
            self.outcome, self.detail = "miss", step.missed
            return
        match step.outcome:
            case Reply():
                pass
            case Failure() as failure:
                self.outcome, self.status = "error", failure.status
            case Miss(message):
                self.outcome, self.detail = "miss", message

    def finished(self, now: float, status: int, sent: int, how: str) -> None:
        """The answer went out, or as much of it as the client took; *sent* counts bytes of its body."""
        self.ended, self.status, self.sent, self.how = now, status, sent, how

    @property
    def before(self) -> str:
        return self.state if self.step is None else self.step.before.state

    @property
    def after(self) -> str:
        return "" if self.step is None else self.step.after.state

    @property
    def rule(self) -> Rule | None:
        return None if self.step is None else self.step.rule

    @property
    def passed(self) -> tuple[Rule, ...]:
        return () if self.step is None else self.step.passed

    @property
    def path(self) -> tuple[str, ...]:
        """From the state before, by the `goto` of every rule that fired, to the state after."""
        rules = (*self.passed, *(() if self.rule is None else (self.rule,)))
        return without_stays((self.before, *(rule.goto for rule in rules if rule.goto), self.after))

    @property
    def violations(self) -> tuple[Violation, ...]:
        return () if self.step is None else self.step.violations

    @property
    def body(self) -> bytes | None:
        return None if self.request is None or self.light else self.request.body

    @property
    def print(self) -> tuple[int, int]:
        """What tells its body from others, of all of it that was kept at first."""
        return self.mark if self.light or self.request is None else hash(self.request.body), self.cut

    def lighten(self) -> None:
        """Let go of the bulk: what was decided stays."""
        if self.request is not None:
            self.mark = hash(self.request.body)
            self.request = replace(self.request, body=b"")
        if self.step is not None and isinstance(self.step.outcome, Reply):
            self.step = replace(self.step, outcome=_LET_GO)
        self.light = True


_LET_GO: Final = Miss("")


def without_stays(states: Iterable[str]) -> tuple[str, ...]:
    """Staying in a state counts once."""
    found: list[str] = []
    for state in states:
        if state and state != (found[-1] if found else None):
            found.append(state)
    return tuple(found)


def _weight(entry: Entry, most: int) -> int:
    """The bytes of its body, which is cut if need be, and of its answer."""
    weight = 0
    if (request := entry.request) is not None and (weight := len(request.body)) > most:
        entry.cut, weight = weight - most, most
        entry.request = replace(request, body=request.body[:most])
    if entry.step is not None and isinstance(reply := entry.step.outcome, Reply):
        for part in reply.parts:
            weight += len(part.arguments if isinstance(part, ToolCall) else part.text)
    return weight


class Journal:
    """The last entries of the whole server, each also in the list of its session; the oldest may be light."""

    def __init__(self, most: int, most_of_body: int = MOST_OF_BODY) -> None:
        self.most, self.most_of_body = most, most_of_body
        self.dropped = 0
        self._entries: deque[Entry] = deque()
        self._last = self._bytes = self._light = 0

    def add(self, entry: Entry) -> Entry | None:
        """Write it down; the entry that had to go for it, if any."""
        self._last = entry.number = self._last + 1
        self._entries.append(entry)
        entry.weight = weight = _weight(entry, self.most_of_body)
        self._bytes += weight
        while self._bytes > MOST_OF_ALL_BODIES:
            self._lighten()
        return self._drop() if len(self._entries) > self.most else None

    def _drop(self) -> Entry:
        gone = self._entries.popleft()
        self.dropped += 1
        if gone.light:
            self._light -= 1
        else:
            self._bytes -= gone.weight
        return gone

    def _lighten(self) -> None:
        oldest = self._entries[self._light]
        oldest.lighten()
        self._bytes -= oldest.weight
        self._light += 1

    def keep(self, others: Iterable[Entry]) -> None:
        """Forget all but these, which are in order."""
        self._entries = deque(others)
        heavy = [entry.weight for entry in self._entries if not entry.light]
        self._light, self._bytes = len(self._entries) - len(heavy), sum(heavy)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)


def render(entry: Entry) -> dict[str, Any]:
    """An entry as JSON-able data; secrets are never whole."""
    shown: dict[str, Any] = {
        "number": entry.number,
        "time": entry.time,
        "session": entry.session,
        "outcome": entry.outcome,
    }
    if (request := entry.request) is not None:
        shown |= {
            "method": request.method, "path": request.asked or request.path, "query": masked(request.query),
            "headers": masked(request.headers), "provider": entry.provider,
            "model": entry.model, "stream": entry.stream, "retry": entry.retry,
            "token": request.credential and request.credential.name,
        }  # fmt: skip
    shown |= {
        "scenario": entry.scenario, "conversation": entry.conversation, "before": entry.before, "after": entry.after,
        "states": list(entry.path), "attempt": entry.attempt, "rule": entry.rule and entry.rule.name,
        "place": entry.rule and where(entry.rule.place), "passed": [rule.name for rule in entry.passed],
        "violations": [shown_violation(violation) for violation in entry.violations],
        "chaos": None if entry.step is None else entry.step.chaos or None,
        "faults": [] if entry.step is None else [_shown_fault(each) for each in entry.step.struck],
        "detail": entry.detail, "foreign_from": entry.foreign, "forked_from": entry.forked_from,
    }  # fmt: skip
    if request is not None:
        shown |= {
            "status": entry.status, "retry_after": entry.retry_after,
            "latency": 0.0 if entry.step is None else entry.step.latency, "how": entry.how,
            "sent": entry.sent, "seconds": None if entry.ended is None else entry.ended - entry.time,
            "answer": None if entry.step is None else _shown_answer(entry.step.outcome),
            "body": None if entry.body is None else entry.body.decode("utf-8", "replace"), "body_cut": entry.cut,
        }  # fmt: skip
    return shown


def _shown_fault(struck: Struck) -> dict[str, Any]:
    """After how many bytes of the body it struck; null where the answer lacks its point."""
    return {"fault": struck.fault.text, "after": struck.after}


def shown_violation(violation: Violation) -> dict[str, str]:
    return {"kind": violation.kind, "message": violation.message, "place": violation.place}


def masked(values: Mapping[str, str]) -> dict[str, str]:
    """Headers, or fields of a query, without their secrets."""
    return {name: hidden(value) if name.lower() in FIELDS else value for name, value in values.items()}


def _shown_answer(answer: Outcome | None) -> Any:
    match answer:
        case None | Miss():
            return None
        case Failure():
            return {"error": answer.name, "status": answer.status, "message": answer.message}
        case Reply():
            parts = answer.parts
            return {
                "text": "".join(p.text for p in parts if isinstance(p, Text | Refusal)),
                "thinking": "".join(p.text for p in parts if isinstance(p, Thinking)),
                "calls": [
                    {"id": p.id, "tool": p.tool, "arguments": p.arguments} for p in parts if isinstance(p, ToolCall)
                ],
                "finish": answer.finish,
            }
