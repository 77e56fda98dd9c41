"""Fixture files of llmposter's Rust program, as `llmposter.fixtures` reads them.

Priority and `catch_all` are order; a `scenario` is a variable.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llmposter.convert import llmposter_answer, llmposter_match
from llmposter.convert.draft import Converted, Draft, Entry
from llmposter.convert.spelling import every

if TYPE_CHECKING:
    from llmposter.fixtures.model import Fixture, FixtureFile
    from llmposter_dsl.diagnostic import Diagnostic
    from llmposter_dsl.tree import Document


def converted(document: Document) -> Converted | tuple[Diagnostic, ...]:
    """The scenario that the fixtures are, or what is wrong with them."""
    from llmposter.fixtures.reading import of_document

    file, found = of_document(document)
    if file is None or not file.whole:
        return tuple(found)
    draft = Draft(document, "llmposter 0.5")
    entries = draft.entries("fixtures", dict[str, Any])
    states = llmposter_match.States(file.fixtures)
    pairs = sorted(zip(file.fixtures, entries, strict=True), key=lambda pair: _order(pair[0]))
    for fixture, entry in pairs:
        _answer(draft, fixture, entry, states)
    _whole(draft, file, states)
    return draft.finished()


def _order(fixture: Fixture) -> tuple[bool, int]:
    return fixture.catch_all, -fixture.priority


def _whole(draft: Draft, file: FixtureFile, states: llmposter_match.States) -> None:
    draft.vars |= dict.fromkeys(states.names.values(), "")
    if states.names and file.state == "global":
        # The states are one for all requests.
        draft.share("fixtures", '"all"')


def _answer(draft: Draft, fixture: Fixture, entry: Entry, states: llmposter_match.States) -> None:
    conditions = llmposter_match.conditions(entry, fixture, states)
    response = fixture.response
    if response is not None and response.embedding is not None:
        inputs = every(llmposter_match.of_input(entry, fixture))
        draft.embed(({"when": inputs} if inputs else {}) | {"vector": list(response.embedding)}, entry)
        if response.content is None and response.content_template is None and not response.tool_calls:
            return
    moved = states.move(fixture)
    outcome = llmposter_answer.outcome(entry, fixture) | llmposter_answer.delivery(entry, fixture)
    if faults := llmposter_answer.of_streams(entry, fixture):
        draft.answer(_rule([*conditions, "stream"], moved, outcome | {"fault": faults}), entry)
    draft.answer(_rule(conditions, moved, outcome), entry)


def _rule(conditions: list[str], moved: dict[str, str], outcome: dict[str, Any]) -> dict[str, Any]:
    when = every(conditions)
    return ({"when": when} if when else {}) | ({"set": moved} if moved else {}) | outcome
