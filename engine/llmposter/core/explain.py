"""Why a rule fired or did not, in words for the author of the scenario.

Only asked for when something went wrong, so conditions are tried again here, each part of them; the same input gives
the same words. Credentials of the request are never shown whole.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from llmposter.core.masking import HEADERS
from llmposter.core.pattern import json_text
from llmposter_dsl.place import where
from llmposter_dsl.program import Duration

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from llmposter.core.facts import Facts
    from llmposter_dsl.program import Condition, Program, Rule, Value

LONGEST: Final = 120
"""Characters of a value or condition that are shown."""

_BETWEEN: Final = re.compile(r"[\s;,=]+")
_OTHER_RULES: Final = 200
"""Rules of other states that are tried for a hint."""


class Tried(NamedTuple):
    """A rule that did not fire, with each part of its condition and whether it held."""

    rule: Rule
    parts: tuple[tuple[Condition, bool], ...]
    used_up: bool

    @property
    def closeness(self) -> tuple[bool, int]:
        """All that it asks for held (its `times` are used up), or how many parts of it."""
        held = sum(held for _, held in self.parts)
        return held == len(self.parts), held


def no_match(program: Program, facts: Facts, passed: Sequence[Rule]) -> str:
    """Why no rule of the state matched: the closest one, each part of its condition, and where else a rule would."""
    at = f'scenario "{program.name}", state "{facts.state}"'
    after = f" (after {_chain(passed)})" if passed else ""
    rules = (*program.always, *program.states.get(facts.state, ()), *program.otherwise)
    if not rules:
        return _ended(program, facts.state) + after + _elsewhere(program, facts)
    sentence = f"no rule of {at} matches{after}. Closest: {_closest(_nearest(rules, facts), facts)}"
    return sentence + _elsewhere(program, facts)


def cycle(program: Program, state: str, passed: Sequence[Rule]) -> str:
    """That rules without an answer lead to each other without end."""
    names = [rule.name for rule in passed]
    around = next((n for n in range(1, len(names)) if names[-1 - n] == names[-1]), 0)
    return (
        f'scenario "{program.name}", state "{state}": rules that only have a goto led on {len(names)} times '
        f"for one request: {_chain(passed[-1 - around :])}; one of them must answer"
    )


def breach(condition: Condition, facts: Facts) -> str:
    """What was expected of the request, and what it had in its place."""
    groups = dict(facts.groups)
    parts = [part for part, held in _parts(condition, facts, groups) if not held]
    facts.groups = groups
    return "; ".join(f"expected {_short(part.text)}{_but(part, facts)}" for part in parts)


# --- the closest rule


def _nearest(rules: Sequence[Rule], facts: Facts) -> Tried:
    """The first of the closest; there may be thousands, so no part is tried that cannot change which it is."""
    best = _tried(rules[0], facts)
    all_held, most = best.closeness
    for rule in rules[1:]:
        if _used_up(rule, facts) or (not all_held and _may_hold(rule, facts, more_than=most)):
            best = max(best, _tried(rule, facts), key=lambda one: one.closeness)
            all_held, most = best.closeness
    return best


def _may_hold(rule: Rule, facts: Facts, *, more_than: int) -> bool:
    """Whether more than so many of its parts hold; at least one was false, as the rule did not fire."""
    parts = () if rule.when is None else rule.when.parts or (rule.when,)
    return len(parts) - 1 > more_than and held(parts, facts, more_than=more_than) is not None


def held(conditions: Sequence[Condition], facts: Facts, *, more_than: int) -> list[bool] | None:
    """Which of them hold; None, and the rest of them untried, if no more than so many can."""
    found: list[bool] = []
    can = len(conditions)
    for condition in conditions:
        if can <= more_than:
            return None
        found.append(_holds(condition, facts))
        can -= not found[-1]
    return found if can > more_than else None


def _tried(rule: Rule, facts: Facts) -> Tried:
    parts = () if rule.when is None else tuple(_parts(rule.when, facts))
    return Tried(rule, parts, _used_up(rule, facts))


def _used_up(rule: Rule, facts: Facts) -> bool:
    return rule.times is not None and facts.fired(rule.name) >= rule.times


def _parts(
    condition: Condition, facts: Facts, groups: Mapping[str, Value] = MappingProxyType({})
) -> Iterator[tuple[Condition, bool]]:
    for part in condition.parts or (condition,):
        yield part, _holds(part, facts, groups)


def _holds(condition: Condition, facts: Facts, groups: Mapping[str, Value] = MappingProxyType({})) -> bool:
    facts.groups = dict(groups)
    return condition.holds(facts)


def _closest(tried: Tried, facts: Facts) -> str:
    rule = tried.rule
    said = [_outcome(part, facts, held=held) for part, held in tried.parts]
    if tried.used_up:
        said.append(f"times = {rule.times} is used up")
    return f'rule "{rule.name}" ({where(rule.place).rpartition(":")[0]}): {"; ".join(said)}'


def _outcome(part: Condition, facts: Facts, *, held: bool) -> str:
    said = f"{_short(part.text)} ({where(part.place)}) was "
    return f"{said}true" if held else f"{said}false{_but(part, facts)}"


def _but(part: Condition, facts: Facts) -> str:
    values = [f"{_short(one.text)} is {shown(one.evaluate(facts), facts)}" for one in part.subjects]
    return f": {', '.join(values)}" if values else ""


# --- where else


def _ended(program: Program, state: str) -> str:
    at = f'scenario "{program.name}", state "{state}"'
    if state in program.final:
        return f"the conversation has ended: {at} is final and has no rules"
    return f"no rule of {at} matches: it has none"


def _elsewhere(program: Program, facts: Facts) -> str:
    """A hint at the first rule of another state that would have matched; those without a condition tell nothing."""
    left = _OTHER_RULES
    for state, rules in program.states.items():
        there = facts.in_state(state)
        for rule in () if state == facts.state else rules[:left]:
            if rule.when is not None and _holds(rule.when, there):
                return f'. In state "{state}" rule "{rule.name}" would match'
        left -= len(rules)
        if left <= 0:
            break
    return ""


def _chain(rules: Iterable[Rule]) -> str:
    return " → ".join(f'"{rule.name}"' for rule in rules)


# --- values


def shown(value: Value, facts: Facts) -> str:
    """A value as the language writes it, shortened, without the request's credentials."""
    text = str(value) if isinstance(value, Duration) else json_text(value)
    return _short(_masked(text, _secrets(facts)))


def _secrets(facts: Facts) -> set[str]:
    held = [facts.headers.get(name) or "" for name in HEADERS] + [facts.query.get("key", "")]
    words = {word for value in held for word in _BETWEEN.split(value) if len(word) > 2}
    return {word for word in words if word.lower() not in ("bearer", "basic")}


def _masked(text: str, secrets: Iterable[str]) -> str:
    """*text* with only the first characters of each secret, in whatever case it stands there."""
    for secret in sorted(secrets, key=len, reverse=True):
        kept = min(4, len(secret) // 3)
        forms = "|".join(re.escape(form) for form in (secret, json_text(secret)[1:-1]))
        text = re.sub(forms, lambda found: f"{found[0][:kept]}…", text, flags=re.IGNORECASE)  # noqa: B023
    return text


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
