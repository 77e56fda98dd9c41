"""Gemini: ``generateContent`` and ``streamGenerateContent``, as server-sent events or as one JSON array.

Every event of a stream is an answer of its own with what is new in it; a function call is never cut. Facts of the
format: docs/providers/gemini.md.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, assert_never

import msgspec

from llmposter.model import BadRequest, Delta, Ended, Frame, Refusal, Response, Route, Text, Thinking, ToolCall
from llmposter.wire import gemini_errors, gemini_signature, sse
from llmposter.wire.finishes import meaning
from llmposter.wire.gemini_access import ACCESS
from llmposter.wire.gemini_body import Asked
from llmposter.wire.gemini_errors import HEADERS
from llmposter.wire.gemini_read import ACTIONS, read, unpaired
from llmposter.wire.gemini_usage import Spent
from llmposter.wire.headers import merged
from llmposter_dsl.program import Fail, Say, Template

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from llmposter.model import Failure, Part, Piece, Reply, Request, Rule, Turn, Unpaired, Wire
    from llmposter.wire.headers import Headers

_FINISHES: Final = {"stop": "STOP", "tool_calls": "STOP", "length": "MAX_TOKENS", "content_filter": "SAFETY"}
_BLOCKED: Final = (
    "SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY",
    "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION", "MODEL_ARMOR", "MALFORMED_FUNCTION_CALL",
)  # fmt: skip
"""An answer that ends with one of these ends without a content."""
_OTHERS: Final = (
    "FINISH_REASON_UNSPECIFIED", "STOP", "MAX_TOKENS", "OTHER", "IMAGE_OTHER", "NO_IMAGE", "UNEXPECTED_TOOL_CALL",
    "TOO_MANY_TOOL_CALLS", "MISSING_THOUGHT_SIGNATURE", "MALFORMED_RESPONSE", "ESCALATION", "PUP_LIMITED_DISABLED",
    "CONTINUATION",
)  # fmt: skip
_PROMPT_BLOCKED: Final = ("SAFETY", "OTHER", "BLOCKLIST", "PROHIBITED_CONTENT", "IMAGE_SAFETY")
_MALFORMED: Final = "MALFORMED_FUNCTION_CALL"

_CAREFUL: Final = re.compile(r"[\r\n]|\\u")
_OBJECT: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_STREAM_HEADERS: Final = (("content-type", "text/event-stream"), ("content-disposition", "attachment"))
_RATINGS: Final = (
    b',"safetyRatings":[{"category":"HARM_CATEGORY_DANGEROUS_CONTENT","probability":"HIGH","blocked":true}]'
)
_EMPTY: Final = b'{"text":""}'
_EVENT: Final = b"data: %b\r\n\r\n"
_FIRST, _NEXT, _LAST = b"[", b"\n,\r\n", b"\n]"
"""What stands around the answers in an array."""
_ONE: Final = b'{"candidates":[{"content":{"parts":[%b],"role":"model"}%b,"index":0}],"usageMetadata":%b%b'
_REFUSED: Final = b'{"promptFeedback":{"blockReason":%b,"blockReasonMessage":%b%b},"usageMetadata":%b%b'


class Gemini:
    """The wire."""

    name = "gemini"
    routes: tuple[Route, ...] = tuple(
        Route("POST", f"{path}:{action}") for path in ACTIONS for action in ("generateContent", "streamGenerateContent")
    )
    access = ACCESS

    def read(self, request: Request) -> Turn | BadRequest:
        return read(self.name, request)

    def whole(self, turn: Turn, reply: Reply) -> Response:
        asked = _asked(turn)
        return Response(200, merged(HEADERS, reply.headers), _Said(asked, reply).whole())

    def head(self, turn: Turn, reply: Reply) -> Headers:
        return merged(_STREAM_HEADERS if _asked(turn).events else HEADERS, reply.headers)

    def stream(self, turn: Turn, reply: Reply, pieces: Iterable[Piece]) -> Iterator[Frame]:
        asked = _asked(turn)
        frames = _Said(asked, reply).frames(pieces)
        if asked.events:
            for data, piece, last in frames:
                yield Frame(_EVENT % _on_one_line(data), piece, ("finish", "usage", "end") if last else ())
            return
        before = _FIRST
        for data, piece, last in frames:
            yield Frame(before + data, piece, ("finish", "usage") if last else ())
            before = _NEXT
        yield Frame(_LAST, None, ("end",))

    def failure(self, failure: Failure, now: float) -> Response:
        return gemini_errors.failure(failure, now)

    def broken(self, turn: Turn, reply: Reply, failure: Failure, now: float, sent: int) -> Iterable[Frame]:  # noqa: ARG002 - the protocol's
        told = self.failure(failure, now).body
        if _asked(turn).events:
            yield Frame(_EVENT % _on_one_line(told))
        else:
            yield Frame((_NEXT if sent else _FIRST) + told + _LAST)

    def bad_request(self, refused: BadRequest, now: float) -> Response:  # noqa: ARG002 - the protocol's
        return gemini_errors.refused(refused)

    def unpaired(self, turn: Turn, found: Unpaired) -> BadRequest:
        return unpaired(turn, found)

    def miss(self, message: str, now: float) -> Response:  # noqa: ARG002 - the protocol's
        return gemini_errors.refused(BadRequest(message, status=404))

    def cannot(self, rule: Rule) -> Iterable[str]:
        if rule.finish is not None and _word(rule.finish) is None:
            words = ", ".join(f'"{word}"' for word in (*_OTHERS[1:3], *_BLOCKED))
            yield f'Gemini has no finish reason "{rule.finish}": it knows {words}, and a few more'
        match rule.outcome:
            case Fail(name="content_filter"):
                yield "Gemini has no error for content that is blocked: it answers with a block reason; write `refuse`"
            case Say(calls=calls):
                for call in calls:
                    given = call.arguments.constant if isinstance(call.arguments, Template) else None
                    if given is not None and arguments(given) is None:
                        end = f"ends with {_MALFORMED}" if rule.finish is None else "sends nothing"
                        yield f"Gemini has no arguments but JSON objects: it {end} in their place"
            case _:
                return


class _Said:
    """One reply in Gemini's words; what its events have in common is encoded once."""

    def __init__(self, asked: Asked, reply: Reply) -> None:
        self._asked, self._reply = asked, reply
        self._end = b',"modelVersion":%b,"responseId":%b}' % (sse.encode(reply.model), sse.encode(reply.id))
        self._spent = Spent(reply)
        self._speaking: int | None = None
        calls = [n for n, part in enumerate(reply.parts) if isinstance(part, ToolCall)]
        said = (part for part in reply.parts if isinstance(part, ToolCall))
        self._broken = next((call for call in said if arguments(call.arguments) is None), None)
        signed = gemini_signature.is_signed(reply)
        self._signed = calls[0] if signed and calls else None
        self._seals_text = signed and not calls
        self._word = _word(reply.finish) or ("STOP" if meaning(reply.finish) == "pause" else reply.finish)
        if self._broken is not None and self._word == "STOP":
            self._word = _MALFORMED

    def whole(self) -> bytes:
        if (refusal := self._refusal()) is not None:
            return refusal
        parts = [said for n, part in enumerate(self._reply.parts) if (said := self._part(n, part)) is not None]
        if self._seals_text:
            if self._reply.parts and isinstance(self._reply.parts[-1], Text):
                parts[-1] = self._sealed(parts[-1])
            else:
                parts.append(self._sealed(_EMPTY))
        silent = not any(part != _EMPTY for part in parts)
        told = None if silent and self._word in _BLOCKED else b",".join(parts) or _EMPTY
        return self._answer(told, self._spent.all(), self._finish())

    def frames(self, pieces: Iterable[Piece]) -> Iterator[tuple[bytes, Piece | None, bool]]:
        """The answers, each with the piece that it speaks and whether it is the last."""
        if (refusal := self._refusal()) is not None:
            yield refusal, next(iter(pieces), None), True
            return
        spent = self._spent
        for piece in pieces:
            if isinstance(piece, Delta):
                if isinstance(piece.part, Text):
                    text = self._line(piece.index, piece.text)
                    yield self._answer(b'{"text":%b}' % sse.encode(text), spent.after(text)), piece, False
                elif isinstance(piece.part, Thinking) and not self._asked.silent:
                    told = b'{"text":%b,"thought":true}' % sse.encode(piece.text)
                    yield self._answer(told, spent.thought(piece.text)), piece, False
            elif isinstance(piece, Ended) and isinstance(call := piece.part, ToolCall) and self._broken is None:
                yield self._answer(self._call(piece.index, call), spent.after(call.tool + call.arguments)), piece, False
        last = self._sealed(_EMPTY) if self._seals_text else _EMPTY
        yield self._answer(None if self._word in _BLOCKED else last, spent.all(), self._finish()), None, True

    def _answer(self, parts: bytes | None, spent: bytes, finish: bytes = b"") -> bytes:
        """An answer with each candidate alike; without a content where there are no *parts*."""
        if self._asked.candidates == 1 and parts is not None:
            return _ONE % (parts, finish, spent, self._end)
        said = finish[1:] if parts is None else b'"content":{"parts":[%b],"role":"model"}%b' % (parts, finish)
        candidates = b",".join([b'{%b,"index":%d}' % (said, n) for n in range(self._asked.candidates)])
        return b'{"candidates":[%b],"usageMetadata":%b%b' % (candidates, spent, self._end)

    def _part(self, index: int, part: Part) -> bytes | None:
        match part:
            case Text(text=text):
                return b'{"text":%b}' % sse.encode(self._line(index, text))
            case Thinking(text=text):
                return None if self._asked.silent else b'{"text":%b,"thought":true}' % sse.encode(text)
            case ToolCall():
                return self._call(index, part) if self._broken is None else None
            case Refusal():
                return None
            case _:
                assert_never(part)

    def _call(self, index: int, call: ToolCall) -> bytes:
        signed = index == self._signed
        told = b'{"functionCall":{"id":%b,"name":%b,"args":%b}' % (
            sse.encode(gemini_signature.call_id(call, signed=signed)),
            sse.encode(call.tool),
            arguments(call.arguments) or b"{}",
        )
        if not signed:
            return told + b"}"
        return b'%b,"thoughtSignature":%b}' % (told, sse.encode(gemini_signature.of_call(self._reply, call)))

    def _line(self, index: int, text: str) -> str:
        """What is said next of a part; a text after another begins a line, since clients join them."""
        before, self._speaking = self._speaking, index
        return f"\n{text}" if text and before is not None and before != index else text

    def _sealed(self, part: bytes) -> bytes:
        signature = sse.encode(gemini_signature.of_text(self._reply))
        return b'%b,"thoughtSignature":%b}' % (part.removesuffix(b"}"), signature)

    def _refusal(self) -> bytes | None:
        """A prompt that was blocked: no candidate, whatever else the reply says."""
        told = [part.text for part in self._reply.parts if isinstance(part, Refusal)]
        if not told:
            return None
        reason = self._word if self._word in _PROMPT_BLOCKED else "SAFETY"
        ratings = _RATINGS if reason == "SAFETY" else b""
        message = sse.encode("\n".join(told))
        return _REFUSED % (sse.encode(reason), message, ratings, self._spent.prompt(), self._end)

    def _finish(self) -> bytes:
        told = b',"finishReason":%b' % sse.encode(self._word)
        if self._word == _MALFORMED and (call := self._broken) is not None:
            message = f"Malformed function call: {call.tool}({call.arguments})"
            return b'%b,"finishMessage":%b' % (told, sse.encode(message))
        return told + _RATINGS if self._word == "SAFETY" else told


def arguments(text: str) -> bytes | None:
    """The arguments of a call as an object on one line; None where they are none."""
    if not text.strip():
        return b"{}"
    try:
        _OBJECT.decode(text)
        # An escape may be half a surrogate pair, which strict parsers refuse.
        return sse.encode(msgspec.json.decode(text)) if _CAREFUL.search(text) else text.encode()
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None


def _asked(turn: Turn) -> Asked:
    # A turn that was made by hand has nothing that only this wire knows.
    return turn.extra if isinstance(turn.extra, Asked) else Asked()


def _on_one_line(data: bytes) -> bytes:
    """An event without what Unicode calls the end of a line, written as escapes.

    google-genai before its third major splits a stream at these too, and JSON of Google's own has them escaped.
    """
    if data.isascii():
        return data
    return (
        data.replace(b"\xc2\x85", b"\\u0085").replace(b"\xe2\x80\xa8", b"\\u2028").replace(b"\xe2\x80\xa9", b"\\u2029")
    )


def _word(finish: str) -> str | None:
    """Gemini's word for a finish reason; None where it has none."""
    if finish in _BLOCKED or finish in _OTHERS:
        return finish
    return _FINISHES.get(meaning(finish) or "")


WIRE: Final[Wire] = Gemini()
