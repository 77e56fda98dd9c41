"""The output of a Response: a reply's parts as items, each with its id.

Texts and refusals that follow each other are the parts of one message, thoughts those of one reasoning item; a call is
an item of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from llmposter.model import Part, Refusal, Struct, Text, Thinking, ToolCall
from llmposter.wire import openai_item_ids as ids
from llmposter.wire.finishes import meaning
from llmposter.wire.openai_responses_echo import repeated
from llmposter.wire.seal import sealed
from llmposter.wire.sse import encode

if TYPE_CHECKING:
    from llmposter.model import Reply, Tokens
    from llmposter.wire.openai_responses_echo import Asked

_RESPONSE: Final = (
    b'{"id":%b,"object":"response","created_at":%d,"status":"%b","completed_at":%b,"error":%b,'
    b'"incomplete_details":%b,"output":[%b],"usage":%b,%b}'
)
_USAGE: Final = (
    b'{"input_tokens":%d,"input_tokens_details":{"cached_tokens":%d,"cache_write_tokens":0},'
    b'"output_tokens":%d,"output_tokens_details":{"reasoning_tokens":%d},"total_tokens":%d}'
)
_MESSAGE: Final = b'{"id":%b,"type":"message","status":"%b","content":[%b],"role":"assistant"}'
_REASONING: Final = b'{"id":%b,"type":"reasoning","summary":[%b]%b}'
_FUNCTION: Final = b'{"id":%b,"type":"function_call","status":"%b","arguments":%b,"call_id":%b,"name":%b}'
_CUSTOM: Final = b'{"id":%b,"type":"custom_tool_call","status":"%b","input":%b,"call_id":%b,"name":%b}'
_CODES: Final = ("server_error", "rate_limit_exceeded", "invalid_prompt")
"""Of openai/types/responses/response_error.py, those that an error of a model's has."""
_TEXT: Final = b'{"type":"output_text","annotations":[],"logprobs":[],"text":%b}'
_REFUSAL: Final = b'{"type":"refusal","refusal":%b}'
_SUMMARY: Final = b'{"type":"summary_text","text":%b}'


class Output:
    """An answer as a Response object, from its beginning to its end.

    Attributes:
        items: the output, in the order of the reply's parts. status: once all is said.
    """

    __slots__ = ("_details", "_echo", "_id", "_reply", "items", "status")

    def __init__(self, asked: Asked, reply: Reply) -> None:
        self._reply, self._echo, self._id = reply, repeated(asked, reply.model), encode(f"{ids.RESPONSE}{reply.id}")
        reason = incomplete(reply)
        self.status = b"completed" if reason is None else b"incomplete"
        self.items = _items(asked, reply, self.status)
        self._details = b"null" if reason is None else b'{"reason":"%b"}' % reason.encode()

    def begun(self) -> bytes:
        """Before anything is said."""
        return self._written(b"in_progress", b"null", b"null", b"null", b"", b"null")

    def failed(self, error: ResponseError) -> bytes:
        """When it fails before all is said."""
        return self._written(b"failed", b"null", error.written, b"null", b"", b"null")

    def whole(self, output: list[bytes] | None = None) -> bytes:
        """When all is said; *output* are its items, if they are written already."""
        used = self._reply.tokens
        usage = usage_of(used)
        done = b"%d" % self._reply.created if self.status == b"completed" else b"null"
        said = [item.whole() for item in self.items] if output is None else output
        return self._written(self.status, done, b"null", self._details, b",".join(said), usage)

    def _written(self, *rest: bytes) -> bytes:
        return _RESPONSE % (self._id, self._reply.created, *rest, self._echo)


class ResponseError(Struct, frozen=True):
    """Why a Response failed."""

    message: str
    type: str
    code: str | None = None
    param: str | None = None

    @property
    def written(self) -> bytes:
        """As the Response holds it, which knows few codes."""
        code = self.code if self.code in _CODES else "server_error"
        return b'{"code":%b,"message":%b}' % (encode(code), encode(self.message))


def usage_of(used: Tokens) -> bytes:
    """Token counts, in JSON."""
    return _USAGE % (used.input, used.cached, used.output, used.reasoning, used.input + used.output)


class Item(Struct, frozen=True):
    """One item of the output.

    Attributes:
        kind: its type. index: its place. id: in JSON. parts: what of the reply it holds.
        status: once it is whole. token: of sealed reasoning, in JSON, or b"".
    """

    kind: str
    index: int
    id: bytes
    parts: tuple[Part, ...]
    status: bytes = b"completed"
    token: bytes = b""

    def whole(self) -> bytes:
        """The item when all of it is said."""
        return self._written([content(part) for part in self.parts], self.status)

    def begun(self) -> bytes:
        """The item before anything of it is said."""
        return self._written([], b"in_progress")

    def _written(self, contents: list[bytes], status: bytes) -> bytes:
        match self.kind:
            case "message":
                return _MESSAGE % (self.id, status, b",".join(contents))
            case "reasoning":
                return _REASONING % (self.id, b",".join(contents), self.token)
            case kind:
                (call,) = self.parts
                assert isinstance(call, ToolCall)
                said = encode(call.arguments) if contents else b'""'
                form = _FUNCTION if kind == "function_call" else _CUSTOM
                return form % (self.id, status, said, encode(call.id), encode(call.tool))


_KINDS: Final[dict[type[Part], str]] = {Text: "message", Refusal: "message", Thinking: "reasoning"}
_FORMS: Final[dict[type[Part], bytes]] = {Text: _TEXT, Refusal: _REFUSAL, Thinking: _SUMMARY, ToolCall: b"%b"}


def content(part: Part, text: str | None = None) -> bytes:
    """A part as its item holds it, or with another text."""
    if text is None:
        text = part.arguments if isinstance(part, ToolCall) else part.text
    return _FORMS[type(part)] % encode(text)


def _items(asked: Asked, reply: Reply, status: bytes) -> list[Item]:
    """The output; an answer without a part is a message without content, so that it is there in a history."""
    groups = _groups(asked, reply.parts)
    found: list[Item] = []
    reasoning, last = -1, len(groups) - 1
    for index, (kind, parts) in enumerate(groups):
        token = b""
        if kind == "reasoning":
            reasoning = -1 if index == last else index
            token = _sealed(reply, parts) if asked.encrypted else b""
        id_ = encode(ids.named(kind, reply.id, index, reasoning, stored=asked.stored))
        found.append(Item(kind, index, id_, parts, status if index == last else b"completed", token))
    return found


def _sealed(reply: Reply, parts: tuple[Part, ...]) -> bytes:
    thought = "\n".join([part.text for part in parts if isinstance(part, Thinking)])
    return b',"encrypted_content":' + encode(sealed(reply.id, thought))


def _groups(asked: Asked, parts: tuple[Part, ...]) -> list[tuple[str, tuple[Part, ...]]]:
    """What makes one item each, by its type."""
    if len(parts) <= 1:
        return [(_kind(asked, parts[0]) if parts else "message", parts)]
    groups: list[tuple[str, tuple[Part, ...]]] = []
    for part in parts:
        kind = _kind(asked, part)
        if groups and groups[-1][0] == kind and not isinstance(part, ToolCall):
            groups[-1] = kind, (*groups[-1][1], part)
        else:
            groups.append((kind, (part,)))
    return groups


def _kind(asked: Asked, part: Part) -> str:
    if isinstance(part, ToolCall):
        return "custom_tool_call" if part.tool in asked.declared.custom else "function_call"
    return _KINDS[type(part)]


_INCOMPLETE: Final = {"length": "max_output_tokens", "content_filter": "content_filter"}
_COMPLETE: Final = ("stop", "tool_calls")
_REASONS: Final = ("max_output_tokens", "content_filter", "max_messages", "steered")
OWN_WORDS: Final = (*_COMPLETE, "length", *_REASONS)
"""The finish reasons that a Response can tell: by its status, and by why it is incomplete."""


def incomplete(reply: Reply) -> str | None:
    """Why the answer is incomplete, in OpenAI's word; None where it is not."""
    word = reply.finish
    if word in _COMPLETE:
        return None
    return word if word in _REASONS else _INCOMPLETE.get(meaning(word) or "")
