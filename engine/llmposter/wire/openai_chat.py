"""OpenAI Chat Completions: ``POST /v1/chat/completions``, whole and streamed.

`reasoning_content` stands only in an answer that has reasoning: OpenAI's own API shows none, the servers that speak
its format do. Facts of the format: docs/providers/openai-chat.md.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final, assert_never

from llmposter.model import (
    SHORT,
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
from llmposter.wire import sse
from llmposter.wire.finishes import meaning
from llmposter.wire.openai_chat_body import Asked
from llmposter.wire.openai_chat_read import read
from llmposter.wire.openai_chat_unpaired import unpaired
from llmposter.wire.openai_wire import OpenAIWire, answered

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from llmposter.model import Json, Part, Piece, Reply, Request, Rule, Tokens, Turn, Unpaired, Wire

_FINISHES: Final = ("stop", "length", "tool_calls", "content_filter", "function_call")
_TIERS: Final = {"flex": b'"flex"', "priority": b'"priority"', "fast": b'"priority"', "scale": b'"scale"'}
_FIELDS: Final[dict[type[Part], bytes]] = {Text: b"content", Thinking: b"reasoning_content", Refusal: b"refusal"}
_BEGIN: Final = b'{"role":"assistant","content":"","refusal":null}'
_BEGIN_NULL: Final = b'{"role":"assistant","content":null,"refusal":null}'
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
_DONE: Final = Frame(sse.event(b"[DONE]"), None, ("end",))


class OpenAIChat(OpenAIWire):
    """The wire."""

    name = "openai"
    routes: tuple[Route, ...] = (Route("POST", "/v1/chat/completions"),)

    def read(self, request: Request) -> Turn | BadRequest:
        return read(self.name, request)

    def whole(self, turn: Turn, reply: Reply) -> Response:
        asked = _asked(turn)
        said = (_said_before if reply.size <= SHORT else _said)(asked, reply.parts, reply.finish)
        body = _WHOLE % (
            sse.encode(f"chatcmpl-{reply.id}"),
            reply.created,
            sse.encode(reply.model),
            said,
            _usage(reply.tokens),
            _tier(asked),
        )
        return answered(reply, body)

    def stream(self, turn: Turn, reply: Reply, pieces: Iterable[Piece]) -> Iterator[Frame]:
        asked = _asked(turn)
        start = _CHUNK % (
            sse.encode(f"chatcmpl-{reply.id}"),
            reply.created,
            sse.encode(reply.model),
            _tier(asked),
        )
        starts = [b'%b{"index":%d,"delta":' % (start, n) for n in range(asked.choices)]
        for rest, piece in _spoken(asked, reply, pieces):
            for each in starts:
                yield Frame(each + rest, piece)
        rest = _last(asked, reply.parts, reply.finish)
        for each in starts:
            yield Frame(each + rest, None, ("finish",))
        if asked.usage:
            yield Frame(start + b'],"usage":' + _usage(reply.tokens) + b"}\n\n", None, ("usage",))
        yield _DONE

    def unpaired(self, turn: Turn, found: Unpaired) -> BadRequest:
        return unpaired(turn, found)

    def cannot(self, rule: Rule) -> Iterable[str]:
        if rule.finish is not None and rule.finish not in _FINISHES and meaning(rule.finish) in (None, "pause"):
            words = ", ".join(f'"{word}"' for word in _FINISHES)
            yield f'OpenAI Chat has no finish reason "{rule.finish}": it knows {words}'


class _Deltas:
    """What the chunks of one stream say, without what tells it from the next stream that says the same."""

    def __init__(self, asked: Asked, parts: tuple[Part, ...]) -> None:
        self._asked, self._parts = asked, parts
        self._calls: dict[int, int] = {}
        self._texts = 0

    def spoken(self, pieces: Iterable[Piece]) -> Iterator[tuple[bytes, Piece | None]]:
        yield self._rest(_BEGIN_NULL if _content(self._parts) is None else _BEGIN), None
        for piece in pieces:
            if isinstance(piece, Delta) and (field := _FIELDS.get(type(piece.part))) is not None:
                yield self._rest(b'{"%b":%b}' % (field, sse.encode(piece.text))), piece
            elif not isinstance(piece, Ended):
                for delta in self._deltas(piece):
                    yield self._rest(sse.encode(delta)), piece

    def _rest(self, delta: bytes) -> bytes:
        return _rest(self._asked, delta, b"null")

    def _deltas(self, piece: Piece) -> Iterator[Json]:
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
        if _is_legacy(self._asked, self._parts):
            return {"function_call": {"name": call.tool, "arguments": ""}}
        return {"tool_calls": [{"index": nth, **_call(self._asked, call, "")}]}

    def _call_goes_on(self, index: int, call: ToolCall, text: str) -> Json:
        if _is_legacy(self._asked, self._parts):
            return {"function_call": {"arguments": text}}
        part = {"custom": {"input": text}} if call.tool in self._asked.custom else {"function": {"arguments": text}}
        return {"tool_calls": [{"index": self._calls[index], **part}]}


def _spoken(asked: Asked, reply: Reply, pieces: Iterable[Piece]) -> Iterable[tuple[bytes, Piece | None]]:
    if reply.size > SHORT:
        return _Deltas(asked, reply.parts).spoken(pieces)
    told = (*pieces, None)
    return ((rest, told[n]) for rest, n in _spoken_before(asked, reply.parts, told))


@lru_cache(maxsize=256)
def _spoken_before(
    asked: Asked, parts: tuple[Part, ...], told: tuple[Piece | None, ...]
) -> tuple[tuple[bytes, int], ...]:
    """With the places of the pieces: whoever follows a stream knows them by themselves, not by what they are like."""
    places = {id(piece): n for n, piece in enumerate(told)}
    spoken = _Deltas(asked, parts).spoken([piece for piece in told if piece is not None])
    return tuple((rest, places[id(piece)]) for rest, piece in spoken)


@lru_cache(maxsize=256)
def _last(asked: Asked, parts: tuple[Part, ...], finish: str) -> bytes:
    """The chunk that says why it ended."""
    return _rest(asked, b"{}", _finish(asked, parts, finish))


def _rest(asked: Asked, delta: bytes, finish: bytes) -> bytes:
    end = b',"usage":null}\n\n' if asked.usage else b"}\n\n"
    return b'%b,"logprobs":null,"finish_reason":%b}]%b' % (delta, finish, end)


def _asked(turn: Turn) -> Asked:
    # A turn that was made by hand has nothing that only this wire knows.
    return turn.extra if isinstance(turn.extra, Asked) else Asked()


def _said(asked: Asked, parts: tuple[Part, ...], finish: str) -> bytes:
    """All choices of a whole answer."""
    message, end = sse.encode(_message(asked, parts)), _finish(asked, parts, finish)
    choice = b'"message":%b,"logprobs":null,"finish_reason":%b}' % (message, end)
    return b",".join([b'{"index":%d,%b' % (n, choice) for n in range(asked.choices)])


_said_before: Final = lru_cache(maxsize=1024)(_said)


def _message(asked: Asked, parts: tuple[Part, ...]) -> Json:
    calls = [_call(asked, part, part.arguments) for part in parts if isinstance(part, ToolCall)]
    refusals = [part.text for part in parts if isinstance(part, Refusal)]
    thoughts = [part.text for part in parts if isinstance(part, Thinking)]
    message: dict[str, Json] = {
        "role": "assistant",
        "content": _content(parts),
        "refusal": "\n".join(refusals) if refusals else None,
        "annotations": [],
    }
    if thoughts:
        message["reasoning_content"] = "".join(thoughts)
    if calls and _is_legacy(asked, parts):
        message["function_call"] = calls[0]["function"]
    elif calls:
        message["tool_calls"] = calls
    return message


def _content(parts: tuple[Part, ...]) -> str | None:
    """The text; null beside a refusal or calls alone. Nowhere else: OpenAI takes no null back in a history."""
    texts = [part.text for part in parts if isinstance(part, Text)]
    if not texts and any(isinstance(part, Refusal | ToolCall) for part in parts):
        return None
    return "\n".join(texts)


def _call(asked: Asked, call: ToolCall, arguments: str) -> dict[str, Json]:
    if call.tool in asked.custom:
        return {"id": call.id, "type": "custom", "custom": {"name": call.tool, "input": arguments}}
    return {"id": call.id, "type": "function", "function": {"name": call.tool, "arguments": arguments}}


def _is_legacy(asked: Asked, parts: tuple[Part, ...]) -> bool:
    """Whether the call is spelt as `function_call`, which can say no more than one."""
    return asked.legacy and sum(isinstance(part, ToolCall) for part in parts) == 1


def _finish(asked: Asked, parts: tuple[Part, ...], word: str) -> bytes:
    if word not in _FINISHES:
        word = meaning(word) or word
    match word:
        case "pause":
            return b'"stop"'
        case "tool_calls" if _is_legacy(asked, parts):
            return b'"function_call"'
        case _:
            return sse.encode(word)


def _tier(asked: Asked) -> bytes:
    return _TIERS.get(asked.tier, b'"default"')


@lru_cache(maxsize=1024)
def _usage(used: Tokens) -> bytes:
    return _USAGE % (used.input, used.output, used.input + used.output, used.cached, used.reasoning)


WIRE: Final[Wire] = OpenAIChat()
