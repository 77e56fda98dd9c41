"""What a fixture of aimock matches, as conditions; the counters of its `sequenceIndex` as variables."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from llmposter.convert.spelling import literal, pattern

if TYPE_CHECKING:
    from llmposter.convert.draft import Entry

_COUNTED = ("sequenceIndex", "turnIndex")
"""What is not a condition of its own."""


def conditions(entry: Entry, match: Mapping[str, Any]) -> list[str]:
    """Conditions that hold where the fixture matches, its place in the conversation aside."""
    found: list[str] = []
    for name, value in match.items():
        if name in _COUNTED or value is None:
            continue
        condition = _condition(name, value)
        if condition is None:
            entry.lost(f"`match.{name}` cannot be carried over, and is not asked for", "match", name)
        else:
            found += condition
    return found


def _condition(name: str, value: Any) -> list[str] | None:
    match name, value:
        case "userMessage", str():
            return [f"user contains {literal(value)}"] if value else []
        case "systemMessage", str():
            return [f"system contains {literal(value)}"] if value else []
        case "systemMessage", list():
            return [f"system contains {literal(str(each))}" for each in value]
        case "toolCallId", str():
            return ['last == "tool"', f"result.id == {literal(value)}"]
        case "toolResultContains", str():
            return ['last == "tool"', f"result.text contains {literal(value)}"]
        case "hasToolResult", bool():
            return ['last == "tool"' if value else 'last != "tool"']
        case "toolName", str():
            return [f"{literal(value)} in tools"]
        case "model", str():
            # router.js: the model, or one that only adds a date or a version to it
            return [f"model matches {pattern(value, begin='^', end='(-[0-9]|$)')}"]
        case "responseFormat", str():
            return [f"params.response_format.type == {literal(value)}"]
        case "context", str():
            return [f'headers["x-aimock-context"] == {literal(value)}']
        case "endpoint", "chat" | "embedding":
            return []
        case _:
            return None


def of_input(entry: Entry, match: Mapping[str, Any]) -> list[str]:
    """Conditions over an input of embeddings."""
    found = []
    for name, value in match.items():
        match name, value:
            case "inputText", str():
                found.append(f"text contains {literal(value)}")
            case "model", str():
                found += _condition(name, value) or []
            case "endpoint", "embedding":
                continue
            case _:
                entry.lost(f"`match.{name}` of an embedding cannot be carried over", "match", name)
    return found


@dataclass(frozen=True, slots=True)
class Counted:
    """A fixture that answers one request of a row: when, and how the row goes on."""

    condition: str
    set: dict[str, str]


class Sequences:
    """A counter for all fixtures that match alike: each answer of one moves all of them (`journal.js`)."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def of(self, match: Mapping[str, Any]) -> Counted | None:
        """How a fixture is counted, if it is."""
        index = match.get("sequenceIndex")
        if not isinstance(index, int):
            return None
        alike = json.dumps(sorted((name, value) for name, value in match.items() if name not in _COUNTED))
        name = self._names.setdefault(alike, f"sequence_{len(self._names) + 1}" if self._names else "sequence")
        return Counted(f"{name} == {index}", {name: f"{name} + 1"})

    def variables(self) -> dict[str, int]:
        """The counters, each from 0."""
        return dict.fromkeys(self._names.values(), 0)
