"""What OpenAI Responses says of calls without results and results without calls, in its own words.

It pairs them by their ids, wherever they stand. As its users quote it: tjardoo/openai-client#124,
microsoft/vscode#320060, vercel/ai#11267.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmposter.model import BadRequest
from llmposter.wire.openai_responses_echo import asked
from llmposter.wire.unpaired import sent

if TYPE_CHECKING:
    from llmposter.model import Turn, Unpaired


def unpaired(turn: Turn, found: Unpaired) -> BadRequest | None:
    """The 400 for what was found in the history of *turn*; None where the other half only stands elsewhere."""
    if found.kind == "repeated" or not found.id:
        # How OpenAI words these is not known.
        return BadRequest(found.sentence, "input")
    calls = {call.id: call.tool for each in turn.messages for call in each.calls}
    if found.kind == "unanswered":
        if any(result.id == found.id for each in turn.messages for result in each.results):
            return None
        custom = calls[found.id] in asked(turn).declared.custom
        return BadRequest(
            f"No tool output found for {'custom tool' if custom else 'function'} call {found.id}.", "input"
        )
    if found.id in calls:
        return None
    types = (each.get("type", "") for each in sent(turn, "input") if each.get("call_id") == found.id)
    kind = "custom tool" if next(types, "").startswith("custom") else "function"
    return BadRequest(f"No tool call found for {kind} call output with call_id {found.id}.", "input")
