"""A request to Anthropic Messages, read into a `Turn`: any bytes give one or a `BadRequest`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from llmposter.model import BadRequest, Failure, Message, Tool, ToolResult, ToolUse, Turn
from llmposter.wire import anthropic_body as sent
from llmposter.wire.anthropic_breaches import breaches, wrong
from llmposter.wire.anthropic_ids import ANSWER, has_thought, inward
from llmposter.wire.anthropic_wording import not_json, refusal
from llmposter.wire.headers import retries
from llmposter.wire.memo import Memo
from llmposter.wire.seal import opened
from llmposter.wire.sse import encode

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from llmposter.model import Json, Request

_ENVELOPE: Final = msgspec.json.Decoder(sent.Envelope)
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


def read(provider: str, request: Request) -> Turn | BadRequest:
    """The request in our words; any bytes give one or the other."""
    data = request.body
    try:
        # As text where it may not be: the decoder leaves bytes alone that no field wants, and Anthropic does not.
        body = _ENVELOPE.decode(data if data.isascii() else data.decode("utf-8"))
        known = _heard if len(body.messages) == 1 else _MEMO.get
        heard: list[sent.Heard] = []
        for raw in body.messages:
            heard.append(known(bytes(raw)))  # noqa: PERF401 - how many were read is the place of one that cannot be
    except Unreadable as error:
        return refusal(error.told, error.data, ("messages", str(len(heard))))
    except msgspec.ValidationError as error:
        return refusal(str(error), _anything(data))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return not_json(data, str(error))
    if not heard and not _previous(body):
        return BadRequest("messages: at least one message is required")
    return _turn(provider, request, body, heard)


def _anything(data: bytes) -> Json:
    try:
        return msgspec.json.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _turn(provider: str, request: Request, body: sent.Envelope, heard: list[sent.Heard]) -> Turn:
    tools = [Tool(tool.name, tool.input_schema) for tool in body.tools or () if tool.name is not None]
    messages, system, previous = tuple(_joined(heard)), _system(body, heard), _previous(body)
    return Turn(
        provider,
        request,
        body.model,
        bool(body.stream),
        system,
        messages,
        tuple(tools),
        _params(body),
        body.metadata or {},
        retries(request),
        tuple(breaches(request, body, heard)),
        _asked(body),
        previous.removeprefix(ANSWER),
        keep=body.thread is not None,
        lost=_LOST if previous else None,
        carried="" if body.thread is None else system,
        inherits=bool(previous),
        echoes=body.thinking is not None and body.thinking.type != "disabled",
        continues=bool(messages) and messages[-1].role == "assistant" and not messages[-1].calls,
    )


_LOST: Final = Failure(
    "not_found", code="thread_not_found", message="No usable Thread state was found for `previous_message_id`."
)
"""The SDK sends the whole conversation when it hears this."""


def _previous(body: sent.Envelope) -> str:
    """The id of the answer from which a thread goes on, or ""."""
    return body.thread.previous_message_id if body.thread is not None and body.thread.type == "continue" else ""


def _system(body: sent.Envelope, heard: list[sent.Heard]) -> str:
    told = [] if body.system is None else [_text(body.system)]
    return "\n".join(told + [each.system for each in heard if each.system is not None])


def _joined(heard: list[sent.Heard]) -> Iterator[Message]:
    """All messages, those with results that follow each other made one."""
    waiting: Message | None = None
    for each in heard:
        for message in each.said:
            if waiting is not None:
                if message.role == "tool":
                    waiting = Message("tool", results=waiting.results + message.results)
                    continue
                yield waiting
                waiting = None
            if message.role == "tool":
                waiting = message
            else:
                yield message
    if waiting is not None:
        yield waiting


def _params(body: sent.Envelope) -> dict[str, Json]:
    config = body.output_config or _NO_CONFIG
    thinking = None if body.thinking is None else msgspec.to_builtins(body.thinking)
    params = {
        "temperature": body.temperature,
        "top_p": body.top_p,
        "max_tokens": body.max_tokens,
        "stop": body.stop_sequences,
        "reasoning": thinking if config.effort is None else config.effort,
        "response_format": body.output_format if config.format is None else config.format,
        "tool_choice": None if body.tool_choice is None else msgspec.to_builtins(body.tool_choice),
    }
    return {name: value for name, value in params.items() if value is not None}


_NO_CONFIG: Final = sent.OutputConfig()
_PLAIN: Final = sent.Asked()


def _asked(body: sent.Envelope) -> sent.Asked:
    silent = body.thinking is not None and body.thinking.display == "omitted"
    stop = body.stop_sequences[0] if body.stop_sequences else None
    return sent.Asked(silent, stop) if silent or stop is not None else _PLAIN


# --- one message ------------------------------------------------------------------------------------------------


def _heard(raw: bytes) -> sent.Heard:
    match _decoded(raw):
        case sent.System(content=content):
            return sent.Heard("system", system=_text(content), marks=_marks(content))
        case sent.User(content=content):
            return _of(content, "user", tuple(_user(content)))
        case sent.Assistant(content=content):
            return _of(content, "assistant", (_assistant(content),))


def _decoded(raw: bytes) -> sent.Message:
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


_MEMO: Final = Memo(_heard)
"""Of messages in histories: each comes again with every request that goes on from there."""


def _of(content: str | list[sent.Content], role: str, said: tuple[Message, ...]) -> sent.Heard:
    blocks = [] if isinstance(content, str) else content
    last = content if isinstance(content, str) else _text(content[-1:])
    ids = tuple(block.id for block in blocks if isinstance(block, sent.ToolUse)) if role == "assistant" else ()
    first = _kind(blocks[0]) if blocks else ""
    bare = first not in ("thinking", "redacted_thinking") and any(map(has_thought, ids))
    return sent.Heard(
        role,
        said,
        wrong=tuple(wrong(role, blocks)),
        empty=not content,
        blank=last != last.rstrip(),
        ids=ids,
        marks=_marks(content),
        bare=first if bare else "",
    )


def _user(content: str | list[sent.Content]) -> Iterator[Message]:
    """The results, and what else the user says; one of the two is always there."""
    if isinstance(content, str):
        yield Message("user", content)
        return
    results = tuple(_result(block) for block in content if isinstance(block, sent.ToolResult))
    if results:
        yield Message("tool", results=results)
    images = sum(isinstance(block, sent.Image) for block in content)
    files = sum(isinstance(block, sent.Document | sent.SearchResult) for block in content)
    text = _text(content)
    if not results or images or files or text.strip():
        yield Message("user", text, images=images, files=files)


def _result(block: sent.ToolResult) -> ToolResult:
    content = block.content or ""
    if not isinstance(content, str):
        found: list[Sequence[sent.Content]] = [p.content if isinstance(p, sent.SearchResult) else [p] for p in content]
        content = _text([part for parts in found for part in parts])
    return ToolResult(inward(block.tool_use_id), content, error=bool(block.is_error))


def _assistant(content: str | list[sent.Content]) -> Message:
    if isinstance(content, str):
        return Message("assistant", content)
    thoughts = [block for block in content if isinstance(block, sent.Thinking)]
    seals = [seal for block in thoughts if (seal := opened(block.signature, block.thinking)) is not None]
    return Message(
        "assistant",
        _text(content),
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
        data = _anything(raw)
        text = data[INVALID] if isinstance(data, dict) and len(data) == 1 else data
        if isinstance(text, str):
            return text
    return raw.decode("utf-8")


def _text(content: str | Sequence[sent.Content]) -> str:
    if isinstance(content, str):
        return content
    return "\n".join([block.text for block in content if isinstance(block, sent.Text)])


def _marks(content: str | Sequence[sent.Content]) -> int:
    """Its breakpoints of the prompt cache."""
    return 0 if isinstance(content, str) else sum(block.cache_control is not None for block in content)


def _kind(block: sent.Content) -> str:
    return block.kind if isinstance(block, sent.Other) else str(block.__struct_config__.tag)
