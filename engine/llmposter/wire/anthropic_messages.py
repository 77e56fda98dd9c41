"""Anthropic Messages: ``POST /v1/messages``, whole and streamed.

Thinking is sealed with a signature that tells its answer; facts of the format: docs/providers/anthropic.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, assert_never

import msgspec

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
from llmposter.wire import anthropic_errors, sse
from llmposter.wire.anthropic_access import ACCESS
from llmposter.wire.anthropic_body import Asked
from llmposter.wire.anthropic_content import INVALID
from llmposter.wire.anthropic_headers import of_reply
from llmposter.wire.anthropic_ids import ANSWER, FIT, outward
from llmposter.wire.anthropic_read import read
from llmposter.wire.anthropic_unpaired import unpaired
from llmposter.wire.finishes import meaning
from llmposter.wire.headers import JSON, merged
from llmposter.wire.seal import sealed
from llmposter_dsl.program import Say

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from llmposter.model import Failure, Part, Piece, Reply, Request, Rule, Turn, Unpaired, Wire
    from llmposter.wire.headers import Headers

_FINISHES: Final = (
    "end_turn", "max_tokens", "stop_sequence", "tool_use", "pause_turn", "refusal", "model_context_window_exceeded",
    "compaction",
)  # fmt: skip
_WORDS: Final = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "refusal",
    "pause": "pause_turn",
}
_OF_JSON: Final = ("content-type", JSON)

_MESSAGE: Final = (
    b'{"model":%b,"id":%b,"type":"message","role":"assistant","content":[%b],"stop_reason":%b,"stop_sequence":%b,'
    b'"stop_details":%b,"usage":%b}'
)
_USAGE: Final = (
    b'{"input_tokens":%d,"cache_creation_input_tokens":0,"cache_read_input_tokens":%d,'
    b'"cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0},"output_tokens":%d,'
    b'"output_tokens_details":{"thinking_tokens":%d},"service_tier":"standard","inference_geo":"not_available"}'
)
_USED: Final = (
    b'{"input_tokens":%d,"cache_creation_input_tokens":0,"cache_read_input_tokens":%d,"output_tokens":%d,'
    b'"output_tokens_details":{"thinking_tokens":%d}}'
)
_TEXT: Final = b'{"type":"text","text":%b}'
_THINKING: Final = b'{"type":"thinking","thinking":%b,"signature":%b}'
_CALL: Final = b'{"type":"tool_use","id":%b,"name":%b,"input":%b,"caller":{"type":"direct"}}'
_REFUSED: Final = b'{"type":"refusal","category":null,"explanation":%b}'

_BEGIN: Final = sse.named(b"message_start", b'{"type":"message_start","message":%b}')
_PING: Final = Frame(sse.named(b"ping", b'{"type":"ping"}'))
_OPEN: Final = sse.named(b"content_block_start", b'{"type":"content_block_start","index":%d,"content_block":%b}')
_DELTA: Final = b'event: content_block_delta\ndata: {"type":"content_block_delta","index":%d,"delta":{%b'
_DELTA_END: Final = b"}}\n\n"
_CLOSE: Final = sse.named(b"content_block_stop", b'{"type":"content_block_stop","index":%d}')
_FINISH: Final = sse.named(
    b"message_delta",
    b'{"type":"message_delta","delta":{"stop_reason":%b,"stop_sequence":%b,"stop_details":%b},"usage":%b}',
)
_DONE: Final = Frame(sse.named(b"message_stop", b'{"type":"message_stop"}'), None, ("end",))
_TEXT_DELTA: Final = b'"type":"text_delta","text":'
_JSON_DELTA: Final = b'"type":"input_json_delta","partial_json":'
_FIELDS: Final[dict[type[Part], bytes]] = {
    Text: _TEXT_DELTA,
    Refusal: _TEXT_DELTA,
    Thinking: b'"type":"thinking_delta","thinking":',
    ToolCall: _JSON_DELTA,
}
_SIGNATURE_DELTA: Final = b'"type":"signature_delta","signature":'
_NOTHING: Final = b'""'
_NOT_YET: Final = (b"null", b"null", b"null")


class AnthropicMessages:
    """The wire."""

    name = "anthropic"
    routes: tuple[Route, ...] = (Route("POST", "/v1/messages"),)
    access = ACCESS

    def read(self, request: Request) -> Turn | BadRequest:
        return read(self.name, request)

    def whole(self, turn: Turn, reply: Reply) -> Response:
        asked = _asked(turn)
        blocks = [_block(asked, reply, part) for part in reply.parts if _shows(part)]
        body = _message(reply, b",".join(blocks), _end(asked, reply), _usage(reply, reply.tokens.output))
        return Response(200, merged((_OF_JSON, *of_reply(reply)), reply.headers), body)

    def head(self, turn: Turn, reply: Reply) -> Headers:  # noqa: ARG002 - the protocol's
        return merged((*sse.HEADERS, *of_reply(reply)), reply.headers)

    def stream(self, turn: Turn, reply: Reply, pieces: Iterable[Piece]) -> Iterator[Frame]:
        asked = _asked(turn)
        # What is already written when a stream begins: Anthropic counts the first token with it.
        begun = _usage(reply, min(1, reply.tokens.output), thought=0)
        yield Frame(_BEGIN % _message(reply, b"", _NOT_YET, begun))
        index = -1
        start = b""
        for piece in pieces:
            part = piece.part
            if isinstance(piece, Delta):
                if not (asked.silent and isinstance(part, Thinking)):
                    yield Frame(start + sse.encode(piece.text) + _DELTA_END, piece)
            elif not _shows(part):
                continue
            elif isinstance(piece, Started):
                index += 1
                start = _DELTA % (index, _FIELDS[type(part)])
                yield from _opened(index, reply, part, piece)
            else:
                yield from _closed(index, asked, reply, part, piece)
        if index < 0:
            yield _PING
        yield Frame(_FINISH % (*_end(asked, reply), _used(reply)), None, ("finish", "usage"))
        yield _DONE

    def failure(self, failure: Failure, now: float) -> Response:
        return anthropic_errors.failure(failure, now)

    def broken(self, turn: Turn, reply: Reply, failure: Failure, now: float, sent: int) -> Iterable[Frame]:  # noqa: ARG002 - the protocol's
        yield Frame(sse.named(b"error", self.failure(failure, now).body))

    def bad_request(self, refused: BadRequest, now: float) -> Response:
        return anthropic_errors.refused(refused, now)

    def unpaired(self, turn: Turn, found: Unpaired) -> BadRequest:
        return unpaired(turn, found)

    def miss(self, message: str, now: float) -> Response:
        return anthropic_errors.miss(message, now)

    def cannot(self, rule: Rule) -> Iterable[str]:
        if rule.finish is not None and rule.finish not in _FINISHES and meaning(rule.finish) is None:
            words = ", ".join(f'"{word}"' for word in _FINISHES)
            yield f'Anthropic has no stop reason "{rule.finish}": it knows {words}'
        if isinstance(rule.outcome, Say):
            for call in rule.outcome.calls:
                given = call.id.constant if call.id is not None else None
                if given and not FIT.fullmatch(given):
                    yield f'Anthropic takes no id "{given}" of a tool call back: it takes letters, digits, "_" and "-"'


def _asked(turn: Turn) -> Asked:
    # A turn that was made by hand has nothing that only this wire knows.
    return turn.extra if isinstance(turn.extra, Asked) else Asked()


def _message(reply: Reply, content: bytes, end: tuple[bytes, bytes, bytes], usage: bytes) -> bytes:
    return _MESSAGE % (sse.encode(reply.model), sse.encode(ANSWER + reply.id), content, *end, usage)


# --- blocks -----------------------------------------------------------------------------------------------------


def _shows(part: Part) -> bool:
    """Anthropic sends no empty text, and takes none back."""
    return not isinstance(part, Text | Refusal) or part.text != ""


def _block(asked: Asked, reply: Reply, part: Part) -> bytes:
    match part:
        case Text(text=text) | Refusal(text=text):
            return _TEXT % sse.encode(text)
        case Thinking(text=text):
            shown = "" if asked.silent else text
            return _THINKING % (sse.encode(shown), _signature(reply, shown))
        case ToolCall():
            return _call(reply, part, _input(part.arguments))
        case _:
            assert_never(part)


def _signature(reply: Reply, shown: str) -> bytes:
    return sse.encode(sealed(reply.id, shown))


def _call(reply: Reply, call: ToolCall, arguments: bytes) -> bytes:
    thought = any(isinstance(part, Thinking) for part in reply.parts)
    return _CALL % (sse.encode(outward(call.id, thought=thought)), sse.encode(call.tool), arguments)


def _input(arguments: str) -> bytes:
    """Arguments as the object that they have to be; what is none is wrapped as Anthropic's guide has it."""
    text = arguments.strip()
    try:
        if not text or isinstance(msgspec.json.decode(text), dict):
            return text.encode("utf-8") or b"{}"
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        pass
    return sse.encode({INVALID: arguments})


def _opened(index: int, reply: Reply, part: Part, piece: Started) -> Iterator[Frame]:
    yield Frame(_OPEN % (index, _empty(reply, part)), piece)
    if index == 0:
        yield _PING
    if isinstance(part, ToolCall):
        # The API begins every input with a stretch that has nothing in it.
        yield Frame(_DELTA % (index, _JSON_DELTA) + _NOTHING + _DELTA_END, piece)


def _empty(reply: Reply, part: Part) -> bytes:
    """A block that begins."""
    match part:
        case Text() | Refusal():
            return _TEXT % _NOTHING
        case Thinking():
            return _THINKING % (_NOTHING, _NOTHING)
        case ToolCall():
            return _call(reply, part, b"{}")
        case _:
            assert_never(part)


def _closed(index: int, asked: Asked, reply: Reply, part: Part, piece: Ended) -> Iterator[Frame]:
    if isinstance(part, Thinking):
        shown = "" if asked.silent else part.text
        yield Frame(_DELTA % (index, _SIGNATURE_DELTA) + _signature(reply, shown) + _DELTA_END, piece)
    yield Frame(_CLOSE % index, piece)


# --- how it ends ------------------------------------------------------------------------------------------------


def _end(asked: Asked, reply: Reply) -> tuple[bytes, bytes, bytes]:
    """Why it stops, the stop sequence if that is why, and what there is to say of a refusal."""
    refusals = [part.text for part in reply.parts if isinstance(part, Refusal)]
    reason = _reason(reply.finish, refused=bool(refusals))
    sequence = asked.stop if reason == "stop_sequence" else None
    explained = sse.encode("\n".join(refusals) if refusals else None)
    return sse.encode(reason), sse.encode(sequence), _REFUSED % explained if reason == "refusal" else b"null"


def _reason(finish: str, *, refused: bool) -> str:
    if refused and finish == "stop":
        return "refusal"
    return finish if finish in _FINISHES else _WORDS.get(meaning(finish) or "", finish)


def _usage(reply: Reply, output: int, thought: int | None = None) -> bytes:
    used = reply.tokens
    thinking = used.reasoning if thought is None else thought
    return _USAGE % (max(0, used.input - used.cached), used.cached, output, thinking)


def _used(reply: Reply) -> bytes:
    used = reply.tokens
    return _USED % (max(0, used.input - used.cached), used.cached, used.output, used.reasoning)


WIRE: Final[Wire] = AnthropicMessages()
