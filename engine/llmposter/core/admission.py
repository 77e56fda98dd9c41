"""Which requests are let in: those with a good credential, below the limits; and what an answer does to both.

Time comes in as an argument, and nothing here knows what a conversation is.
"""

from __future__ import annotations

from threading import RLock
from typing import TYPE_CHECKING

from msgspec.structs import replace

from llmposter.access import Presented, Rejected
from llmposter.core.credentials import Credentials, Issued
from llmposter.core.masking import hidden
from llmposter.core.rates import Rates
from llmposter.model import Reply
from llmposter_dsl.program import Duration

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from llmposter.access import Limited, Window
    from llmposter.core.conversation import Step
    from llmposter.core.rates import Owner
    from llmposter.model import Request
    from llmposter_dsl.program import Limit, Program, Token


class Admission:
    """Credentials and limits of one server.

    Args:
        programs: whose tokens and limits hold, for all requests.
        now: Unix seconds.
        tokens: what every session begins with beside theirs.
        auth: requests need a credential although none is given yet.

    Attributes:
        free: every request is let in: it needs no credential, and there are no limits.
    """

    __slots__ = ("_always", "_lock", "_rates", "_tokens", "credentials", "free")

    def __init__(
        self, programs: Sequence[Program], now: float, tokens: Sequence[Issued] = (), *, auth: bool = False
    ) -> None:
        self._tokens, self._always = tuple(tokens), auth
        self.credentials = Credentials(self._given(programs), now, on=self._wanted(programs))
        self._rates = Rates(_limits(programs))
        self._lock = RLock()  # a test reads and resets from a thread of its own
        self.free = not (self.credentials.on or self._rates.limits)

    def _given(self, programs: Sequence[Program]) -> tuple[Issued, ...]:
        theirs = (Issued(each.name, each.value, each.uses, each.lifetime) for each in _tokens(programs))
        return (*theirs, *self._tokens)

    def _wanted(self, programs: Sequence[Program]) -> bool:
        return self._always or any(program.auth is not None for program in programs)

    def replace(self, programs: Sequence[Program], now: float) -> None:
        """The tokens and limits of these hold from now on; what was used of one that still holds stays used."""
        with self._lock:
            self.credentials.replace(self._given(programs), now, on=self._wanted(programs))
            self._rates.replace(_limits(programs))
            self.free = not (self.credentials.on or self._rates.limits)

    def admit(self, request: Request, presented: Sequence[tuple[bool, str]], now: float) -> Request | Rejected:
        """The request with its credential, of which that is a use; or why it is not let in.

        *presented* are the credentials that it carries, first to last, and whether each is a bearer token. The first
        that anybody knows counts.
        """
        if not self.credentials.on:
            return request
        if not presented:
            return Rejected("missing")
        with self._lock:
            known = ((bearer, self.credentials.find(value, now, request.session)) for bearer, value in presented)
            bearer, found = next((each for each in known if each[1] is not None), (presented[0][0], None))
            if found is None:
                return Rejected("unknown", bearer, hidden(presented[0][1]))
            issued, state = found.issued, found.state(now)
            if state != "good":
                return Rejected(state, bearer, hidden(issued.value), issued.name)
            found.used += 1
            shown = Presented(issued.name, issued.value, found.used, found.since, issued.grant)
            return replace(request, credential=shown)

    def ask(self, request: Request, tokens: int | None, now: float) -> Limited | None:
        """The limit that a request of so many tokens (None: they are not counted) is above; else it is counted."""
        if not self._rates.limits:
            return None
        with self._lock:
            return self._rates.ask(_owner(request), tokens, now)

    def windows(self, request: Request, now: float) -> tuple[Window, ...]:
        """What is left of the limits, for whoever sent the request."""
        if not self._rates.limits:
            return ()
        with self._lock:
            return self._rates.windows(_owner(request), now)

    def answered(self, request: Request, step: Step, tokens: int, now: float) -> None:
        """What an answer does to the credential of its request, which had so many tokens, and to the limits."""
        for rule in (*step.passed, *(() if step.rule is None else (step.rule,))):
            if rule.token is not None and request.credential is not None:
                self.credentials.end(request.credential.value, rule.token, now, request.session)
        if self._rates.limits and isinstance(step.outcome, Reply):
            used = step.outcome.tokens
            with self._lock:
                self._rates.spend(_owner(request), used.input + used.output - tokens, now)

    def reset(self, now: float, session: str | None) -> None:
        """As in the beginning, in one session or in all."""
        with self._lock:
            self.credentials.reset(now, session)
            self._rates.reset(session)


def _tokens(programs: Sequence[Program]) -> Iterator[Token]:
    """Those of all scenarios; of equal values the first."""
    known: set[str] = set()
    for program in programs:
        for token in () if program.auth is None else program.auth.tokens:
            if token.value not in known:
                known.add(token.value)
                yield token


def _limits(programs: Sequence[Program]) -> Iterator[Limit]:
    return (limit for program in programs for limit in program.limits)


def _owner(request: Request) -> Owner:
    return request.session, "" if request.credential is None else request.credential.name


def why(refused: Rejected | Limited) -> str:
    """A sentence for the journal, without a secret."""
    if not isinstance(refused, Rejected):
        return _above(refused)
    match refused.why:
        case "missing":
            return "the request presents no credential"
        case "unknown":
            return f"nobody knows the credential {refused.shown}"
        case "spent":
            return f'the token "{refused.name}" was used as often as it may be'
        case ended:
            return f'the token "{refused.name}" is {ended}'


def _above(limited: Limited) -> str:
    limit = f"{limited.most} {limited.what} per {Duration(limited.per)}"
    if limited.wait is None:
        return f"the request has {limited.asked} tokens, more than the limit of {limit}"
    return f"above the limit of {limit}: {limited.used} used, {limited.asked} wanted, {limited.wait:.3f} s to wait"
