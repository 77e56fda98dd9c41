"""Scenarios and conversations as JSON-able data, for people and tests to read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llmposter.core.masking import hidden_key
from llmposter_dsl.program import Duration

if TYPE_CHECKING:
    from llmposter.core.positions import Talk
    from llmposter.core.replay import Player
    from llmposter_dsl.program import Program


def conversation(talk: Talk, player: Player) -> dict[str, Any]:
    """Where a conversation stands."""
    program, stands = player.program, talk.latest
    return {
        "id": talk.id, "session": talk.space.session, "scenario": program.name, "key": _key(talk.space.key, program),
        "state": stands.state, "final": stands.state in program.final, "vars": dict(stands.vars),
        "answers": stands.answers, "requests": talk.requests, "number": talk.number, "began": talk.began,
        "last": talk.last, "forked_from": talk.forked_from, "foreign_from": talk.foreign,
    }  # fmt: skip


def _key(key: str | None, program: Program) -> str | None:
    return key if key is None or program.key is None else hidden_key(key, program.key.text)


def scenario(program: Program) -> dict[str, Any]:
    """What a scenario is made of."""
    return {
        "name": program.name, "description": program.description, "file": program.place.source.name,
        "start": program.start, "final": sorted(program.final), "vars": dict(program.vars),
        "serves": program.serves and program.serves.text, "key": program.key and program.key.text,
        "states": {state: [rule.name for rule in rules] for state, rules in program.states.items()},
        "always": [rule.name for rule in program.always], "otherwise": [rule.name for rule in program.otherwise],
        "embeddings": [rule.name for rule in program.embeddings],
        "moderations": [rule.name for rule in program.moderations], "models": list(program.models),
        "tokens": [] if program.auth is None else [token.name for token in program.auth.tokens],
        "limits": [{limit.what: limit.most, "per": str(Duration(limit.per))} for limit in program.limits],
        "chaos": program.chaos and program.chaos.rate,
        "tools": sorted(program.tools), "examples": [example.name for example in program.examples],
    }  # fmt: skip
