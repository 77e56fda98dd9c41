"""What a client's own history breaks of the protocol of tool calls, in words for the client's author.

Every call gets its result before anything else is said, and every result answers a call of the last answer. What only
one provider minds, such as the order of roles, its wire has told already.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llmposter.model import Breach, Message, ToolResult, ToolUse, Turn


def findings(turn: Turn) -> tuple[Breach, ...]:
    """A sentence for each breach of the history of *turn*, in its order, after those that the wire found."""
    if _answered(turn.messages):
        return turn.breaches
    return (*turn.breaches, *_history(turn.messages))


def _answered(messages: tuple[Message, ...]) -> bool:
    """Whether the results after each message with calls answer each of them once, so that there is nothing to find."""
    waiting: tuple[ToolUse, ...] = ()
    for message in messages:
        if message.role == "tool":
            # Kept with the results, for a history comes again and again.
            if message.__dict__.get("answers") is not waiting:
                if not waiting or not _match(message.results, waiting):
                    return False
                message.__dict__["answers"] = waiting
            waiting = ()
        elif waiting or message.results:
            return False
        else:
            waiting = message.calls
    return not waiting


def _match(results: tuple[ToolResult, ...], calls: tuple[ToolUse, ...]) -> bool:
    ids = {call.id for call in calls}
    return len(results) == len(calls) == len(ids) and "" not in ids and ids == {result.id for result in results}


def _history(messages: tuple[Message, ...]) -> Iterator[str]:
    waiting: list[ToolUse] = []
    answered: set[str] = set()
    for message in messages:
        if message.role == "tool" or message.results:
            for result in message.results:
                yield from _answers(result, waiting, answered)
        if message.role in ("user", "assistant"):
            yield from (_unanswered(call, f"the next {message.role} message") for call in waiting)
            waiting = []
        if message.role == "assistant":
            # Only calls of the last answer can be answered; an id may be used again by a later one.
            waiting, answered = list(message.calls), set()
    yield from (_unanswered(call, "the request") for call in waiting)


def _answers(result: ToolResult, waiting: list[ToolUse], answered: set[str]) -> Iterator[str]:
    """Takes the call that *result* answers off those that wait."""
    for at, call in enumerate(waiting):
        # Formats without ids name the tool instead.
        if call.id == result.id if result.id else call.tool == result.tool:
            del waiting[at]
            answered.add(call.id)
            return
    name = f'"{result.id}"' if result.id else f'of "{result.tool}"'
    if result.id in answered:
        yield f"the tool call {name} has more than one result: send one for each call"
    else:
        yield f"the tool result {name} answers no call of the assistant message before it"


def _unanswered(call: ToolUse, before: str) -> str:
    name = f'"{call.id}" of "{call.tool}"' if call.id else f'of "{call.tool}"'
    return f"the tool call {name} has no result before {before}: send one for each call"
