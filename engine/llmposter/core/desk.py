"""What endpoints beside the conversations may ask, in the session of one request; no conversation is touched by it.

Rules for inputs are tried scenario by scenario, in their order, whatever a scenario serves: that is of conversations.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final, cast

from llmposter.core import answer, tokens
from llmposter.core.embedding import embedding
from llmposter_dsl.place import where
from llmposter_dsl.program import Fail
from llmposter_dsl.types import Headers

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from llmposter.beside import Kept, Thread
    from llmposter.core.clock import Clock
    from llmposter.core.kept import Library
    from llmposter.core.sessions import Session
    from llmposter.model import Failure, Request, Turn
    from llmposter_dsl.program import Env, Fault, InputRule, Program

_MOST_SHOWN: Final = 10
_NONE: Final[Mapping[str, Any]] = {}


class Input:
    """What a rule may ask of one input: an `Env` with the facts of `llmposter_dsl.facts.INPUT`."""

    __slots__ = ("groups", "headers", "model", "text", "vars")

    def __init__(self, text: str, model: str, headers: Headers) -> None:
        self.text, self.model, self.headers = text, model, headers
        self.vars, self.groups = _NONE, dict[str, Any]()


class SessionDesk:
    """As `llmposter.beside.Desk`.

    Attributes:
        model: that of the inputs that were asked about.
    """

    __slots__ = ("_clock", "_fired", "_headers", "_library", "_programs", "_session", "model")

    def __init__(
        self, programs: Sequence[Program], session: Session, library: Library, clock: Clock, request: Request
    ) -> None:
        self._programs, self._session, self._library, self._clock = programs, session, library, clock
        self._headers = Headers(request.headers)
        self._fired: dict[InputRule, None] = {}
        self.model = ""

    @property
    def fired(self) -> str:
        """The rules for inputs that fired, with their places, as far as a line has room for them."""
        shown = [f"{rule.name} ({where(rule.place)})" for rule in islice(self._fired, _MOST_SHOWN)]
        more = len(self._fired) - len(shown)
        return ", ".join([*shown, f"and {more} more"] if more else shown)

    @property
    def faults(self) -> tuple[Fault, ...]:
        """Those of the rules that fired, for all of the answer; each once, however many inputs it is of."""
        return tuple(dict.fromkeys(fault for rule in self._fired for fault in rule.faults))

    def now(self) -> float:
        return self._clock.now()

    def models(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(model for program in self._programs for model in program.models))

    def tokens(self, turn: Turn) -> int:
        return tokens.of_turn(self._library.told(turn))

    def estimate(self, text: str) -> int:
        return tokens.estimate(text)

    def vector(self, text: str, model: str, dimensions: int) -> tuple[float, ...] | Failure:
        rules = (rule for program in self._programs for rule in program.embeddings)
        said = self._said(rules, text, model)
        assert not isinstance(said, frozenset)
        return embedding(text, dimensions) if said is None else said

    def flags(self, text: str, model: str) -> frozenset[str] | Failure:
        rules = (rule for program in self._programs for rule in program.moderations)
        said = self._said(rules, text, model)
        assert not isinstance(said, tuple)
        return frozenset() if said is None else said

    def _said(
        self, rules: Iterable[InputRule], text: str, model: str
    ) -> tuple[float, ...] | frozenset[str] | Failure | None:
        """What the first rule says that holds for an input and has not fired too often; None where there is none."""
        self.model = model
        facts = cast("Env", Input(text, model, self._headers))
        for rule in rules:
            if self._fires(rule, facts):
                return answer.failure(rule.outcome, facts) if isinstance(rule.outcome, Fail) else rule.outcome
        return None

    def _fires(self, rule: InputRule, facts: Env) -> bool:
        spent = self._session.spent
        if rule.times is not None and spent.get(rule, 0) >= rule.times:
            return False
        facts.groups.clear()
        if rule.when is not None and not rule.when.holds(facts):
            return False
        if rule.times is not None:
            spent[rule] = spent.get(rule, 0) + 1
        self._fired[rule] = None
        return True

    # --- what clients come back to ----------------------------------------------------------------------------------

    def kept(self, id_: str) -> Kept | None:
        return self._library.answers.get(self._session.name, id_)

    def forget(self, id_: str) -> bool:
        return self._library.answers.drop(self._session.name, id_)

    def fresh(self) -> str:
        return self._library.fresh(self._session.name)

    def thread(self, id_: str) -> Thread | None:
        return self._library.threads.get(self._session.name, id_)

    def hold(self, thread: Thread) -> None:
        self._library.hold(self._session.name, thread)

    def add(self, turn: Turn) -> bool:
        return self._library.add(turn)

    def close(self, id_: str) -> bool:
        return self._library.threads.drop(self._session.name, id_)
