"""Scenarios with one mistake each, as an author makes them.

A mutant is data: it is written as JSON, which YAML reads. Everything is drawn from a `random.Random`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from random import Random
from typing import Any, NamedTuple

from llmposter_dsl import keys
from llmposter_dsl.names import GROUPS

Data = dict[str, Any]


class Mutant(NamedTuple):
    """A scenario with one mistake.

    Attributes:
        breaks: it is no scenario any more, by what the language is.
    """

    data: Data
    what: str
    breaks: bool


def mutant(scenario: Data, draw: Random) -> Mutant:
    """One of them; each kind of mistake is as likely as the others, where the scenario has room for it."""
    while True:
        data = deepcopy(scenario)
        made = draw.choice(KINDS)(data, draw)
        if made is not None:
            return Mutant(data, *made)


def text_of(data: Data) -> str:
    """The scenario as a file, in JSON."""
    return json.dumps(data, ensure_ascii=False)


Kind = Callable[[Data, Random], "tuple[str, bool] | None"]


def _lists(data: Data) -> Iterator[list[Data]]:
    for name in GROUPS:
        yield data.get(name, [])
    yield from data.get("states", {}).values()


def rules_of(data: Data, *having: str) -> list[Data]:
    return [rule for rules in _lists(data) for rule in rules if all(name in rule for name in having)]


def _dangling(data: Data) -> bool:
    """Whether a state is named that is none: it has no rules, and is not both final and gone to."""
    final = set(data.get("scenario", {}).get("final", []))
    gone = {rule.get("goto") for rule in rules_of(data)}
    return bool(_named(data) - set(data["states"]) - (final & gone) - {None, *keys.FOREIGN})


def _named(data: Data) -> set[str | None]:
    """The states that something names."""
    scenario = data.get("scenario", {})
    turns = [turn for each in data.get("examples", []) for turn in each.get("turns", [])]
    found = {rule.get("goto") for rule in rules_of(data)} | {turn.get("state") for turn in turns}
    return found | {scenario.get("start"), scenario.get("foreign"), *scenario.get("final", [])}


def _rename_state(data: Data, draw: Random) -> tuple[str, bool]:
    name = draw.choice(list(data["states"]))
    other = _misspelt(name, draw, set(data["states"]))
    data["states"] = {other if each == name else each: rules for each, rules in data["states"].items()}
    return f"renamed the state {name}", _dangling(data)


def _swap_rules(data: Data, draw: Random) -> tuple[str, bool] | None:
    lists = [rules for rules in _lists(data) if len(rules) > 1]
    if not lists:
        return None
    rules = draw.choice(lists)
    at = draw.randrange(len(rules) - 1)
    rules[at], rules[at + 1] = rules[at + 1], rules[at]
    return f"swapped two rules before {rules[at]}", False


_REGEX = re.compile(r"(?<=matches )/(?:\\.|[^/\\])+/")


def _break_regex(data: Data, draw: Random) -> tuple[str, bool] | None:
    rules = [rule for rule in rules_of(data, "when") if _REGEX.search(rule["when"])]
    if not rules:
        return None
    rule = draw.choice(rules)
    bad = draw.choice(("(", "[", "*", "(?<x", "\\p{Nothing}", "a{2,1}"))
    rule["when"] = _REGEX.sub(lambda found: f"/{bad}{found[0][1:]}", rule["when"], count=1)
    return f"broke the regular expression of {rule['when']}", True


def _drop_goto(data: Data, draw: Random) -> tuple[str, bool] | None:
    rules = rules_of(data, "goto")
    if not rules:
        return None
    rule = draw.choice(rules)
    state = rule.pop("goto")
    silent = not any(name in rule for name in (*keys.OUTCOMES, "fault"))
    return f"dropped the goto to {state}", silent or _dangling(data)


def _turn_goto(data: Data, draw: Random) -> tuple[str, bool] | None:
    rules = [rule for rule in rules_of(data, "goto") if set(data["states"]) - {rule["goto"]}]
    if not rules:
        return None
    rule = draw.choice(rules)
    was, rule["goto"] = rule["goto"], draw.choice(sorted(set(data["states"]) - {rule["goto"]}))
    return f"turned the goto to {was} to {rule['goto']}", _dangling(data)


def _tables(value: Any) -> Iterator[Data]:
    """Tables whose keys are the language's own."""
    yield value
    if "scenario" in value:
        yield value["scenario"]
    yield from rules_of(value)
    for each in value.get("examples", []):
        yield each
        yield from each.get("turns", [])


def _misspell_key(data: Data, draw: Random) -> tuple[str, bool]:
    table = draw.choice([each for each in _tables(data) if each])
    name = draw.choice(list(table))
    other = _misspelt(name, draw, {*keys.DOCUMENT, *keys.RULE, *keys.SCENARIO, *keys.EXAMPLE, *keys.TURN})
    table[other] = table.pop(name)
    return f"misspelt the key {name} as {other}", True


def _misspelt(name: str, draw: Random, known: set[str]) -> str:
    while True:
        at, letter = draw.randrange(len(name)), draw.choice("abcdefghijklmnopqrstuvwxyz")
        other = draw.choice(
            (name[:at] + name[at + 1 :], name[:at] + letter + name[at:], name[:at] + letter + name[at + 1 :])
        )
        if other and other not in known and other.strip("-") == other:
            return other


_TYPES: dict[type, tuple[Any, ...]] = {
    str: (7, True, {"a": 1}, None),
    bool: ("true", 1.5, []),
    int: ("7", [7], None),
    float: ("7.5", [7], None),
    list: ("a", 7, None),
    dict: ("a", 7.5, [1]),
}


def _change_type(data: Data, draw: Random) -> tuple[str, bool] | None:
    table = draw.choice([each for each in _tables(data) if each])
    name = draw.choice(list(table))
    forms = [group[name].form for group in _groups(data, table) if name in group]
    others = [each for each in _TYPES[type(table[name])] if all(type(each) not in form.types for form in forms)]
    if not forms or not others:
        return None
    table[name] = draw.choice(others)
    return f"changed the type of {name} to {table[name]!r}", True


def _groups(data: Data, table: Data) -> list[Any]:
    if table is data:
        return [keys.DOCUMENT]
    if table is data.get("scenario"):
        return [keys.SCENARIO]
    if any(table is rule for rule in rules_of(data)):
        return [keys.RULE]
    return [keys.EXAMPLE if "turns" in table else keys.TURN]


def _drop_rule(data: Data, draw: Random) -> tuple[str, bool] | None:
    lists = [rules for rules in _lists(data) if len(rules) > 1]
    if not lists:
        return None
    rules = draw.choice(lists)
    gone = rules.pop(draw.randrange(len(rules)))
    return f"dropped {gone}", _dangling(data) or _in_vain(data, gone)


def _in_vain(data: Data, gone: Data) -> bool:
    """Whether something still asks how often this rule fired, or gives the result of a tool that it alone calls."""
    conditions = [rule["when"] for rule in rules_of(data, "when")]
    if any(f'fired("{gone.get("name")}")' in when for when in conditions):
        return True
    call = gone.get("call")
    tool = call.get("tool") if isinstance(call, dict) and call.get("undeclared") else None
    turns = [turn for each in data.get("examples", []) for turn in each.get("turns", [])]
    return tool is not None and any(turn.get("tool") == tool for turn in turns)


def _weaken_when(data: Data, draw: Random) -> tuple[str, bool] | None:
    rules = [rule for rule in rules_of(data, "when") if not _REGEX.search(rule["when"])]
    if not rules:
        return None
    rule = draw.choice(rules)
    was = rule["when"]
    if draw.random() < 0.5:
        del rule["when"]
        return f"dropped the condition {was}", False
    rule["when"] = f"not ({was})"
    return f"turned the condition {was} round", False


def _change_number(data: Data, draw: Random) -> tuple[str, bool] | None:
    number = re.compile(r"(?<=[=<>] )\d+(?!\w)")
    rules = [rule for rule in rules_of(data, "when") if number.search(rule["when"])]
    if not rules:
        return None
    rule = draw.choice(rules)
    was = rule["when"]
    by = draw.choice((-1, 1))
    rule["when"] = number.sub(lambda found: str(max(0, int(found[0]) + by)), was, count=1)
    return f"changed {was} to {rule['when']}", False


KINDS: tuple[Kind, ...] = (
    _rename_state, _swap_rules, _break_regex, _drop_goto, _turn_goto, _misspell_key, _change_type, _drop_rule,
    _weaken_when, _change_number,
)  # fmt: skip
