"""What a rule says, made into an answer; and whether an answer is the one that a history shows.

Pure: ids are derived from the place in the conversation, so that the same request gets the same bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

import msgspec

from llmposter.core import tokens
from llmposter.core.facts import parsed
from llmposter.model import Failure, Refusal, Reply, Text, Thinking, ToolCall
from llmposter_dsl.program import Call, Fail, Refuse, Say, Template

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llmposter.core.chance import Chance
    from llmposter.core.conversation import Step
    from llmposter.core.facts import Facts
    from llmposter.model import Message, Part, Turn
    from llmposter_dsl.program import Rule, Value


def build(rule: Rule, turn: Turn, facts: Facts, chance: Chance) -> Reply | Failure:
    """What *rule* answers; it has an outcome."""
    match rule.outcome:
        case Fail() as fail:
            return failure(fail, facts)
        case Say() | Refuse() as said:
            parts = tuple(_parts(said, facts, chance))
        case None:
            raise ValueError(f"rule {rule.name!r} passes through and has no answer")
        case _:
            assert_never(rule.outcome)
    return Reply(
        id=chance.name("reply"),
        created=int(chance.moment.now),
        model=turn.model,
        parts=parts,
        finish=rule.finish or ("tool_calls" if any(isinstance(p, ToolCall) for p in parts) else "stop"),
        tokens=tokens.counted(turn, parts, rule.usage),
        headers=tuple((name, template.render(facts)) for name, template in rule.headers),
    )


def failure(fail: Fail, facts: Facts) -> Failure:
    """The error as the rule words it."""
    return Failure(
        name=fail.name,
        status=fail.status,
        type=fail.type,
        code=fail.code,
        message=None if fail.message is None else fail.message.render(facts),
        headers=tuple((name, template.render(facts)) for name, template in fail.headers),
        retry_after=None if fail.retry_after is None else float(fail.retry_after),
    )


def _parts(said: Say | Refuse, facts: Facts, chance: Chance) -> Iterator[Part]:
    if isinstance(said, Refuse):
        yield Refusal(said.text.render(facts))
        return
    if said.think is not None:
        yield Thinking(said.think.render(facts))
    if said.reply is not None:
        yield Text(said.reply.render(facts))
    if said.json is not None:
        yield Text(json_text(said.json.build(facts)), structured=True)
    for ordinal, call in enumerate(said.calls):
        yield _tool_call(call, ordinal, facts, chance)


def _tool_call(call: Call, ordinal: int, facts: Facts, chance: Chance) -> ToolCall:
    given = call.id.render(facts) if call.id is not None else ""
    if isinstance(call.arguments, Template):
        arguments = call.arguments.render(facts)
    else:
        arguments = json_text(call.arguments.build(facts))
    return ToolCall(given or f"call_{chance.name(f'call {ordinal}')}", call.tool, arguments)


def json_text(value: Value) -> str:
    """JSON text of a plain value."""
    return msgspec.json.encode(value, enc_hook=str).decode("utf-8")


def same(step: Step, message: Message) -> bool:
    """Whether *message* of a history is the reply that *step* gave, as far as clients keep replies unchanged."""
    if not isinstance(step.outcome, Reply):
        return False
    parts = step.outcome.parts
    text = "\n".join(part.text for part in parts if isinstance(part, Text | Refusal)).strip()
    calls = [(p.tool, _comparable(p.arguments)) for p in parts if isinstance(p, ToolCall)]
    if calls != [(call.tool, _comparable(call.arguments)) for call in message.calls]:
        return False
    shown = message.text.strip()
    return shown == text or (bool(calls) and not shown)


def _comparable(arguments: str) -> Value:
    value = parsed(arguments or "{}")
    return arguments.strip() if value is None else (value,)
