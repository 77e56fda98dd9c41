"""Which faults of a rule can never strike, tried on every wire, whole and streamed.

What only a request knows, such as a text that a template fills in, is never a reason: a finding is right or not made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from llmposter.core.conversation import Conversation, Step
from llmposter.core.delivery import damage
from llmposter.core.pattern import json_text
from llmposter.lint.client import Client
from llmposter.model import Failure, Refusal, Reply, Text, Thinking, Tokens, ToolCall
from llmposter_dsl import words
from llmposter_dsl.program import Duration, Fail, Refuse, Say, Template

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from llmposter.model import Part, Wire
    from llmposter_dsl.program import Call, Data, Fault, Program, Rule

_HEAD: Final = ("before headers", "inside headers", "after headers")
_ANYWHERE: Final = (*_HEAD, "everywhere", "before finish", "before the end")
"""Points that every answer has."""
_UNKNOWN: Final = "what only a request knows"
"""Stands for a text that is not known; whatever is counted in it says nothing."""
_ASKED: Final = ("before usage", "events", "bytes")
"""Points that hang on what a request asks for."""


def never(program: Program, rule: Rule, wires: Iterable[Wire]) -> Iterator[tuple[Fault, str]]:
    """Each fault that no answer of the rule gets to on any of these wires, with what the answer lacks."""
    for fault in rule.faults:
        if _known(fault, rule) and not any(_strikes(program, rule, fault, wire) for wire in wires):
            yield fault, _lacks(fault, rule)


def _lacks(fault: Fault, rule: Rule) -> str:
    calls = len(rule.outcome.calls) if isinstance(rule.outcome, Say) else 0
    match fault.point.kind:
        case "between tool calls" | "inside tool arguments":
            return f"the answer has {words.a_number(calls, 'tool call') if calls else 'no tool call'}"
        case "time":
            return f"nothing in the answer waits for {Duration(fault.point.amount)}"
        case _:
            return "the answer is over before"


def _known(fault: Fault, rule: Rule) -> bool:
    """Whether the rule alone decides if an answer has the point."""
    kind = fault.point.kind
    if kind in _ANYWHERE or kind in _ASKED or (kind == "time" and rule.delivery.flow is not None):
        return False
    return kind != "chunks" or _certain(rule)


def _strikes(program: Program, rule: Rule, fault: Fault, wire: Wire) -> bool:
    stands, client = Conversation(program.start), Client(program)
    outcome = _failure(rule.outcome) if isinstance(rule.outcome, Fail) else _reply(rule)
    step = Step(stands, stands, outcome, rule, delivery=rule.delivery, faults=(fault,))
    found = (damage(client.asks(wire, stream=stream), wire, step) for stream in (False, True))
    return any(struck.after is not None for each in found for struck in each.struck)


# --- an answer of the rule, as far as it is known -------------------------------------------------------------------


def _failure(fail: Fail) -> Failure:
    return Failure(name=fail.name, status=fail.status)


def _reply(rule: Rule) -> Reply:
    parts = tuple(_parts(rule.outcome)) if isinstance(rule.outcome, Say | Refuse) else ()
    finish = rule.finish or ("tool_calls" if any(isinstance(part, ToolCall) for part in parts) else "stop")
    return Reply("0" * 24, 0, "example-model", parts, finish, Tokens(1, 1))


def _parts(said: Say | Refuse) -> Iterator[Part]:
    if isinstance(said, Refuse):
        yield Refusal(_text(said.text))
        return
    if said.think is not None:
        yield Thinking(_text(said.think))
    if said.reply is not None:
        yield Text(_text(said.reply))
    if said.json is not None:
        yield Text(_data(said.json), structured=True)
    for number, call in enumerate(said.calls):
        yield ToolCall(f"call_{number}", call.tool, _arguments(call))


def _arguments(call: Call) -> str:
    if isinstance(call.arguments, Template):
        return json_text({"unknown": _UNKNOWN}) if call.arguments.constant is None else call.arguments.constant
    return _data(call.arguments)


def _text(template: Template) -> str:
    return _UNKNOWN if template.constant is None else template.constant


def _data(data: Data) -> str:
    return json_text(data.build(None)) if data.constant else json_text({"unknown": _UNKNOWN})  # type: ignore[arg-type]


def _certain(rule: Rule) -> bool:
    """All that the rule says is known."""
    said = rule.outcome
    if isinstance(said, Refuse):
        return said.text.constant is not None
    if not isinstance(said, Say):
        return True
    templates = [said.think, said.reply, *(call.arguments for call in said.calls)]
    data = [said.json, *(each for each in templates if not isinstance(each, Template))]
    texts = [each for each in templates if isinstance(each, Template)]
    return all(each.constant is not None for each in texts) and all(each is None or each.constant for each in data)
