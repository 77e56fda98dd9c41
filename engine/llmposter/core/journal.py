"""What was asked and answered: bounded, cheap to write, rendered when read, and never silent about what it dropped."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import replace

from llmposter.model import Failure, Miss, Outcome, Refusal, Reply, Text, Thinking, ToolCall
from llmposter_dsl.place import where

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from llmposter.core.conversation import Step
    from llmposter.model import Request, Rule, Violation

MOST_OF_BODY: Final = 16_384
"""Bytes of a request's body that are kept."""
MOST_OF_ALL_BODIES: Final = 64 * 1024 * 1024
"""Bytes of bodies and answers kept in all; the oldest go first."""
_SECRET: Final = frozenset({
    "authorization", "proxy-authorization", "x-api-key", "api-key", "x-goog-api-key", "cookie", "key", "api_key",
    "access_token", "token",
})  # fmt: skip


class Entry:
    """One request, or one event of the server's own. `finished` completes it; the rest is set when it is made.

    Attributes:
        number: from 1, over the whole server.
        outcome: ``reply``, ``error``, ``miss``, ``refused``, ``unrouted``, ``repeated`` (a closed answer once more),
            ``endpoint`` (an answer beside the conversations) or ``event``.
        detail: what a miss, a refusal or an event says.
        cut: bytes of the body that were not kept.
        how: how the answer ended: ``pending``, ``complete``, ``client left``.
    """

    __slots__ = (
        "after", "answer", "attempt", "before", "body", "conversation", "cut", "detail", "ended", "foreign",
        "forked_from", "how", "latency", "model", "number", "outcome", "passed", "provider", "request", "retry", "rule",
        "scenario", "sent", "session", "status", "stream", "time", "violations",
    )  # fmt: skip

    def __init__(self, time: float, session: str, outcome: str, request: Request | None = None) -> None:
        self.number, self.time, self.session, self.outcome, self.request = 0, time, session, outcome, request
        body = b"" if request is None else request.body
        self.body: bytes | None = body[:MOST_OF_BODY]
        self.cut = max(0, len(body) - MOST_OF_BODY)
        self.provider = self.model = self.scenario = self.conversation = self.before = self.after = self.detail = ""
        self.stream = False
        self.attempt, self.latency, self.sent = 0, 0.0, 0
        self.retry: int | None = None
        self.foreign: int | None = None
        self.forked_from: str | None = None
        self.rule: Rule | None = None
        self.passed: tuple[Rule, ...] = ()
        self.violations: tuple[Violation, ...] = ()
        self.answer: Outcome | None = None
        self.status: int | None = None
        self.ended: float | None = None
        self.how = "pending" if request is not None else ""

    def took(self, step: Step) -> None:
        """What the machine did."""
        self.before, self.after = step.before.state, step.after.state
        self.rule, self.passed, self.latency = step.rule, step.passed, step.latency
        self.violations, self.answer = step.violations, step.outcome
        match step.outcome:
            case Reply():
                self.outcome = "reply"
            case Failure() as failure:
                self.outcome, self.status = "error", failure.status
            case Miss(message):
                self.outcome, self.detail = "miss", message
        if step.missed:
            self.outcome, self.detail = "miss", step.missed

    def finished(self, now: float, status: int, sent: int, how: str) -> None:
        """The answer went out, or as much of it as the client took; *sent* counts bytes of its body."""
        self.ended, self.status, self.sent, self.how = now, status, sent, how

    def size(self) -> int:
        return len(self.body or b"") + _size(self.answer)

    def lighten(self) -> None:
        """Let go of the bulk: what was decided stays."""
        self.body, self.answer, self.request = None, None, _bodiless(self.request)


def _bodiless(request: Request | None) -> Request | None:
    return None if request is None else replace(request, body=b"")


def _size(answer: Outcome | None) -> int:
    if not isinstance(answer, Reply):
        return 0
    return sum(len(part.arguments) if isinstance(part, ToolCall) else len(part.text) for part in answer.parts)


class Journal:
    """The last entries of the whole server, each also in the list of its session."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._entries: deque[Entry] = deque()
        self._bulk: deque[tuple[Entry, int]] = deque()
        self._bytes = self._last = 0
        self.dropped = 0

    def add(self, entry: Entry) -> Entry | None:
        """Write it down; the entry that had to go for it, if any."""
        self._last += 1
        entry.number = self._last
        self._entries.append(entry)
        self._weigh(entry)
        if len(self._entries) <= self.most:
            return None
        self.dropped += 1
        gone = self._entries.popleft()
        if self._bulk and self._bulk[0][0] is gone:
            self._bytes -= self._bulk.popleft()[1]
        return gone

    def _weigh(self, entry: Entry) -> None:
        if entry.request is not None and entry.cut:
            entry.request = _bodiless(entry.request)
        size = entry.size()
        self._bulk.append((entry, size))
        self._bytes += size
        while self._bytes > MOST_OF_ALL_BODIES:
            old, weight = self._bulk.popleft()
            old.lighten()
            self._bytes -= weight

    def keep(self, others: Iterable[Entry]) -> None:
        """Forget all but these, which are in order."""
        self._entries = deque(others)
        kept = set(map(id, self._entries))
        self._bulk = deque((entry, size) for entry, size in self._bulk if id(entry) in kept)
        self._bytes = sum(size for _, size in self._bulk)

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
            "method": request.method, "path": request.asked or request.path, "query": _masked(request.query),
            "headers": _masked(request.headers), "provider": entry.provider,
            "model": entry.model, "stream": entry.stream, "retry": entry.retry,
        }  # fmt: skip
    shown |= {
        "scenario": entry.scenario, "conversation": entry.conversation, "before": entry.before, "after": entry.after,
        "attempt": entry.attempt, "rule": entry.rule and entry.rule.name,
        "place": entry.rule and where(entry.rule.place), "passed": [rule.name for rule in entry.passed],
        "violations": [shown_violation(violation) for violation in entry.violations],
        "detail": entry.detail, "foreign_from": entry.foreign, "forked_from": entry.forked_from,
    }  # fmt: skip
    if request is not None:
        shown |= {
            "status": entry.status, "latency": entry.latency, "how": entry.how, "sent": entry.sent,
            "seconds": None if entry.ended is None else entry.ended - entry.time, "answer": _shown_answer(entry.answer),
            "body": None if entry.body is None else entry.body.decode("utf-8", "replace"), "body_cut": entry.cut,
        }  # fmt: skip
    return shown


def shown_violation(violation: Violation) -> dict[str, str]:
    return {"kind": violation.kind, "message": violation.message, "place": violation.place}


def _masked(values: Mapping[str, str]) -> dict[str, str]:
    return {name: _hidden(value) if name.lower() in _SECRET else value for name, value in values.items()}


def _hidden(value: str) -> str:
    scheme, space, secret = value.rpartition(" ")
    return f"{scheme}{space}{secret[:3] if len(secret) > 8 else ''}…"


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
