"""The JSON text that a rule of mock-llm answers with, and its templates, as the keys of a rule."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from llmposter.convert import jmespath
from llmposter.convert.calls import call
from llmposter.convert.shapes import ChatMessage, misshapen
from llmposter.convert.spelling import template

if TYPE_CHECKING:
    from llmposter.convert.draft import Entry

_TEMPLATE: Final = re.compile(r"\{\{(?:timestamp|jmes\s+(\w+)\s+([^}]+))\}\}")
_MARK: Final = re.compile("\ue000(\\d+)\ue001")
_LEXEME: Final = re.compile('"(?:\\\\.|[^"\\\\])*"|\ue000\\d+\ue001', re.DOTALL)
_FINISH: Final = frozenset(("stop", "length", "tool_calls", "content_filter"))


def answer(entry: Entry, response: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of a rule that say the answer."""
    status, content = response.get("status") or 200, response["content"]
    body, expressions = _parsed(entry, content)
    match body:
        case {"error": dict(error)} if 400 <= status <= 599:
            made = _error(status, error)
        case {"choices": [dict(choice), *others]} if misshapen(choice.get("message"), ChatMessage | str | None) is None:
            if others:
                entry.lost("only the first of `choices` is carried over", "response", "content")
            if status != 200:
                entry.otherwise(f"the answer has the status 200 in place of {status}", "response", "status")
            made = _said(entry, body, choice)
        case _:
            return _sent(entry, status, content)
    filled: dict[str, Any] = _filled(made, expressions)
    return filled


def _parsed(entry: Entry, content: str) -> tuple[Any, list[str]]:
    """The JSON, with a mark for each template, and the expression for each mark."""
    expressions: list[str] = []

    def mark(found: re.Match[str]) -> str:
        expressions.append(_expression(entry, found))
        return f"\ue000{len(expressions) - 1}\ue001"

    marked = _TEMPLATE.sub(mark, content)
    # A template outside of a text is a value of its own.
    quoted = _LEXEME.sub(lambda found: found[0] if found[0][0] == '"' else f'"{found[0]}"', marked)
    try:
        return json.loads(quoted), expressions
    except ValueError:
        return None, expressions


def _expression(entry: Entry, found: re.Match[str]) -> str:
    if found[1] is None:
        return "now()"
    try:
        if found[1] == "request":
            return jmespath.value(found[2])
        entry.lost(f"there is nothing but `request` to ask, not `{found[1]}`", "response", "content")
    except jmespath.Cannot as cannot:
        entry.lost(f"{cannot}; nothing is said in its place", "response", "content")
    return "null"


def _filled(value: Any, expressions: list[str]) -> Any:
    match value:
        case str():
            return _MARK.sub(lambda found: f"${{{expressions[int(found[1])]}}}", value)
        case dict():
            return {name: _filled(each, expressions) for name, each in value.items()}
        case list():
            return [_filled(each, expressions) for each in value]
        case _:
            return value


def _error(status: int, error: Mapping[str, Any]) -> dict[str, Any]:
    known = {name: template(str(error[name])) for name in ("type", "code", "message") if error.get(name) is not None}
    return {"error": {"status": status} | known}


def _said(entry: Entry, body: Mapping[str, Any], choice: Mapping[str, Any]) -> dict[str, Any]:
    message, rule = choice.get("message"), dict[str, Any]()
    if not isinstance(message, dict):
        entry.lost("a message that is a part of the request cannot be said", "response", "content")
        message = {}
    if isinstance(message.get("content"), str):
        rule["reply"] = template(message["content"])
    if isinstance(message.get("refusal"), str):
        rule = {"refuse": template(message["refusal"])}
    calls = [_call(each) for each in message.get("tool_calls") or ()]
    if calls:
        rule["call"] = calls[0] if len(calls) == 1 else calls
    finish = choice.get("finish_reason")
    if finish in _FINISH and finish != ("tool_calls" if calls else "stop"):
        rule["finish"] = finish
    model = body.get("model")
    if isinstance(model, str) and not _MARK.search(model):
        entry.otherwise(f"the answer names the model that was asked for, not `{model}`", "response", "content")
    return ({} if rule else {"reply": ""}) | rule | _usage(body.get("usage"))


def _call(each: Mapping[str, Any]) -> dict[str, Any]:
    function = each["function"]
    return call(function.get("name", ""), function.get("arguments"), each.get("id"))


def _usage(usage: Any) -> dict[str, Any]:
    usage = usage if isinstance(usage, dict) else {}
    names = (("input", "prompt_tokens"), ("output", "completion_tokens"))
    known = {ours: usage[theirs] for ours, theirs in names if isinstance(usage.get(theirs), int)}
    return {"usage": known} if known else {}


def _sent(entry: Entry, status: Any, content: str) -> dict[str, Any]:
    """A body that is no chat's is sent as it is written."""
    if _TEMPLATE.search(content):
        entry.lost("templates of a body that is no answer of a chat are sent as they are", "response", "content")
    body = json.dumps(content.strip(), ensure_ascii=False)
    return {"fault": f"send {status} {body} as application/json"}
