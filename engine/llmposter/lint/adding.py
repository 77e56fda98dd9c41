"""What several runs of `llmposter test` covered, added up; a scenario that has changed meanwhile counts anew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llmposter.lint import overlay

if TYPE_CHECKING:
    from collections.abc import Iterable


def read(data: bytes, name: str) -> list[dict[str, Any]]:
    """The scenarios of a file called *name*, as `coverage.data` gave them.

    Raises:
        overlay.Unfit: it is no such file.
    """
    import json

    overlay.check(data, name)
    found: list[dict[str, Any]] = json.loads(data)["scenarios"]
    return found


def added(before: Iterable[dict[str, Any]], now: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """All scenarios of both, in the order in which they were first covered."""
    found = {(each.get("file"), each["scenario"]): each for each in before}
    for each in now:
        key = each["file"], each["scenario"]
        found[key] = _sum(found[key], each) if key in found else each
    return list(found.values())


def _sum(before: dict[str, Any], now: dict[str, Any]) -> dict[str, Any]:
    if _shape(before) != _shape(now):
        return now
    states = [
        {**new, "requests": new["requests"] + old["requests"]}
        for old, new in zip(before["states"], now["states"], strict=True)
    ]
    rules = [_rule(old, new) for old, new in zip(before["rules"], now["rules"], strict=True)]
    parts = [part for rule in rules for part in rule["branches"]]
    totals = {
        "states": _total(each["requests"] for each in states),
        "rules": _total(len(each["fired"]) for each in rules),
        "branches": _total(part[word] for part in parts for word in ("true", "false")),
    }
    return {**now, "totals": totals, "states": states, "rules": rules}


def _shape(of: dict[str, Any]) -> Any:
    """All that has a number."""
    rules = [(rule["name"], [part.get("condition") for part in rule.get("branches", ())]) for rule in of["rules"]]
    return [state["name"] for state in of["states"]], rules


def _rule(before: dict[str, Any], now: dict[str, Any]) -> dict[str, Any]:
    names = dict.fromkeys([*before["fired"], *now["fired"]])
    fired = {name: before["fired"].get(name, 0) + now["fired"].get(name, 0) for name in names}
    branches = [
        {**new, **{word: old[word] + new[word] for word in ("true", "false")}}
        for old, new in zip(before.get("branches", ()), now["branches"], strict=True)
    ]
    return {**now, "fired": fired, "branches": branches}


def _total(counts: Iterable[int]) -> dict[str, int]:
    every = list(counts)
    return {"covered": sum(count > 0 for count in every), "total": len(every)}
