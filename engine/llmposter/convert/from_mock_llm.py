"""Rules of mock-llm (`@dwmkerr/mock-llm` 0.1, its `server.ts`, `template.ts` and `streaming.ts`), read from YAML.

The last rule that matches answers there, so the order is turned round. Conditions and templates stay about `body`, as
they were written.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from llmposter.convert import jmespath
from llmposter.convert.draft import Converted, Draft, Entry
from llmposter.convert.mock_llm_answer import answer
from llmposter.convert.shapes import MockLlmRule, Number, misshapen
from llmposter.convert.spelling import every, milliseconds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llmposter_dsl.tree import Document

_CHAT = "/v1/chat/completions"


def converted(documents: Sequence[Document]) -> Converted:
    """The scenario that the rules are."""
    draft = Draft(documents, "mock-llm")
    entries = draft.entries("rules", MockLlmRule)
    for entry in reversed(entries):
        if not _is_chat(entry):
            draft.leave_out(entry)
            continue
        rule = _rule(draft, entry)
        draft.answer(rule, entry)
    _whole(draft, documents)
    return draft.finished()


def _whole(draft: Draft, documents: Sequence[Document]) -> None:
    """What holds for all rules."""
    streaming: dict[str, float] = {}
    for document in documents:
        for name, value in document.data.items():
            if name == "streaming" and misshapen(value, dict[str, Number]) is None:
                streaming |= value
            elif name != "rules":
                draft.whole(document, name, f"`{name}` cannot be carried over")
    between = milliseconds(streaming.get("chunkIntervalMs", 50))
    chunk = f"{streaming.get('chunkSize', 50)} characters"
    draft.defaults["stream"] = {"chunk": chunk, "ttft": between, "pace": between}
    if draft.vars:
        # Its counter is one for all requests.
        draft.share("rules", '"all"')


def _is_chat(entry: Entry) -> bool:
    path, method = entry.value["path"], entry.value.get("method")
    try:
        fits = re.search(path, _CHAT) is not None
    except re.error:
        fits = False
    if not fits:
        entry.lost(f"only answers at `{_CHAT}` are carried over, not those at `{path}`", "path")
    elif method is not None and method.upper() != "POST":
        entry.lost(f"a chat is asked for with POST, not with {method}", "method")
        fits = False
    return fits


def _rule(draft: Draft, entry: Entry) -> dict[str, Any]:
    conditions = [_condition(entry)]
    sequence = entry.value.get("sequence")
    counted: dict[str, Any] = {}
    if isinstance(sequence, int):
        draft.vars["sequence"] = 0
        conditions.append(f"sequence == {sequence}")
        counted = {"set": {"sequence": "sequence + 1"}}
    when = every(each for each in conditions if each)
    return ({"when": when} if when else {}) | counted | answer(entry, entry.value["response"])


def _condition(entry: Entry) -> str | None:
    match = entry.value.get("match")
    if match is None:
        return None
    if re.match(r"[^()]*\[\?", str(match)):
        # `if (result)` in server.ts: an empty list is true in JavaScript.
        entry.otherwise("a filter that finds nothing is no match; mock-llm takes the empty list for one", "match")
    try:
        return jmespath.condition(str(match))
    except jmespath.Cannot as cannot:
        entry.lost(f"{cannot}; this rule never fires", "match")
        return "false"
