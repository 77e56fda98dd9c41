"""What a rule says, made into an answer; and whether an answer is the one that a history shows.

Pure: ids are derived from the place in the conversation, so that the same request gets the same bytes.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final, TypeAlias

from llmposter.core import tokens
from llmposter.core.conversation import Pattern, Shape
from llmposter.core.facts import parsed
from llmposter.core.pattern import fits, json_text, resembles, text_of
from llmposter.model import Failure, Refusal, Reply, Text, Thinking, Tokens, ToolCall
from llmposter_dsl.program import Call, Fail, Made, Refuse, Say, Template

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llmposter.core.chance import Chance
    from llmposter.core.conversation import Pieces, Step
    from llmposter.core.facts import Facts
    from llmposter.model import Message, Part, Turn
    from llmposter_dsl.program import Env, Rule, Value

    Templates: TypeAlias = tuple[tuple[str, Template], ...]


_NONE: Final = Tokens()


def build(rule: Rule, turn: Turn, facts: Facts, chance: Chance) -> Reply | Failure:
    """What *rule* answers; it has an outcome."""
    said = rule.outcome
    if isinstance(said, Made):
        said = said.make(facts)
    if (fixed := _fixed(rule)) is not None:
        parts, guess, finish = fixed
    elif isinstance(said, Fail):
        return failure(said, facts)
    else:
        assert said is not None or rule.faults, f"rule {rule.name!r} passes through and has no answer"
        parts = tuple(_parts(said, facts, chance))
        guess, finish = tokens.of_parts(parts), _finish(rule, parts)
    return Reply(
        chance.name("reply"),
        int(chance.moment.now),
        turn.model,
        parts,
        finish,
        _NONE if chance.moment.replayed else tokens.counted(turn, guess, rule.usage),
        _headers(rule.headers, facts) if rule.headers else (),
    )


def failure(fail: Fail, facts: Env) -> Failure:
    """The error as the rule words it."""
    return Failure(
        name=fail.name,
        status=fail.status,
        type=fail.type,
        code=fail.code,
        message=None if fail.message is None else fail.message.render(facts),
        headers=_headers(fail.headers, facts),
        retry_after=None if fail.retry_after is None else float(fail.retry_after),
        retry_date=fail.retry_date,
        more=None if fail.more is None else fail.more.build(facts),
    )


@lru_cache(maxsize=1024)
def _fixed(rule: Rule) -> tuple[tuple[Part, ...], Tokens, str] | None:
    """The parts of an answer that is always the same, their tokens and why it ends."""
    said = rule.outcome
    if not isinstance(said, Say) or said.calls or said.think is not None or said.json is not None:
        return None
    if said.reply is None or said.reply.constant is None:
        return None
    parts = (Text(said.reply.constant),)
    return parts, tokens.of_parts(parts), _finish(rule, parts)


def _finish(rule: Rule, parts: tuple[Part, ...]) -> str:
    return rule.finish or ("tool_calls" if any(isinstance(part, ToolCall) for part in parts) else "stop")


def _headers(headers: Templates, facts: Env) -> tuple[tuple[str, str], ...]:
    return tuple((name, template.render(facts)) for name, template in headers)


def _parts(said: Say | Refuse | None, facts: Facts, chance: Chance) -> Iterator[Part]:
    if said is None:
        yield Text("")  # what only breaks says nothing
        return
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


def same(step: Step, message: Message) -> bool:
    """Whether *message* of a history is the reply that *step* gave, as far as clients keep replies unchanged.

    White space, ids, key order and reasoning do not count, nor text that is left out beside calls.
    """
    reply = step.outcome
    if not isinstance(reply, Reply):
        return False
    calls = tuple(part for part in reply.parts if isinstance(part, ToolCall))
    if [call.tool for call in calls] != [call.tool for call in message.calls]:
        return False
    by = step.pattern or Pattern((text_of(reply),), tuple((call.arguments,) for call in calls))
    if not all(map(_fits_arguments, by.calls, (call.arguments for call in message.calls))):
        return False
    return fits(by.text, message.text) or (bool(calls) and not message.text.strip())


def _fits_arguments(by: Pieces | Shape, shown: str) -> bool:
    match by:
        case Shape(value=value):
            return resembles(value, parsed(shown or "{}"))
        case (str() as known,):
            return bool(_comparable(known) == _comparable(shown))
        case _:
            return fits(by, shown)


def _comparable(arguments: str) -> Value:
    value = parsed(arguments or "{}")
    return arguments.strip() if value is None else (value,)
