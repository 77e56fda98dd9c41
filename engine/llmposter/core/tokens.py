"""An estimate of token counts: about four bytes of UTF-8 for a token, a little for the frame of each message.

An estimate is all that a mock can give without a provider's tokeniser; a scenario that cares says `usage`.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING

import msgspec

from llmposter.model import Refusal, Text, Thinking, Tokens, ToolCall

if TYPE_CHECKING:
    from collections.abc import Iterable

    from llmposter.model import Message, Part, Tool, Turn
    from llmposter_dsl.program import Usage

_FRAME = 4
_IMAGE = 85
_TOKENS = attrgetter("tokens")


def estimate(text: str) -> int:
    """Tokens of a text: its bytes in UTF-8 divided by four, rounded up."""
    return -(-len(text if text.isascii() else text.encode("utf-8", "surrogatepass")) // 4)


def of_turn(turn: Turn) -> int:
    """Tokens of a request: its messages, system prompt and tool declarations."""
    system = _FRAME + estimate(turn.system) if turn.system else 0
    for message in reversed(turn.messages):
        if "tokens" in message.__dict__:
            break  # it came before, and with it all before it
        _of_message(message)
    try:
        said: int = sum(map(_TOKENS, turn.messages))
    except AttributeError:
        said = sum(map(_of_message, turn.messages))
    if turn.tools:
        said += sum(tool.__dict__.get("tokens") or _of_tool(tool) for tool in turn.tools)
    return system + said


def _of_message(message: Message) -> int:
    """Kept with each message."""
    said = estimate(message.text) + (message.images + message.files) * _IMAGE
    if message.calls:
        said += sum(estimate(call.tool) + estimate(call.arguments) for call in message.calls)
    if message.results:
        said += sum(estimate(result.text) for result in message.results)
    message.__dict__["tokens"] = _FRAME + said
    return _FRAME + said


def _of_tool(tool: Tool) -> int:
    """Kept with each tool."""
    tool.__dict__["tokens"] = said = _FRAME + estimate(tool.name) + -(-len(msgspec.json.encode(tool.parameters)) // 4)
    return said


def of_parts(parts: Iterable[Part]) -> Tokens:
    """Output tokens of an answer, reasoning told apart."""
    said = reasoned = 0
    for part in parts:
        match part:
            case Thinking(text=text):
                reasoned += estimate(text)
            case Text(text=text) | Refusal(text=text):
                said += estimate(text)
            case ToolCall(tool=tool, arguments=arguments):
                said += estimate(tool) + estimate(arguments)
    return Tokens(output=said + reasoned, reasoning=reasoned)


def counted(turn: Turn, guess: Tokens, given: Usage | None) -> Tokens:
    """Token counts of an answer: those that the rule gives; for the others the estimate, of which *guess* is a part."""
    if given is None:
        return Tokens(of_turn(turn), guess.output, 0, guess.reasoning)
    return Tokens(
        input=of_turn(turn) if given.input is None else given.input,
        output=guess.output if given.output is None else given.output,
        cached=given.cached or 0,
        reasoning=guess.reasoning if given.reasoning is None else given.reasoning,
    )
