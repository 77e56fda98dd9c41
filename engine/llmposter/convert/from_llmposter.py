"""Fixture files of llmposter's Rust program, as `llmposter.fixtures` reads them.

Priority and `catch_all` are order; a `scenario` is a variable.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llmposter.convert import llmposter_answer, llmposter_match
from llmposter.convert.draft import Converted, Draft, Entry
from llmposter.convert.spelling import every

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llmposter.fixtures.model import Fixture
    from llmposter_dsl.diagnostic import Diagnostic
    from llmposter_dsl.tree import Document


def converted(documents: Sequence[Document]) -> Converted | tuple[Diagnostic, ...]:
    """The scenario that the fixtures are, or what is wrong with them."""
    from llmposter.fixtures.reading import of_document

    read = [of_document(document) for document in documents]
    files = [file for file, _ in read if file is not None and file.whole]
    if len(files) < len(read):
        return tuple(each for _, found in read for each in found)
    draft = Draft(documents, "llmposter 0.5")
    entries = draft.entries("fixtures", dict[str, Any])
    fixtures = [fixture for file in files for fixture in file.fixtures]
    states = llmposter_match.States(fixtures)
    for fixture, entry in sorted(zip(fixtures, entries, strict=True), key=lambda pair: _order(pair[0])):
        _answer(draft, fixture, entry, states)
    draft.vars |= dict.fromkeys(states.names.values(), "")
    if any(fixture.state is not None and fixture.shared for fixture in fixtures):
        # Such states are one for all requests.
        draft.share("fixtures", '"all"')
    return draft.finished()


def _order(fixture: Fixture) -> tuple[bool, int]:
    return fixture.catch_all, -fixture.priority


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
