"""What Anthropic says of calls without results and results without calls, in its own words.

As its users quote it: anthropics/claude-code#3512 and #13460, forkwright/aletheia#57.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llmposter.model import BadRequest
from llmposter.wire.anthropic_ids import inward, outward
from llmposter.wire.unpaired import answer_of, result_of, sent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llmposter.model import Turn, Unpaired


def unpaired(turn: Turn, found: Unpaired) -> BadRequest:
    """The 400 for what was found in the history of *turn*; the ids in it are those that were sent."""
    messages = list(enumerate(sent(turn, "messages")))
    if found.kind == "unanswered":
        return _unanswered(answer_of(turn, found, [each for each in messages if each[1]["role"] == "assistant"]), found)
    results = [
        (f"messages.{n}.content.{at}", block["tool_use_id"])
        for n, message in messages
        if message["role"] == "user"
        for at, block in _blocks(message, "tool_result")
    ]
    at, id_ = result_of(turn, found, results) or ("messages", outward(found.id, thought=False))
    if found.kind == "repeated":
        once = "each tool_use must have a single result. Found multiple `tool_result` blocks with id"
        return BadRequest(f"{at}: {once}: {id_}")
    return BadRequest(
        f"{at}: unexpected `tool_use_id` found in `tool_result` blocks: {id_}. Each `tool_result` block must have a "
        "corresponding `tool_use` block in the previous message."
    )


def _unanswered(asked: tuple[int, dict[str, Any]] | None, found: Unpaired) -> BadRequest:
    # In a thread the answer may be held by the API; it has no place in the body then.
    place, ids = "messages", [outward(id_, thought=False) for id_ in found.ids]
    if asked is not None:
        place = f"messages.{asked[0]}"
        ids = [block["id"] for _, block in _blocks(asked[1], "tool_use") if inward(block["id"]) in found.ids]
    return BadRequest(
        f"{place}: `tool_use` ids were found without `tool_result` blocks immediately after: {', '.join(ids)}. Each "
        "`tool_use` block must have a corresponding `tool_result` block in the next message."
    )


def _blocks(message: dict[str, Any], kind: str) -> Iterator[tuple[int, dict[str, Any]]]:
    if isinstance(content := message["content"], list):
        yield from ((n, block) for n, block in enumerate(content) if block["type"] == kind)
