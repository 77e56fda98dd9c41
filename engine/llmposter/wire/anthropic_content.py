"""One message to Anthropic Messages, read: what it says in our words, and what is wrong with it wherever it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, assert_never, cast

import msgspec

from llmposter.model import Message, ToolResult, ToolUse
from llmposter.wire import anthropic_body as sent
from llmposter.wire.anthropic_breaches import wrong
from llmposter.wire.anthropic_ids import has_thought, inward
from llmposter.wire.memo import Memo
from llmposter.wire.seal import opened
from llmposter.wire.sse import encode

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from llmposter.model import Json

_MESSAGE: Final = msgspec.json.Decoder(sent.Message)
INVALID: Final = "INVALID_JSON"
"""The one key of an `input` that holds arguments which are no JSON object, as Anthropic's guide has clients write it
("Fine-grained tool streaming", "Handling invalid JSON in tool responses")."""
_INVALID: Final = f'{{"{INVALID}"'.encode()


class Unreadable(Exception):  # noqa: N818 - no error: how a message that is none ends the reading of it
    """A message that cannot be read: what the decoder told of it, and what it was given."""

    def __init__(self, told: str, data: Json) -> None:
        super().__init__(told)
        self.told, self.data = told, data


def read_message(message: sent.Message) -> Message | sent.Heard:
    match message:
        case sent.User(content=content):
            plain = isinstance(content, str) and content.strip()
            return Message("user", cast("str", content)) if plain else _of_user(content)
        case sent.Assistant(content=content):
            plain = isinstance(content, str) and content.strip()
            return Message("assistant", cast("str", content)) if plain else _of_assistant(content)
        case sent.System(content=content):
            return sent.Heard("system", system=text_of(content), marks=_marks(content))
        case _:
            assert_never(message)


def decoded(raw: bytes) -> sent.Message:
    message: sent.Message
    try:
        message = _MESSAGE.decode(raw)
    except msgspec.ValidationError:
        # A block of a type that is not read makes the decoder refuse the message; the rest is read nevertheless.
        data = msgspec.json.decode(raw)
        try:
            message = _MESSAGE.decode(encode(_softened(data)))
        except msgspec.ValidationError as error:
            raise Unreadable(str(error), data) from None
    return message


def _softened(data: Json) -> Json:
    """The message, its blocks of types that are not read made `Other`, those inside of results too."""
    if isinstance(data, dict) and isinstance(content := data.get("content"), list):
        return {**data, "content": [_soft(block) for block in content]}
    return data


def _soft(block: Json) -> Json:
    match block:
        case {"type": "tool_result"}:
            return _softened(block)
        case {"type": str(kind)} if kind not in sent.TYPED:
            return {"type": "", "kind": kind}
        case _:
            return block


KNOWN: Final = Memo(lambda raw: read_message(decoded(raw)))
"""Of messages in histories: each comes again with every request that goes on from there."""


def _of_user(content: str | list[sent.Content]) -> Message | sent.Heard:
    said, blocks = tuple(_user(content)), _blocks(content)
    told, marks = tuple(wrong("user", blocks)), _marks(content)
    if told or marks or not content or said[0].role == "tool":
        return sent.Heard("user", said, None, told, not content, marks)
    return said[0]


def _of_assistant(content: str | list[sent.Content]) -> Message | sent.Heard:
    said, blocks = _assistant(content), _blocks(content)
    told, marks = tuple(wrong("assistant", blocks)), _marks(content)
    first = _kind(blocks[0]) if blocks else ""
    thought = any(has_thought(block.id) for block in blocks if isinstance(block, sent.ToolUse))
    bare = first if thought and first not in ("thinking", "redacted_thinking") else ""
    if told or marks or not content or bare:
        return sent.Heard("assistant", (said,), None, told, not content, marks, bare)
    return said


def _blocks(content: str | list[sent.Content]) -> list[sent.Content]:
    if isinstance(content, str):
        return [sent.Text(text=content)] if content else []
    return content


def _user(content: str | list[sent.Content]) -> Iterator[Message]:
    """The results, and what else the user says; one of the two is always there."""
    blocks = _blocks(content)
    results = tuple([_result(block) for block in blocks if isinstance(block, sent.ToolResult)])
    if results:
        yield Message("tool", results=results)
    images = sum(isinstance(block, sent.Image) for block in blocks)
    files = sum(isinstance(block, sent.Document | sent.SearchResult) for block in blocks)
    text = text_of(content)
    if not results or images or files or text.strip():
        yield Message("user", text, images=images, files=files)


def _result(block: sent.ToolResult) -> ToolResult:
    content = block.content or ""
    if not isinstance(content, str):
        found: list[Sequence[sent.Content]] = [p.content if isinstance(p, sent.SearchResult) else [p] for p in content]
        content = text_of([part for parts in found for part in parts])
    return ToolResult(inward(block.tool_use_id), content, error=bool(block.is_error))


def _assistant(content: str | list[sent.Content]) -> Message:
    if isinstance(content, str):
        return Message("assistant", content)
    thoughts = [block for block in content if isinstance(block, sent.Thinking)]
    seals = [seal for block in thoughts if (seal := opened(block.signature, block.thinking)) is not None]
    return Message(
        "assistant",
        text_of(content),
        calls=tuple(
            ToolUse(inward(block.id), block.name, _arguments(bytes(block.input)))
            for block in content
            if isinstance(block, sent.ToolUse)
        ),
        thinking="".join(block.thinking for block in thoughts),
        answer=seals[0].answer if seals else "",
    )


def _arguments(raw: bytes) -> str:
    """An `input` as JSON text, or the text that stands in its place."""
    if raw.startswith((_INVALID, b'"')):
        data = anything(raw)
        text = data[INVALID] if isinstance(data, dict) and len(data) == 1 else data
        if isinstance(text, str):
            return text
    return raw.decode("utf-8")


def text_of(content: str | Sequence[sent.Content]) -> str:
    if isinstance(content, str):
        return content
    return "\n".join([block.text for block in content if isinstance(block, sent.Text)])


def _marks(content: str | Sequence[sent.Content]) -> int:
    """Its breakpoints of the prompt cache."""
    return 0 if isinstance(content, str) else sum(block.cache_control is not None for block in content)


def _kind(block: sent.Content) -> str:
    return block.kind if isinstance(block, sent.Other) else str(block.__struct_config__.tag)


def anything(data: bytes) -> Json:
    """The value of JSON, None of anything else."""
    try:
        return msgspec.json.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
