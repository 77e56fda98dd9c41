"""What a client's own history breaks of the protocol of tool calls, in words for the client's author.

Every call gets its result before anything else is said, and every result answers a call of the last answer. What only
one provider minds, such as the order of roles, its wire has told already; how a provider words it, and whether it
minds it at all, its wire says too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from llmposter.model import BadRequest, Unpaired

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from llmposter.model import Breach, Message, ToolResult, ToolUse, Turn

TWO_RESULTS: Final = "has more than one result"
"""What is said of a call that was answered twice: its tool may have run twice."""


def in_our_words(turn: Turn, found: Unpaired) -> BadRequest:  # noqa: ARG001 - as a wire's
    """A refusal for whoever knows no wire."""
    return BadRequest(found.sentence)


def findings(turn: Turn, unpaired: Callable[[Turn, Unpaired], BadRequest | None] = in_our_words) -> tuple[Breach, ...]:
    """Each breach of the history of *turn*, in its order, after those that the wire found.

    *unpaired* is the wire's: what its provider says of such a finding.
    """
    if _answered(turn.messages):
        return turn.breaches
    found = [replace(each, refusal=unpaired(turn, each)) for each in _History(turn.messages).findings()]
    return (*turn.breaches, *(each for each in found if each.refusal is not None))


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


class _History:
    """A history walked through once; what waits for a result belongs to the last answer before."""

    def __init__(self, messages: tuple[Message, ...]) -> None:
        self._messages = messages
        self._asked = 0
        self._waiting: list[ToolUse] = []
        self._answered: set[str] = set()

    def findings(self) -> Iterator[Unpaired]:
        for n, message in enumerate(self._messages):
            if message.role == "tool" or message.results:
                for at, result in enumerate(message.results):
                    yield from self._answers(result, n, at)
            if message.role in ("user", "assistant"):
                yield from self._unanswered(f"the next {message.role} message")
                self._waiting = []
            if message.role == "assistant":
                # Only calls of the last answer can be answered; an id may be used again by a later one.
                self._asked, self._waiting, self._answered = n, list(message.calls), set()
        yield from self._unanswered("the request")

    def _answers(self, result: ToolResult, n: int, at: int) -> Iterator[Unpaired]:
        """Takes the call that *result* answers off those that wait."""
        for place, call in enumerate(self._waiting):
            # Formats without ids name the tool instead.
            if call.id == result.id if result.id else call.tool == result.tool:
                del self._waiting[place]
                self._answered.add(call.id)
                return
        name = f'"{result.id}"' if result.id else f'of "{result.tool}"'
        if result.id in self._answered:
            told = f"the tool call {name} {TWO_RESULTS}: send one for each call"
            yield Unpaired("repeated", told, n, at, result.id)
        else:
            told = f"the tool result {name} answers no call of the assistant message before it"
            yield Unpaired("stray", told, n, at, result.id)

    def _unanswered(self, before: str) -> Iterator[Unpaired]:
        ids = tuple([call.id for call in self._waiting])
        for call in self._waiting:
            name = f'"{call.id}" of "{call.tool}"' if call.id else f'of "{call.tool}"'
            told = f"the tool call {name} has no result before {before}: send one for each call"
            yield Unpaired("unanswered", told, self._asked, 0, call.id, ids)
