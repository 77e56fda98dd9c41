"""What Anthropic refuses with a 400 although the body can be read, in its own words.

Calls without results and results without calls are not told here: `core.conformance` finds them for all providers.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from llmposter.wire import anthropic_body as sent
from llmposter.wire.anthropic_ids import FIT
from llmposter.wire.anthropic_wording import IN_RESULTS
from llmposter.wire.seal import opened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llmposter.model import Message, Request

_GUIDE: Final = (
    "Please consult our documentation at https://docs.claude.com/en/docs/build-with-claude/extended-thinking"
)
_EMPTY: Final = "all messages must have non-empty content except for the optional final assistant message"
_TOOL_NAME: Final = re.compile(r"[a-zA-Z0-9_-]{1,128}")
_LEAST_BUDGET: Final = 1024
_MOST_MARKS: Final = 4


def breaches(
    request: Request, body: sent.Options, heard: list[Message | sent.Heard], messages: tuple[Message, ...]
) -> Iterator[str]:
    """A sentence for each breach of a whole request, whose messages were read as *heard* and make these *messages*."""
    if "anthropic-version" not in request.headers:
        yield "anthropic-version: header is required"
    if body.max_tokens is None:
        yield "max_tokens: Field required"
    yield from _messages(heard, messages)
    if body.thinking is not None:
        yield from _thinking(body, body.thinking, heard)
    if body.tools or body.tool_choice is not None:
        yield from _tools(body)
    if body.stop_sequences and not all(each.strip() for each in body.stop_sequences):
        yield "stop_sequences: each stop sequence must contain non-whitespace"
    if isinstance(body.system, list) and not all(block.text for block in body.system):
        yield "system: text content blocks must be non-empty"
    if (marks := _marks(body, heard)) > _MOST_MARKS:
        yield f"A maximum of {_MOST_MARKS} blocks with cache_control may be provided. Found {marks}."


def _messages(heard: list[Message | sent.Heard], messages: tuple[Message, ...]) -> Iterator[str]:
    if messages and messages[0].role == "assistant":
        yield 'messages: first message must use the "user" role'
    for n, each in enumerate(heard):
        if isinstance(each, sent.Heard):
            if each.empty and not (each is heard[-1] and each.role == "assistant"):
                yield f"messages.{n}: {_EMPTY}"
            yield from (f"messages.{n}{told}" for told in each.wrong)
    if messages and (last := messages[-1]).role == "assistant" and not last.calls and last.text != last.text.rstrip():
        yield "messages: final assistant content cannot end with trailing whitespace"
    ids = [call.id for message in messages if message.calls for call in message.calls]
    if len(ids) > len(set(ids)):
        yield "messages: `tool_use` ids must be unique"


def _thinking(body: sent.Options, config: sent.ThinkingConfig, heard: list[Message | sent.Heard]) -> Iterator[str]:
    if config.type == "disabled":
        return
    if config.type == "enabled":
        yield from _budget(body, config)
        yield from _begun(heard)
    if body.temperature not in (None, 1):
        where = "#important-considerations-when-using-extended-thinking"
        yield f"`temperature` may only be set to 1 when thinking is enabled or in adaptive mode. {_GUIDE}{where}"
    if body.tool_choice is not None and body.tool_choice.type in ("any", "tool"):
        yield "Thinking may not be enabled when tool_choice forces tool use."


def _budget(body: sent.Options, config: sent.ThinkingConfig) -> Iterator[str]:
    if config.budget_tokens is None:
        yield "thinking.enabled.budget_tokens: Field required"
        return
    if config.budget_tokens < _LEAST_BUDGET:
        yield f"thinking.enabled.budget_tokens: Input should be greater than or equal to {_LEAST_BUDGET}"
    if body.max_tokens is not None and body.max_tokens <= config.budget_tokens:
        where = "#max-tokens-and-context-window-size"
        yield f"`max_tokens` must be greater than `thinking.budget_tokens`. {_GUIDE}{where}"


def _begun(heard: list[Message | sent.Heard]) -> Iterator[str]:
    """The last answer of a tool loop has to begin with the thinking that it came with."""
    n = max((n for n, each in enumerate(heard) if each.role == "assistant"), default=None)
    if n is not None and isinstance(last := heard[n], sent.Heard) and last.bare:
        yield (
            f"messages.{n}.content.0.type: Expected `thinking` or `redacted_thinking`, but found `{last.bare}`. When "
            "`thinking` is enabled, a final `assistant` message must start with a thinking block (preceeding the "
            "lastmost set of `tool_use` and `tool_result` blocks). We recommend you include thinking blocks from "
            f"previous turns. To avoid this requirement, disable `thinking`. {_GUIDE}"
        )


def _tools(body: sent.Options) -> Iterator[str]:
    tools = body.tools or []
    for n, tool in enumerate(tools):
        if tool.custom:
            yield from (f"tools.{n}.custom.{wrong}" for wrong in _tool(tool))
    names = [tool.name for tool in tools if tool.name is not None]
    if len(names) > len(set(names)):
        yield "tools: Tool names must be unique."
    if body.tool_choice is None:
        return
    if not tools:
        yield "tool_choice: tool_choice may only be specified while providing tools."
    elif body.tool_choice.type == "tool" and body.tool_choice.name not in names:
        yield f"Tool '{body.tool_choice.name}' not found in provided tools"


def _tool(tool: sent.Tool) -> Iterator[str]:
    if tool.name is None:
        yield "name: Field required"
    elif not _TOOL_NAME.fullmatch(tool.name):
        yield f"name: String should match pattern '^{_TOOL_NAME.pattern}$'"
    if tool.input_schema is None:
        yield "input_schema: Field required"
    elif (kind := tool.input_schema.get("type")) != "object":
        yield "input_schema.type: " + ("Field required" if kind is None else "Input should be 'object'")


def _marks(body: sent.Options, heard: list[Message | sent.Heard]) -> int:
    marks = sum([each.marks for each in heard if isinstance(each, sent.Heard)]) + (body.cache_control is not None)
    if body.tools:
        marks += sum(tool.cache_control is not None for tool in body.tools)
    if isinstance(body.system, list):
        marks += sum(block.cache_control is not None for block in body.system)
    return marks


# --- one message ------------------------------------------------------------------------------------------------


def wrong(role: str, blocks: list[sent.Content]) -> Iterator[str]:
    """What is wrong with a message; each goes on from ``messages.1``."""
    other = False
    for n, block in enumerate(blocks):
        match block:
            case sent.Text(text=text):
                if not text.strip():
                    yield f": text content blocks must {'contain non-whitespace text' if text else 'be non-empty'}"
            case sent.ToolUse() if role != "assistant":
                yield ": `tool_use` blocks can only be in `assistant` messages"
            case sent.ToolUse():
                yield from (f".content.{n}.tool_use.{wrong}" for wrong in _call(block))
            case sent.ToolResult() if role != "user":
                yield ": `tool_result` blocks can only be in `user` messages"
            case sent.ToolResult():
                if other:
                    yield f".content.{n}: `tool_result` blocks must come first in the content of a message"
                yield from (f".content.{n}.tool_result{wrong}" for wrong in _in_result(block))
            case sent.Thinking():
                yield from (f".content.{n}{wrong}" for wrong in _signed(block, role))
            case sent.RedactedThinking():
                yield f".content.{n}: Invalid `data` in `redacted_thinking` block"
            case sent.Other(kind=kind) if kind not in sent.TOLERATED:
                yield f".content.{n}: {_no_tag(kind, sent.TYPED | sent.TOLERATED)}"
            case _:
                pass
        other = other or not isinstance(block, sent.ToolResult)


def _call(block: sent.ToolUse) -> Iterator[str]:
    if not FIT.fullmatch(block.id):
        yield f"id: String should match pattern '^{FIT.pattern}$'"
    if not bytes(block.input).startswith(b"{"):
        yield "input: Input should be a valid dictionary"


def _in_result(block: sent.ToolResult) -> Iterator[str]:
    for n, part in enumerate(block.content if isinstance(block.content, list) else ()):
        if isinstance(part, sent.Other) and part.kind not in sent.TOLERATED:
            yield f".content.{n}: {_no_tag(part.kind, IN_RESULTS)}"


def _signed(block: sent.Thinking, role: str) -> Iterator[str]:
    if role != "assistant":
        yield ": `thinking` blocks can only be in `assistant` messages"
    elif not block.signature:
        yield ".thinking.signature: Field required"
    elif (seal := opened(block.signature, block.thinking)) is None:
        yield ": Invalid `signature` in `thinking` block"
    elif not seal.unbroken:
        yield (
            ": `thinking` or `redacted_thinking` blocks in the latest assistant message cannot be modified. These "
            "blocks must remain as they were in the original response."
        )


def _no_tag(kind: str, known: frozenset[str] | tuple[str, ...]) -> str:
    tags = ", ".join(f"'{each}'" for each in sorted(known))
    return f"Input tag '{kind}' found using 'type' does not match any of the expected tags: {tags}"
