"""What endpoints beside the conversations may ask, in the session of one request; no conversation is touched by it.

Rules for inputs are tried scenario by scenario, in their order, whatever a scenario serves: that is of conversations.
Fixtures are tried once for all inputs of a request.
"""

from __future__ import annotations

from functools import cached_property, lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, Literal, cast

from llmposter.core import answer, tokens
from llmposter.core.embedding import embedding
from llmposter.core.facts import parsed
from llmposter.core.index import FEWEST, Index
from llmposter_dsl.place import where
from llmposter_dsl.program import Fail
from llmposter_dsl.types import Headers

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from llmposter.beside import Kept, Thread
    from llmposter.core.clock import Clock
    from llmposter.core.facts import Facts
    from llmposter.core.kept import Library
    from llmposter.core.sessions import Session
    from llmposter.model import Failure, Request, Turn
    from llmposter_dsl.program import Env, Fault, InputRule, Program, Rule

_MOST_SHOWN: Final = 10
_NONE: Final[Mapping[str, Any]] = {}


class Input:
    """What a rule may ask of one input: an `Env` with the facts of `llmposter_dsl.facts.INPUT`.

    Fixtures may ask all that they ask of a conversation: it is then the user who says the text.
    """

    system = ""
    tools = ()
    params = metadata = _NONE

    def __init__(  # noqa: PLR0913, PLR0917 - what it is made of
        self, text: str, model: str, headers: Headers, provider: str, body: bytes, variables: Mapping[str, Any]
    ) -> None:
        self.text = self.user = text
        self.model, self.headers, self.provider, self.vars, self._body = model, headers, provider, variables, body
        self.groups: dict[str, Any] = {}

    @cached_property
    def body(self) -> Any:
        return parsed(self._body.decode("utf-8", "replace"))


class SessionDesk:
    """As `llmposter.beside.Desk`.

    Attributes:
        model: that of the inputs that were asked about.
    """

    __slots__ = (
        "_clock", "_fired", "_headers", "_library", "_programs", "_provider", "_request", "_session", "_taken", "model",
    )  # fmt: skip

    def __init__(  # noqa: PLR0913, PLR0917 - what it is made of
        self,
        programs: Sequence[Program],
        session: Session,
        library: Library,
        clock: Clock,
        request: Request,
        provider: str = "",
    ) -> None:
        self._programs, self._session, self._library, self._clock = programs, session, library, clock
        self._request, self._provider, self._headers = request, provider, Headers(request.headers)
        self._fired: dict[InputRule, None] = {}
        self._taken: dict[tuple[Program, str], InputRule | None] = {}
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

    def vector(self, text: str, model: str, dimensions: int, whole: str | None = None) -> tuple[float, ...] | Failure:
        said = self._said("embeddings", text, model, whole)
        assert not isinstance(said, frozenset)
        return embedding(text, dimensions) if said is None else said

    def flags(self, text: str, model: str) -> frozenset[str] | Failure:
        said = self._said("moderations", text, model)
        assert not isinstance(said, tuple)
        return frozenset() if said is None else said

    def _said(
        self, kind: Literal["embeddings", "moderations"], text: str, model: str, whole: str | None = None
    ) -> tuple[float, ...] | frozenset[str] | Failure | None:
        """What the first rule says that holds for an input and has not fired too often; None where there is none."""
        self.model = model
        for program in self._programs:
            if not (rules := getattr(program, kind)):
                continue
            asked = text if whole is None or program.kind == "scenario" else whole
            known = self._session.shared.get(program.name, program.vars) if program.shared else _NONE
            facts = Input(asked, model, self._headers, self._provider, self._request.body, known)
            if (rule := self._first(program, rules, facts)) is not None:
                if rule.set:
                    self._session.shared[program.name] = {**known, **rule.set}
                env = cast("Env", facts)
                return answer.failure(rule.outcome, env) if isinstance(rule.outcome, Fail) else rule.outcome
        return None

    def _first(self, program: Program, rules: Sequence[InputRule], facts: Input) -> InputRule | None:
        if program.kind == "scenario":
            return next((rule for rule in rules if self._fires(rule, cast("Env", facts))), None)
        key = program, facts.text
        if key not in self._taken:
            near: Iterable[Any] = rules if len(rules) < FEWEST else _index(program).candidates(cast("Facts", facts))
            self._taken[key] = next((rule for rule in near if self._fires(rule, cast("Env", facts))), None)
        return self._taken[key]

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


@lru_cache(maxsize=64)
def _index(program: Program) -> Index:
    return Index(cast("Sequence[Rule]", program.embeddings))
