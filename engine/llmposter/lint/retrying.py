"""What a client gets that asks the same again after an error: rules that leave it nothing but errors to retry.

A retry is the same request. It moves `attempt` on, counts what fired, takes time and draws anew; what the client said,
and how many answers there were, stays as it was (language.md, section 7).
"""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from llmposter.core.conversation import interrupted
from llmposter.lint.meant import meant_for
from llmposter.lint.witness import Wanted, witnesses
from llmposter.model import Failure
from llmposter_dsl.analysis import Atom, contradict, refuted
from llmposter_dsl.expressions.make import walk
from llmposter_dsl.expressions.syntax import Apply, Name
from llmposter_dsl.program import Fail

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from llmposter.lint.never import Study
    from llmposter.lint.witness import Witness
    from llmposter_dsl.analysis import Clause, Known, Signed
    from llmposter_dsl.expressions.syntax import Node
    from llmposter_dsl.program import Fault, Program, Rule

_STATUSES: Final = (408, 409, 429)
"""Beside 5xx: what the SDKs of OpenAI and Anthropic try again (docs/sdk-behaviour.md)."""
_LONGEST: Final = 60.0
"""Seconds of `retry_after` that every SDK waits (docs/sdk-behaviour.md)."""
_LASTING: Final = frozenset(
    (
        *("user", "system", "assistant", "messages", "last", "results", "result", "tools", "model", "path", "stream"),
        *("provider", "params", "metadata", "images", "files", "tokens", "body", "conversation", "turn"),
    )
)
"""Facts that a retry leaves as they are; and, as long as the state is the same, these:"""
_OF_THE_STATE: Final = frozenset(("state", "visits"))
_MOVING: Final = frozenset(("fired", "chance", "random", "uuid", "now"))
_AGAIN: Final[Signed] = (Atom(Name("attempt"), ">=", ("number", 2)), True)
_MOST: Final = 64
"""Rules of one state, beyond which it is left alone."""
_MOST_TRIES: Final = 20_000
"""Conditions of one program that are weighed against others."""
_PLAYED: Final = 6
"""Retries of a request that is shown."""
_PAUSE: Final = 3600.0


def retried(program: Program, rule: Rule) -> bool:
    """Whether the rule surely answers with what SDKs retry, whatever API it is for."""
    if rule.unsteady is not None or rule.token is not None:
        return False
    if rule.faults:
        return len(rule.faults) == 1 and _breaks(rule.faults[0])
    fail = rule.outcome
    if not isinstance(fail, Fail) or (fail.retry_after or 0.0) > _LONGEST:
        return False
    return not any(name.lower() == "x-should-retry" for name, _ in fail.headers) and _passing(program, rule, fail)


def _breaks(fault: Fault) -> bool:
    """Whether nothing of the answer comes, in a way that is retried."""
    if fault.point.kind != "before headers":
        return False
    return fault.action in ("drop", "close", "hang") or (fault.action == "send" and _retries(fault.status or 200))


def _retries(status: int) -> bool:
    return status in _STATUSES or status >= 500


def _passing(program: Program, rule: Rule, fail: Fail) -> bool:
    from llmposter.wire import load

    lasting = [name for name in load() if not _passes(name, fail.name, fail.status)]
    if not lasting:
        return True
    meant = {
        wire.name for wire in load().values() if all(meant_for(wire, each) for each in (program.serves, rule.when))
    }
    return bool(meant) and meant.isdisjoint(lasting)


@lru_cache(maxsize=1024)
def _passes(wire: str, name: str | None, status: int | None) -> bool:
    """Whether an API has an error for it that is retried."""
    from llmposter.wire import load

    sent = load()[wire].failure(Failure(name, status), 0.0)
    return _retries(sent.status) and ("x-should-retry", "false") not in sent.headers


class Retrying:
    """What the rules of a program leave to a client that retries.

    Attributes:
        failing: by state the rules that answer with what is retried; states of very many rules are left out.
    """

    def __init__(self, study: Study) -> None:
        self._study, self._left = study, _MOST_TRIES
        known: dict[int, bool] = {}
        self.failing = {
            state: tuple(rule for rule in live if self._fails(rule, known))
            for state in study.program.states
            if state in study.reached and len(live := study.live(state)) <= _MOST
        }

    def _fails(self, rule: Rule, known: dict[int, bool]) -> bool:
        if id(rule) not in known:
            known[id(rule)] = retried(self._study.program, rule)
        return known[id(rule)]

    @cached_property
    def traps(self) -> frozenset[tuple[str, str]]:
        """State and name of each rule after which every retry gets such an error, for ever."""
        kept = frozenset((state, rule.name) for state, some in self.failing.items() for rule in some)
        while True:
            left = frozenset(
                (state, rule.name)
                for state, some in self.failing.items()
                for rule in some
                if (state, rule.name) in kept and self._keeps(state, rule, kept)
            )
            if len(left) == len(kept):
                return left
            kept = left

    @cached_property
    def closed(self) -> frozenset[str]:
        """The states in which every request is trapped, and that are left for each other at most; none is final."""
        found = frozenset(state for state in self.failing if self._takes_all(state)) - self._study.program.final
        while True:
            left = frozenset(s for s in found if all((rule.goto or s) in found for rule in self.failing[s]))
            if len(left) == len(found):
                return left
            found = left

    @property
    def anything_else(self) -> bool:
        """Whether some request gets another answer."""
        return any(
            rule.outcome is not None and (state, rule.name) not in self.traps
            for state in self._study.reached
            for rule in self._study.live(state)
        )

    def shown(self, state: str, rule: Rule) -> Witness | None:
        """A request that a trap takes, and whose retries were played."""
        wanted = Wanted(self._study.program, state, rule, self._study.known(state))
        for clause in self._study.clauses(rule) or ():
            for witness in witnesses(wanted, clause, {}):
                if self._plays(witness, rule):
                    return witness
        return None

    def _plays(self, witness: Witness, rule: Rule) -> bool:
        stands, moment, tables = witness.stands, witness.moment, self._study.tables
        if tables.meets(stands, witness.turn, moment) is not rule:
            return False
        for _ in range(_PLAYED):
            step = tables.advance(stands, witness.turn, moment)
            if step.rule is None or not any(step.rule in some for some in self.failing.values()):
                return False
            stands = interrupted(step) if step.faults else step.after
            moment = replace(moment, now=moment.now + _PAUSE, attempt=moment.attempt + 1)
        return True

    def _takes_all(self, state: str) -> bool:
        """Whether every request that is tried in a state is taken by a trap."""
        live = self._study.live(state)
        if not live or any((state, rule.name) not in self.traps for rule in live):
            return False
        taken = [clause for rule in live if rule.times is None for clause in self._study.clauses(rule) or ()]
        return refuted((), taken, self._study.known(state))

    def _keeps(self, state: str, rule: Rule, kept: Collection[tuple[str, str]]) -> bool:
        """Whether a retry of whatever the rule takes is taken by one of those that are *kept*."""
        after, made = rule.goto or state, self._study.clauses(rule)
        if made is None or after not in self.failing:
            return False
        before = self._passed_over(state, rule) if after == state else []
        possible = [clause for clause in made if not contradict(clause, self._study.known(state))]
        return all(self._caught(after, tuple(_later(clause, after == state)), before, kept) for clause in possible)

    def _passed_over(self, state: str, rule: Rule) -> list[Clause]:
        """What a request of the rule is not like, now and later: it was left alone by the rules before."""
        live = self._study.live(state)
        before = live[: live.index(rule)]
        made = (clause for each in before if each.times is None for clause in self._study.clauses(each) or ())
        return [clause for clause in made if all(_lasts(atom.subject, same=True) for atom, _ in clause)]

    def _caught(self, state: str, clause: Clause, before: Sequence[Clause], kept: Collection[tuple[str, str]]) -> bool:
        """Whether whatever passes the clause is taken in the state by one of those that are *kept*."""
        taken, known = list(before), self._study.known(state)
        for rule in self._study.live(state):
            made = self._study.clauses(rule)
            if made is not None and all(self._refuted((*clause, *each), taken, known) for each in made):
                continue
            if made is None or (state, rule.name) not in kept:
                return False
            taken += made if rule.times is None else ()
            if self._refuted(clause, taken, known):
                return True
        return False

    def _refuted(self, clause: Clause, taken: Sequence[Clause], known: Known) -> bool:
        self._left -= 1
        return self._left >= 0 and refuted(clause, taken, known)


def _later(clause: Clause, same: bool) -> Iterator[Signed]:  # noqa: FBT001 - it is what the name of the state says
    """What of a clause holds for every retry of what passes it."""
    yield _AGAIN
    for atom, wanted in clause:
        if _lasts(atom.subject, same=same):
            yield atom, wanted
        elif atom.subject == Name("attempt"):
            if (atom.test in (">", ">=") and wanted) or (atom.test in ("<", "<=") and not wanted):
                yield atom, wanted
            elif atom.test == "==" and wanted:
                yield atom._replace(test=">="), True


def _lasts(subject: Node, *, same: bool) -> bool:
    """Whether a retry has the same value of it; *same*: in the state in which the request was."""
    for node in walk(subject):
        match node:
            case Name(name=name) if name not in _LASTING and not (same and name in _OF_THE_STATE):
                return False
            case Apply(function=function) if function in _MOVING:
                return False
            case _:
                pass
    return True
