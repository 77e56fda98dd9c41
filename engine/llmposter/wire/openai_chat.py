"""OpenAI Chat Completions: ``POST /v1/chat/completions``, whole and streamed.

`reasoning_content` stands only in an answer that has reasoning: OpenAI's own API shows none, the servers that speak
its format do. Facts of the format: docs/providers/openai-chat.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, assert_never

from llmposter.model import (
    BadRequest,
    Delta,
    Ended,
    Frame,
    Refusal,
    Response,
    Route,
    Started,
    Text,
    Thinking,
    ToolCall,
)
from llmposter.wire import openai_errors, sse
from llmposter.wire.finishes import meaning
from llmposter.wire.headers import JSON, merged
from llmposter.wire.openai_chat_body import Asked
from llmposter.wire.openai_chat_read import read
from llmposter.wire.openai_headers import of_reply

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from llmposter.model import Failure, Json, Part, Piece, Reply, Request, Rule, Turn, Wire
    from llmposter.wire.headers import Headers

_FINISHES: Final = ("stop", "length", "tool_calls", "content_filter", "function_call")
_TIERS: Final = {"flex": b'"flex"', "priority": b'"priority"', "fast": b'"priority"', "scale": b'"scale"'}
_FIELDS: Final[dict[type[Part], bytes]] = {Text: b"content", Thinking: b"reasoning_content", Refusal: b"refusal"}
_BEGIN: Final = b'{"role":"assistant","content":"","refusal":null}'
_BEGIN_NULL: Final = b'{"role":"assistant","content":null,"refusal":null}'
_TEXT: Final = b'{"role":"assistant","content":%b,"refusal":null,"annotations":[]}'
_OF_JSON: Final = ("content-type", JSON)
_WHOLE: Final = (
    b'{"id":%b,"object":"chat.completion","created":%d,"model":%b,"choices":[%b],"usage":%b,"service_tier":%b,'
    b'"system_fingerprint":"fp_llmposter"}'
)
_CHUNK: Final = (
    b'data: {"id":%b,"object":"chat.completion.chunk","created":%d,"model":%b,"service_tier":%b,'
    b'"system_fingerprint":"fp_llmposter","choices":['
)
_USAGE: Final = (
    b'{"prompt_tokens":%d,"completion_tokens":%d,"total_tokens":%d,'
    b'"prompt_tokens_details":{"cached_tokens":%d,"audio_tokens":0},'
    b'"completion_tokens_details":{"reasoning_tokens":%d,"audio_tokens":0,'
    b'"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}'
)
_DONE: Final = sse.event(b"[DONE]")


class OpenAIChat:
    """The wire."""

    name = "openai"
    routes: tuple[Route, ...] = (Route("POST", "/v1/chat/completions"),)

    def read(self, request: Request) -> Turn | BadRequest:
        return read(self.name, request)

    def whole(self, turn: Turn, reply: Reply) -> Response:
        asked = _asked(turn)
        said = b'"message":%b,"logprobs":null,"finish_reason":%b}' % (_message(asked, reply), _finish(asked, reply))
        body = _WHOLE % (
            sse.encode(f"chatcmpl-{reply.id}"),
            reply.created,
            sse.encode(reply.model),
            b",".join([b'{"index":%d,%b' % (n, said) for n in range(asked.choices)]),
            _usage(reply),
            _tier(asked),
        )
        headers = merged((_OF_JSON, *of_reply(reply)), reply.headers)
        return Response(200, headers, body)

    def head(self, turn: Turn, reply: Reply) -> Headers:  # noqa: ARG002 - the protocol's
        return merged((*sse.HEADERS, *of_reply(reply)), reply.headers)

    def stream(self, turn: Turn, reply: Reply, pieces: Iterable[Piece]) -> Iterator[Frame]:
        asked = _asked(turn)
        chunks = _Chunks(asked, reply)
        yield from chunks.written(_BEGIN_NULL if _content(reply) is None else _BEGIN)
        for piece in pieces:
            if isinstance(piece, Delta) and (field := _FIELDS.get(type(piece.part))) is not None:
                yield from chunks.spoken(field, piece)
            elif not isinstance(piece, Ended):
                for delta in chunks.deltas(piece):
                    yield from chunks.delta(delta, piece)
        yield from chunks.written(b"{}", None, _finish(asked, reply))
        if asked.usage:
            yield chunks.usage()
        yield Frame(_DONE)

    def failure(self, failure: Failure, now: float) -> Response:
        return openai_errors.failure(failure, now)

    def bad_request(self, refused: BadRequest, now: float) -> Response:
        return openai_errors.refused(refused, now)

    def miss(self, message: str, now: float) -> Response:
        return openai_errors.refused(BadRequest(message, code="no_rule_matched", status=404), now)

    def cannot(self, rule: Rule) -> Iterable[str]:
        if rule.finish is not None and rule.finish not in _FINISHES and meaning(rule.finish) in (None, "pause"):
            words = ", ".join(f'"{word}"' for word in _FINISHES)
            yield f'OpenAI Chat has no finish reason "{rule.finish}": it knows {words}'


class _Chunks:
    """The chunks of one stream: what all have in common is encoded once."""

    def __init__(self, asked: Asked, reply: Reply) -> None:
        start = _CHUNK % (
            sse.encode(f"chatcmpl-{reply.id}"),
            reply.created,
            sse.encode(reply.model),
            _tier(asked),
        )
        self._asked, self._reply, self._start = asked, reply, start
        self._starts = [b'%b{"index":%d,"delta":' % (start, n) for n in range(asked.choices)]
        self._end = (b',"usage":null}' if asked.usage else b"}") + b"\n\n"
        self._rest = b',"logprobs":null,"finish_reason":null}]' + self._end
        self._calls: dict[int, int] = {}
        self._texts = 0

    def delta(self, delta: Json, piece: Piece) -> list[Frame]:
        return self.written(sse.encode(delta), piece)

    def spoken(self, field: bytes, piece: Delta) -> list[Frame]:
        """The next stretch of what is said, by far the most of a stream."""
        rest = b'{"%b":%b}%b' % (field, sse.encode(piece.text), self._rest)
        return [Frame(start + rest, piece) for start in self._starts]

    def written(self, delta: bytes, piece: Piece | None = None, finish: bytes = b"null") -> list[Frame]:
        """One chunk for each choice."""
        rest = b'%b,"logprobs":null,"finish_reason":%b}]%b' % (delta, finish, self._end)
        return [Frame(start + rest, piece) for start in self._starts]

    def usage(self) -> Frame:
        """The chunk that has no choice."""
        return Frame(self._start + b'],"usage":' + _usage(self._reply) + b"}\n\n")

    def deltas(self, piece: Piece) -> Iterator[Json]:
        match piece:
            case Started(index=index, part=ToolCall() as call):
                yield self._call_begun(index, call)
            case Started(part=Text()):
                # A message has one content; texts that follow each other stand on lines of their own.
                if self._texts:
                    yield {"content": "\n"}
                self._texts += 1
            case Delta(index=index, part=ToolCall() as call, text=text):
                yield self._call_goes_on(index, call, text)
            case Delta() | Started() | Ended():
                return
            case _:
                assert_never(piece)

    def _call_begun(self, index: int, call: ToolCall) -> Json:
        nth = self._calls.setdefault(index, len(self._calls))
        if _is_legacy(self._asked, self._reply):
            return {"function_call": {"name": call.tool, "arguments": ""}}
        return {"tool_calls": [{"index": nth, **_call(self._asked, call, "")}]}

    def _call_goes_on(self, index: int, call: ToolCall, text: str) -> Json:
        if _is_legacy(self._asked, self._reply):
            return {"function_call": {"arguments": text}}
        part = {"custom": {"input": text}} if call.tool in self._asked.custom else {"function": {"arguments": text}}
        return {"tool_calls": [{"index": self._calls[index], **part}]}


def _asked(turn: Turn) -> Asked:
    # A turn that was made by hand has nothing that only this wire knows.
    return turn.extra if isinstance(turn.extra, Asked) else Asked()


def _message(asked: Asked, reply: Reply) -> bytes:
    if len(reply.parts) == 1 and isinstance(only := reply.parts[0], Text):
        return _TEXT % sse.encode(only.text)
    calls = [_call(asked, part, part.arguments) for part in reply.parts if isinstance(part, ToolCall)]
    refusals = [part.text for part in reply.parts if isinstance(part, Refusal)]
    thoughts = [part.text for part in reply.parts if isinstance(part, Thinking)]
    message: dict[str, Json] = {
        "role": "assistant",
        "content": _content(reply),
        "refusal": "\n".join(refusals) if refusals else None,
        "annotations": [],
    }
    if thoughts:
        message["reasoning_content"] = "".join(thoughts)
    if calls and _is_legacy(asked, reply):
        message["function_call"] = calls[0]["function"]
    elif calls:
        message["tool_calls"] = calls
    return sse.encode(message)


def _content(reply: Reply) -> str | None:
    """The text; null beside a refusal or calls alone. Nowhere else: OpenAI takes no null back in a history."""
    texts = [part.text for part in reply.parts if isinstance(part, Text)]
    if not texts and any(isinstance(part, Refusal | ToolCall) for part in reply.parts):
        return None
    return "\n".join(texts)


def _call(asked: Asked, call: ToolCall, arguments: str) -> dict[str, Json]:
    if call.tool in asked.custom:
        return {"id": call.id, "type": "custom", "custom": {"name": call.tool, "input": arguments}}
    return {"id": call.id, "type": "function", "function": {"name": call.tool, "arguments": arguments}}


def _is_legacy(asked: Asked, reply: Reply) -> bool:
    """Whether the call is spelt as `function_call`, which can say no more than one."""
    return asked.legacy and sum(isinstance(part, ToolCall) for part in reply.parts) == 1


def _finish(asked: Asked, reply: Reply) -> bytes:
    word = reply.finish
    if word not in _FINISHES:
        word = meaning(word) or word
    match word:
        case "pause":
            return b'"stop"'
        case "tool_calls" if _is_legacy(asked, reply):
            return b'"function_call"'
        case _:
            return sse.encode(word)


def _tier(asked: Asked) -> bytes:
    return _TIERS.get(asked.tier, b'"default"')


def _usage(reply: Reply) -> bytes:
    used = reply.tokens
    return _USAGE % (used.input, used.output, used.input + used.output, used.cached, used.reasoning)


WIRE: Final[Wire] = OpenAIChat()
