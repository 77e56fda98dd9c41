"""Scenarios that nobody thought of, one state for each turn, with what is to be heard of them (hypothesis)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from hypothesis import strategies as st
from random_replies import SPELT_ALIKE, compact
from random_replies import TEXTS as ANY_TEXTS

TEXTS = ANY_TEXTS.filter(str.strip)
"""White space alone is a breach for Anthropic, whoever says it."""
TOOLS = st.sampled_from(["get_weather", "now"])
UNITS = ("characters", "tokens", "words")


class Said(NamedTuple):
    """One turn: what the agent sends, what the rule answers, and whether a 429 comes first.

    Attributes:
        user: sent if the last answer called no tool; else each of `results` is, one for each call.
        echo: the text tells what was sent.
    """

    user: str
    results: tuple[str, str]
    reply: str | None
    echo: bool
    think: str | None
    json: dict[str, Any] | None
    calls: tuple[tuple[str, dict[str, Any]], ...]
    refuse: str | None
    chunk: str
    refused_first: bool


@st.composite
def _turn(draw: st.DrawFn) -> Said:
    refuse = draw(TEXTS) if draw(st.integers(0, 7)) == 0 else None
    calls = () if refuse else tuple(draw(st.lists(st.tuples(TOOLS, SPELT_ALIKE), max_size=2)))
    # Beside a text it makes two, which some providers run together: a history of another size (test_echo.py has both).
    data = None if refuse or draw(st.integers(0, 3)) else draw(SPELT_ALIKE)
    return Said(
        user=draw(TEXTS),
        results=(draw(TEXTS), draw(TEXTS)),
        reply=None if refuse or data is not None else draw(st.none() | TEXTS if calls else TEXTS),
        echo=draw(st.booleans()),
        think=None if refuse else draw(st.none() | TEXTS),
        json=data,
        calls=calls,
        refuse=refuse,
        chunk=draw(st.just("whole") | st.builds("{} {}".format, st.integers(1, 9), st.sampled_from(UNITS))),
        refused_first=draw(st.integers(0, 5)) == 0,
    )


SCENARIOS = st.lists(_turn(), min_size=1, max_size=4)


def written(turns: list[Said], path: Path) -> Path:
    """The scenario as a file."""
    states = {f"s{number}": _rules(turns, number) for number in range(len(turns))}
    whole = {"scenario": {"name": "random", "final": ["end"]}, "states": states}
    path.write_text(_yaml(whole), encoding="utf-8")
    return path


def _rules(turns: list[Said], number: int) -> list[dict[str, Any]]:
    turn, before = turns[number], turns[number - 1] if number else None
    expect = [f"turn == {number + 1}", f"len(results) == {len(before.calls) if before else 0}"]
    last = "${result.text}" if before and before.calls else "${user}"
    rule: dict[str, Any] = {"expect": expect, "stream": {"chunk": turn.chunk}}
    rule["goto"] = f"s{number + 1}" if number + 1 < len(turns) else "end"
    if turn.refuse is not None:
        rule["refuse"] = _template(turn.refuse)
    if turn.think is not None:
        rule["think"] = _template(turn.think)
    if turn.reply is not None:
        rule["reply"] = _template(turn.reply) + (last if turn.echo else "")
    if turn.json is not None:
        rule["json"] = _templates(turn.json)
    if turn.calls:
        rule["call"] = [{"tool": tool, "arguments": _templates(arguments)} for tool, arguments in turn.calls]
    busy = {"when": "attempt == 1", "error": {"name": "rate_limited", "retry_after": "1ms"}}
    return [busy, rule] if turn.refused_first else [rule]


def texts(turns: list[Said], number: int) -> tuple[str, ...]:
    """The texts of the answer to this turn."""
    turn, before = turns[number], turns[number - 1] if number else None
    last = before.results[len(before.calls) - 1] if before and before.calls else turn.user
    if turn.json is not None:
        return (compact(turn.json),)
    return () if turn.reply is None else (turn.reply + (last if turn.echo else ""),)


def _template(text: str) -> str:
    return text.replace("${", "$${")


def _templates(value: Any) -> Any:
    match value:
        case str():
            return _template(value)
        case dict():
            return {name: _templates(inner) for name, inner in value.items()}
        case list():
            return [_templates(inner) for inner in value]
        case _:
            return value


def _yaml(value: Any) -> str:
    """In the flow style, which is JSON but for the escapes of what stands above the 16-bit plane."""
    match value:
        case str():
            return '"' + "".join(map(_character, value)) + '"'
        case dict():
            return "{" + ", ".join(f"? {_yaml(name)} : {_yaml(inner)}" for name, inner in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(_yaml, value)) + "]"
        case _:
            return json.dumps(value)


def _character(character: str) -> str:
    return (
        character
        if character.isascii() and character.isprintable() and character not in '"\\'
        else f"\\U{ord(character):08x}"
    )
