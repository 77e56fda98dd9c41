"""One request looked at: every rule that it meets, the tree of each condition with its values, and what would match.

Nothing is moved, recorded or said; the same input gives the same words, and no credential is shown whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from msgspec.structs import replace

from llmposter.core import explain
from llmposter.core.changes import changes
from llmposter.core.fingerprint import Prints
from llmposter.core.sessions import Sessions
from llmposter.core.standing import standing
from llmposter.core.walker import MOST_PASSES, Walker
from llmposter.model import Struct
from llmposter_dsl.place import where

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from llmposter.core.conversation import Conversation, Moment, Step
    from llmposter.core.facts import Facts
    from llmposter.core.replay import Player
    from llmposter.core.standing import Standing
    from llmposter.model import Turn
    from llmposter_dsl.program import Branch, Condition, Program, Rule, Value

Verdict: TypeAlias = Literal["fires", "passes on", "would fire", "does not match", "used up"]
"""Of a rule; ``would fire``, were it not for one before it."""


class Looked(Struct, frozen=True):
    """A condition and what it came to.

    Attributes:
        word: ``and``, ``or`` or ``not`` of the operands; "" where there are none.
        values: of what it looks at, by their text, as the language writes them.
    """

    text: str
    place: str
    held: bool
    word: str = ""
    values: Mapping[str, str] = {}
    operands: tuple[Looked, ...] = ()


class RuleSeen(Struct, frozen=True):
    """A rule and what became of it.

    Attributes:
        when: None where it has no condition.
        changes: what would have to be otherwise for it to fire, each a sentence.
    """

    name: str
    place: str
    verdict: Verdict
    when: Looked | None = None
    changes: tuple[str, ...] = ()


class Stage(Struct, frozen=True):
    """The rules of one state, in the order in which they are tried; `always` and `otherwise` among them."""

    state: str
    rules: tuple[RuleSeen, ...]


class Seen(Struct, frozen=True):
    """What a request would meet.

    Attributes:
        fires: the rule that would answer, "" for none. closest: then the one nearest to it.
        why: no rule would answer, in one sentence.
        step: what the machine would do.
    """

    stages: tuple[Stage, ...]
    fires: str
    closest: str
    why: str
    step: Step


class Instead(Struct, frozen=True):
    """What a conversation is taken to have in place of what it has."""

    state: str | None = None
    vars: Mapping[str, Value] = {}


def look_at(
    players: Sequence[Player], sessions: Sessions, turn: Turn, now: float, instead: Instead | None
) -> tuple[Standing, Seen] | None:
    """Where *turn* stands and what it would meet there; None if no scenario takes it."""
    stood = stand(players, sessions, turn, now)
    if stood is None:
        return None
    found, turn = stood
    if instead is not None:
        stands = found.stands
        stands = replace(stands, state=instead.state or stands.state, vars={**stands.vars, **instead.vars})
        found = replace(found, stands=stands)
    return found, look(found.player.program, found.stands, turn, found.moment)


def stand(players: Sequence[Player], sessions: Sessions, turn: Turn, now: float) -> tuple[Standing, Turn] | None:
    """Where *turn* stands, and the turn with the history that it refers to; None if no scenario takes it."""
    name = turn.request.session
    session = sessions.known(name) or Sessions(1).get(name)
    if turn.previous or turn.thread or turn.references:
        turn = sessions.library.told(turn)
    found = standing(players, session, turn, Prints(turn.messages), now)
    if found is None:
        return None
    return replace(found, stands=session.seen(found.player.program, found.stands)), turn


def look(program: Program, stands: Conversation, turn: Turn, moment: Moment) -> Seen:
    """What *turn* would meet where the conversation *stands*."""
    walker = Walker.of(program, stands, turn, moment)
    walker.check(program.expect)
    stages: list[Stage] = []
    while len(walker.passed) <= MOST_PASSES:
        rule, seen = _stage(program, walker)
        stages.append(seen)
        if rule is None:
            break
        walker.facts.groups = {}
        walker.allows(rule)
        walker.fire(rule)
        walker.state = rule.goto or walker.state
        walker.settle(rule)
        if walker.outcome is not None:
            return Seen(tuple(stages), rule.name, "", "", walker.answered())
    step = walker.missed()
    return Seen(tuple(stages), "", _closest(stages[-1]), step.missed, step)


def _stage(program: Program, walker: Walker) -> tuple[Rule | None, Stage]:
    """The rule that fires in the state where the walk is, and all that were tried."""
    fires: Rule | None = None
    seen: list[RuleSeen] = []
    for rule in (*program.always, *program.states.get(walker.state, ()), *program.otherwise):
        allowed = walker.allows(rule)
        verdict = _verdict(rule, walker, allowed=allowed, first=fires is None)
        if allowed and fires is None:
            fires = rule
        seen.append(_seen(rule, verdict, walker.facts))
    return fires, Stage(walker.state, tuple(seen))


def _verdict(rule: Rule, walker: Walker, *, allowed: bool, first: bool) -> Verdict:
    if allowed:
        if not first:
            return "would fire"
        return "passes on" if rule.outcome is None and not rule.faults else "fires"
    used_up = rule.times is not None and walker.stands.fired.get(rule.name, 0) >= rule.times
    return "used up" if used_up else "does not match"


def _seen(rule: Rule, verdict: Verdict, facts: Facts) -> RuleSeen:
    place = where(rule.place)
    if rule.when is None:
        return RuleSeen(rule.name, place, verdict)
    facts.groups = {}
    apart = None if rule.when.apart is None else rule.when.apart()
    wanting = () if apart is None or verdict != "does not match" else changes(apart, facts)
    looked = _joined(rule.when, facts) if apart is None else _looked(apart, facts)
    return RuleSeen(rule.name, place, verdict, looked, wanting)


def _looked(branch: Branch, facts: Facts) -> Looked:
    if branch.word == "not" and len(branch.operands) == 1 and not branch.operands[0].word:
        # Its operand says nothing that it does not say itself.
        return _plain(branch.condition, facts, branch.operands[0].condition)
    if not branch.word:
        return _plain(branch.condition, facts)
    facts.groups = {}
    held = branch.condition.holds(facts)
    operands = tuple(_looked(each, facts) for each in branch.operands)
    return Looked(branch.condition.text, where(branch.condition.place), held, branch.word, {}, operands)


def _joined(condition: Condition, facts: Facts) -> Looked:
    """A condition of which only the parts are known that are joined by `and`."""
    if not condition.parts:
        return _plain(condition, facts)
    operands = tuple(_plain(part, facts) for part in condition.parts)
    return Looked(condition.text, where(condition.place), all(each.held for each in operands), "and", {}, operands)


def _plain(condition: Condition, facts: Facts, asked: Condition | None = None) -> Looked:
    values = {one.text: explain.shown(one.evaluate(facts), facts) for one in (asked or condition).subjects}
    facts.groups = {}
    return Looked(condition.text, where(condition.place), condition.holds(facts), "", values)


def _closest(stage: Stage) -> str:
    """The rule of which the largest part of its condition holds, the first of equals."""
    tried = [rule for rule in stage.rules if rule.verdict in ("does not match", "used up")]
    return max(tried, key=_nearness).name if tried else ""


def _nearness(rule: RuleSeen) -> float:
    if rule.when is None or rule.verdict == "used up":
        return 1.0
    parts = rule.when.operands if rule.when.word == "and" else (rule.when,)
    return sum(part.held for part in parts) / len(parts)
