"""From what the server remembers to records: the only place that knows how the journal holds them."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from llmposter.core.journal import masked, without_stays
from llmposter.model import Failure, Refusal, Reply, Text, Thinking, ToolResult, Turn
from llmposter.model import ToolCall as Called
from llmposter.testing.records import Answer, Call, Conversation, Request, ToolCall, Violation, parsed
from llmposter_dsl.place import where

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from llmposter.core.journal import Entry
    from llmposter.model import Message, Outcome, Rule
    from llmposter.model import Request as Sent


def read(entries: Iterable[Entry], wire_at: Callable[[str, str], Any]) -> list[Request]:
    """The entries that are requests; *wire_at* gives who answers a method of a path."""
    return [_request(entry, entry.request, wire_at) for entry in entries if entry.request is not None]


def _request(entry: Entry, sent: Sent, wire_at: Callable[[str, str], Any]) -> Request:
    step, rule = entry.step, entry.rule
    whole = entry.conversation and not entry.cut and not entry.light
    return Request(
        number=entry.number, time=entry.time, session=entry.session,
        method=sent.method, path=sent.asked or sent.path, query=masked(sent.query), headers=masked(sent.headers),
        provider=entry.provider, model=entry.model, stream=entry.stream,
        text=sent.body.decode("utf-8", "replace"), cut=entry.cut, kept=not entry.light,
        outcome=entry.outcome,  # type: ignore[arg-type] # an event is no request
        detail=entry.detail, status=entry.status, how=entry.how, answer=None if step is None else _answer(step.outcome),
        scenario=entry.scenario, conversation=entry.conversation, before=entry.before, after=entry.after,
        path_taken=entry.path, rule=None if rule is None else rule.name,
        place=None if rule is None else where(rule.place), attempt=entry.attempt, violations=tuple(violations(entry)),
        faults=() if step is None else tuple(each.fault.text for each in step.struck),
        token=None if sent.credential is None else sent.credential.name,
        seconds=None if entry.ended is None else entry.ended - entry.time,
        history=partial(turn, sent, wire_at) if whole else no_turn,
    )  # fmt: skip


def turn(sent: Sent, wire_at: Callable[[str, str], Any]) -> Turn | None:
    turn = wire_at(sent.method, sent.path).read(sent)
    return turn if isinstance(turn, Turn) else None


def no_turn() -> None:
    """The body was not kept whole, or is of no conversation."""


def violations(entry: Entry) -> list[Violation]:
    at = (entry.number, entry.session, entry.scenario, entry.conversation, entry.before)
    return [Violation(each.kind, each.message, each.place, *at) for each in entry.violations]


def _answer(outcome: Outcome | None) -> Answer | None:
    match outcome:
        case Failure():
            return Answer(error=outcome.name or outcome.status, message=outcome.message)
        case Reply(parts=parts):
            text = "".join(part.text for part in parts if isinstance(part, Text | Refusal))
            thinking = "".join(part.text for part in parts if isinstance(part, Thinking))
            calls = tuple(_called(part) for part in parts if isinstance(part, Called))
            return Answer(text, thinking, calls, outcome.finish)
        case _:
            return None


def _called(part: Called) -> ToolCall:
    return tool_call(part.tool, part.arguments, part.id)


def tool_call(tool: str, text: str, id_: str) -> ToolCall:
    """With its arguments as data where they are JSON."""
    arguments = parsed(text)
    return ToolCall(tool, text if arguments is None else arguments, id_)


def _rules(entry: Entry) -> tuple[Rule, ...]:
    return (*entry.passed, *(() if entry.rule is None else (entry.rule,)))


class Fired(NamedTuple):
    """What one request covered of a scenario: states and rules, by name."""

    scenario: str
    states: Collection[str]
    rules: Collection[str]


def fired(entry: Entry) -> Fired | None:
    """None where no scenario took it."""
    if not entry.scenario or entry.step is None:
        return None
    return Fired(entry.scenario, entry.path, [rule.name for rule in _rules(entry)])


# --- conversations


def conversation(held: Mapping[str, Any], final: frozenset[str], requests: Sequence[Request]) -> Conversation:
    """*held* is as `Mock.conversations` tells it; *requests* are those that are remembered, oldest first."""
    who = (held["session"], held["scenario"], held["id"])
    own = [each for each in requests if (each.session, each.scenario, each.conversation) == who]
    moved = [state for each in own if each.outcome in ("reply", "error") for state in each.path_taken]
    return Conversation(
        id=held["id"], session=held["session"], scenario=held["scenario"], state=held["state"],
        final=not final or held["state"] in final, path=without_stays((*moved, held["state"])), vars=held["vars"],
        answers=held["answers"], requests=held["requests"], key=held["key"], forked_from=held["forked_from"],
    )  # fmt: skip


# --- calls


def calls(requests: Sequence[Request]) -> list[Call]:
    """The tool calls of all answers, each with the result that a later request of its session brought."""
    made: dict[tuple[str, str], Call] = {}
    for request in requests:
        for result, tool in _results(request.messages):
            key = (request.session, result.id)
            if key not in made:
                key = _open(made, request, tool)
            if key in made and not made[key].done:
                made[key] = replace(
                    made[key], done=True, result=result.text, failed=bool(result.error), answered_by=request.number
                )
        if request.outcome == "reply" and request.answer is not None:
            for call in request.answer.calls:
                made.setdefault((request.session, call.id), _call(request, call))
    return list(made.values())


def _results(messages: Sequence[Message]) -> list[tuple[ToolResult, str]]:
    """The results of a history, each with the name of its tool where no answer came after it."""
    names = {use.id: use.tool for message in messages for use in message.calls}
    since = max((n for n, message in enumerate(messages) if message.role == "assistant"), default=-1)
    return [
        (each, (each.tool or names.get(each.id, "")) if n > since else "")
        for n, message in enumerate(messages)
        for each in message.results
    ]


def _open(made: Mapping[tuple[str, str], Call], request: Request, tool: str) -> tuple[str, str]:
    """The oldest call of the conversation without a result: clients of Gemini may leave ids away."""
    here = (request.session, request.conversation, tool)
    open_ = (key for key, call in made.items() if (call.session, call.conversation, call.tool) == here)
    return next((key for key in open_ if not made[key].done), ("", ""))


def _call(request: Request, made: ToolCall) -> Call:
    return Call(
        made.tool, made.arguments, made.id, request.number, request.session, request.conversation,
        request.rule or "", request.place or "",
    )  # fmt: skip
