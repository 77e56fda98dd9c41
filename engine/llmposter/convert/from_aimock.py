"""Fixtures of aimock (`@copilotkit/aimock` 1.43, its `types.d.ts`, `router.js` and `journal.js`), read from JSON.

The first fixture that matches answers there too; `turnIndex` and `sequenceIndex` are told by order and by variables.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llmposter.convert import aimock_answer, aimock_match, aimock_turns
from llmposter.convert.draft import Converted, Draft, Entry
from llmposter.convert.shapes import AimockFixture
from llmposter.convert.spelling import every

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llmposter_dsl.tree import Document

_ENDPOINTS = ("chat", "embedding")
_SILENT = frozenset(("match", "response", "metadata"))
_DELIVERY = frozenset((
    "latency", "chunkSize", "truncateAfterChunks", "disconnectAfterMs", "streamingProfile", "chaos",
))  # fmt: skip


def converted(documents: Sequence[Document]) -> Converted:
    """The scenario that the fixtures are."""
    draft = Draft(documents, "aimock")
    sequences = aimock_match.Sequences()
    fixtures = []
    for entry in draft.entries("fixtures", AimockFixture):
        _unknown(entry)
        match, response = entry.value.get("match") or {}, entry.value["response"]
        if isinstance(response.get("embedding"), list):
            _embedding(draft, entry, match, response)
        elif _answers(entry, match, response):
            fixtures.append(aimock_turns.Fixture(entry, aimock_match.conditions(entry, match), match.get("turnIndex")))
        else:
            draft.leave_out(entry)
    for entry, conditions in aimock_turns.in_order(fixtures):
        _answer(draft, entry, conditions, sequences)
    draft.vars |= sequences.variables()
    if draft.vars:
        # Its counters are one for all conversations of an `X-Test-Id`.
        draft.share("fixtures", 'default(headers["x-test-id"], "all")')
    return draft.finished()


def _answers(entry: Entry, match: dict[str, Any], response: dict[str, Any]) -> bool:
    """Whether it answers a chat; what it answers else is told."""
    endpoint = match.get("endpoint")
    if endpoint is not None and endpoint not in _ENDPOINTS:
        entry.lost(f"the endpoint `{endpoint}` is not served here; the fixture is left out", "match", "endpoint")
        return False
    if {"content", "toolCalls", "blocks", "error"}.isdisjoint(response):
        kinds = ", ".join(f"`{name}`" for name in response)
        entry.lost(f"an answer of {kinds or 'nothing'} cannot be given; the fixture is left out", "response")
        return False
    if "inputText" in match:
        entry.lost("`inputText` matches embeddings alone; the fixture is left out", "match", "inputText")
        return False
    return True


def _unknown(entry: Entry) -> None:
    for name in entry.value:
        if name not in _SILENT | _DELIVERY:
            entry.lost(f"`{name}` cannot be carried over", name)


def _embedding(draft: Draft, entry: Entry, match: dict[str, Any], response: dict[str, Any]) -> None:
    conditions = aimock_match.of_input(entry, match)
    for name in ("latency", "chaos"):
        if name in entry.value:
            entry.lost(f"`{name}` of an embedding cannot be carried over", name)
    when = every(conditions)
    draft.embed(({"when": when} if when else {}) | {"vector": response["embedding"]}, entry)


def _answer(draft: Draft, entry: Entry, conditions: list[str], sequences: aimock_match.Sequences) -> None:
    match, response = entry.value.get("match") or {}, entry.value["response"]
    counted = sequences.of(match)
    if counted is not None:
        conditions = [*conditions, counted.condition]
    for condition, outcome in aimock_answer.chaos(entry):
        draft.answer(_rule([*conditions, condition], outcome, counted), entry)
    outcome = aimock_answer.outcome(entry, response) | aimock_answer.delivery(entry)
    if faults := aimock_answer.faults(entry):
        # Streams alone are broken off there.
        draft.answer(_rule([*conditions, "stream"], outcome | {"fault": faults}, counted), entry)
    draft.answer(_rule(conditions, outcome, counted), entry)


def _rule(conditions: list[str], outcome: dict[str, Any], counted: aimock_match.Counted | None) -> dict[str, Any]:
    when = every(conditions)
    rule = {"when": when} if when else {}
    return rule | ({"set": counted.set} if counted else {}) | outcome
