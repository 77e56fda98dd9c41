"""What OpenAI Chat says of calls without results and results without calls, in its own words.

As its users quote it: sdcb/chats#132, simonw/llm#937, dapr/dapr-agents#145, agno-agi/agno#5116.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from llmposter.model import BadRequest
from llmposter.wire.unpaired import answer_of, result_of, sent

if TYPE_CHECKING:
    from llmposter.model import Turn, Unpaired

_RESULTS: Final = ("tool", "function")
_UNANSWERED: Final = (
    "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The "
    "following tool_call_ids did not have response messages: "
)
_STRAY: Final = "messages with role 'tool' must be a response to a preceeding message with 'tool_calls'."


def unpaired(turn: Turn, found: Unpaired) -> BadRequest:
    """The 400 for what was found in the history of *turn*."""
    if not found.id:
        # Of calls and results of the old form, which have no ids, no refusal is known.
        return BadRequest(found.sentence)
    messages = sent(turn, "messages")
    if found.kind == "unanswered":
        asked = answer_of(turn, found, [n for n, each in enumerate(messages) if each["role"] == "assistant"])
        then = next((n for n in _others(messages) if asked is not None and n > asked), None)
        # The place is the message that stands where a result should.
        return BadRequest(_UNANSWERED + ", ".join(found.ids), "messages" if then is None else f"messages.[{then}].role")
    at = result_of(turn, found, [n for n, each in enumerate(messages) if each["role"] in _RESULTS]) or 0
    if found.kind == "repeated":
        same = [n for n, each in enumerate(messages[:at]) if each.get("tool_call_id") == found.id]
        where = f", in messages[{max(same, default=0)}] and messages[{at}]"
        return _of_id(at, f"Duplicate value for 'tool_call_id' of '{found.id}'{where}.")
    before = max((n for n in _others(messages) if n < at), default=None)
    if before is None or not messages[before].get("tool_calls"):
        return BadRequest(f"Invalid parameter: {_STRAY}", f"messages.[{at}].role")
    return _of_id(at, f"'tool_call_id' of '{found.id}' not found in 'tool_calls' of previous message.")


def _others(messages: list[dict[str, Any]]) -> list[int]:
    """The places of what is no result."""
    return [n for n, each in enumerate(messages) if each["role"] not in _RESULTS]


def _of_id(at: int, told: str) -> BadRequest:
    return BadRequest(f"Invalid parameter: {told}", f"messages.[{at}].tool_call_id")
