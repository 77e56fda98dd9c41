"""Rules of fakellm (0.3, its `config.py`, `matcher.py` and `_state.py`), read from YAML.

The first rule that matches answers there too. A turn is a request of the conversation, answered or not, so a variable
counts them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from llmposter.convert.calls import call
from llmposter.convert.draft import Converted, Draft, Entry
from llmposter.convert.shapes import FakellmRule
from llmposter.convert.spelling import Either, every, literal, pattern, template

if TYPE_CHECKING:
    from llmposter_dsl.tree import Document

_TURN = "request"
_KEY = 'default(headers["x-fakellm-conversation-id"], messages[0].text)'
"""`_state.py`: a conversation is known by this header, or by what its user said first."""
_ECHO = "[mock response for ${model}]"


def converted(documents: Sequence[Document]) -> Converted:
    """The scenario that the rules are."""
    draft = Draft(documents, "fakellm")
    entries = draft.entries("rules", FakellmRule)
    turns = any(not {"turn", "turn_in"}.isdisjoint(_table(entry, "when")) for entry in entries)
    for entry in entries:
        rule = _rule(entry, turns=turns)
        draft.answer(rule, entry)
    if all("when" in rule for rule, _ in draft.rules):
        draft.remain(_counted({"name": "nothing matched", "reply": _ECHO}, turns=turns))
    if turns:
        draft.vars[_TURN] = 1
        draft.share("rules", _KEY)
    return draft.finished()


def _table(entry: Entry, name: str) -> dict[str, Any]:
    return entry.value.get(name) or {}


def _rule(entry: Entry, *, turns: bool) -> dict[str, Any]:
    when = every(_conditions(entry))
    rule: dict[str, Any] = {"name": entry.value["name"]} if isinstance(entry.value.get("name"), str) else {}
    rule |= {"when": when} if when else {}
    return _counted(rule | _answer(entry, _table(entry, "respond")), turns=turns)


def _counted(rule: dict[str, Any], *, turns: bool) -> dict[str, Any]:
    return rule | ({"set": {_TURN: f"{_TURN} + 1"}} if turns else {})


def _conditions(entry: Entry) -> Iterator[str]:
    for name, value in _table(entry, "when").items():
        condition = _condition(name, value)
        if condition is None:
            entry.lost(f"`when.{name}` cannot be carried over, and is not asked for", "when", name)
        elif condition:
            yield condition


def _condition(name: str, value: Any) -> str | None:
    """The condition, empty for one that always holds, None for one that there is not."""
    match name, value:
        case "messages_contain", str():
            found = f"matches {pattern(value, ignoring_case=True)}"
            said = f"any(messages, it.text {found} or any(it.results, it.text {found}))"
            return Either(f"system {found} or {said}") if value else ""
        case "model_matches", str():
            return _model(value)
        case "tools_include", str():
            return f"{literal(value)} in tools"
        case "turn", int():
            return f"{_TURN} == {value}"
        case "turn_in", [int(low), int(high)]:
            return f"{_TURN} >= {low} and {_TURN} <= {high}"
        case "previous_message_role", str():
            return _role_before(value)
        case "previous_message_contains", str():
            found = f"matches {pattern(value, ignoring_case=True)}"
            return Either(f"messages[-2].text {found} or any(default(messages[-2].results, []), it.text {found})")
        case "tool_result_contains", str():
            found = f"matches {pattern(value, ignoring_case=True)}"
            return f"any(messages, any(it.results, it.text {found}))"
        case _ if name.startswith("header."):
            return f"headers[{literal(name.removeprefix('header.').lower())}] == {literal(str(value))}"
        case _:
            return None


def _model(glob: str) -> str:
    before, star, after = glob.partition("*")
    if not star:
        return f"model == {literal(glob)}"
    if not after:
        return f"model starts with {literal(before)}" if before else ""
    parts = [pattern(part)[1:-1] for part in glob.split("*")]
    return f"model matches /^{'.*'.join(parts)}$/"


def _role_before(role: str) -> str:
    if role == "system":
        return 'len(messages) == 1 and system != ""'
    return f"messages[-2].role == {literal(role)}"


def _answer(entry: Entry, respond: Mapping[str, Any]) -> dict[str, Any]:
    status = respond.get("status") or 200
    if 400 <= status <= 599:
        message = template(str(respond.get("error") or "Mock error"))
        return {"error": {"status": status, "type": "mock_error", "message": message}}
    rule: dict[str, Any] = {}
    if isinstance(respond.get("content"), str):
        rule["reply"] = template(respond["content"])
    calls = [call(str(each.get("name", "")), each.get("arguments")) for each in respond.get("tool_calls") or ()]
    if calls:
        rule["call"] = calls[0] if len(calls) == 1 else calls
    if calls and "reply" in rule:
        sentence = "the text is said beside the calls to every client, there to those of Anthropic alone"
        entry.otherwise(sentence, "respond", "content")
    elif calls:
        entry.otherwise("clients of Anthropic get the calls without an echo beside them", "respond", "tool_calls")
    if not rule:
        entry.otherwise("the answer has no fingerprint of the request", "respond")
        rule["reply"] = _ECHO
    return rule
