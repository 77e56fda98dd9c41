"""A Response as a stream of events: every one numbered and named, each item and part begun, spoken and done.

What a stretch of text does not change is written once for its part.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Final

from llmposter.model import Delta, Frame, Refusal, Started, Struct, Text, Thinking, ToolCall
from llmposter.wire.openai_responses_output import Item, Output, ResponseError, content
from llmposter.wire.sse import encode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from llmposter.model import Ended, Part, Piece

_EVENT: Final = b'event: response.%b\ndata: {"type":"response.%b","sequence_number":%d,%b}\n\n'
_ERROR: Final = (
    b'event: error\ndata: {"type":"error","error":{"type":%b,"code":%b,"message":%b,"param":%b},'
    b'"code":%b,"message":%b,"param":%b,"sequence_number":%d}\n\n'
)
"""Nested as OpenAI sends it, for which openai/_streaming.py raises; and flat as response_error_event.py has it."""
_DELTA: Final = b'event: response.%b.delta\ndata: {"type":"response.%b.delta",%b"sequence_number":'


class Form(Struct, frozen=True):
    """How the parts of one kind are streamed.

    Attributes:
        text: the events of its text. part: those of the part itself; b"" for a call, which is its item.
        place: what the place in the item is called. said: what holds the text when it is done. more: what else is told.
    """

    text: bytes
    said: bytes
    part: bytes = b""
    place: bytes = b""
    more: bytes = b""


_FORMS: Final[dict[type[Part], Form]] = {
    Text: Form(b"output_text", b"text", b"content_part", b"content_index", b'"logprobs":[],'),
    Refusal: Form(b"refusal", b"refusal", b"content_part", b"content_index"),
    Thinking: Form(b"reasoning_summary_text", b"text", b"reasoning_summary_part", b"summary_index"),
}
_FUNCTION: Final = Form(b"function_call_arguments", b"arguments")
_CUSTOM: Final = Form(b"custom_tool_call_input", b"input")


class _Spoken(Struct, frozen=True):
    """A part in its item: how it is streamed, where it stands, and whether it begins and ends the item."""

    item: Item
    form: Form
    at: bytes
    first: bool
    last: bool


def spoken(output: Output, pieces: Iterable[Piece]) -> Iterator[Frame]:
    """The events of an answer, from the first to the last."""
    numbers = count()
    parts = [part for item in output.items for part in _parts(item)]
    done: list[bytes] = []
    delta = begun = b'"response":' + output.begun()
    yield _event(b"created", numbers, begun)
    yield _event(b"in_progress", numbers, begun)
    for piece in pieces:
        if isinstance(piece, Delta):
            yield Frame(b'%b%d,"delta":%b}\n\n' % (delta, next(numbers), encode(piece.text)), piece)
        elif isinstance(piece, Started):
            part = parts[piece.index]
            delta = _DELTA % (part.form.text, part.form.text, part.at + part.form.more)
            yield from _started(part, piece, numbers)
        else:
            yield from _ended(parts[piece.index], piece, numbers, done)
    if not parts:
        yield from _silent(output.items[0], numbers, done)
    last = _event(output.status, numbers, b'"response":' + output.whole(done))
    yield Frame(last.data, None, ("finish", "usage", "end"))


def failed(output: Output, error: ResponseError, sent: int) -> Iterator[Frame]:
    """The events of an answer that fails after *sent* others: the error, and what the Response came to."""
    numbers = count(sent)
    told = [encode(each) for each in (error.code, error.message, error.param)]
    yield Frame(_ERROR % (encode(error.type), *told, *told, next(numbers)))
    yield _event(b"failed", numbers, b'"response":' + output.failed(error))


def _event(name: bytes, numbers: count[int], rest: bytes, piece: Piece | None = None) -> Frame:
    return Frame(_EVENT % (name, name, next(numbers), rest), piece)


def _parts(item: Item) -> Iterator[_Spoken]:
    for n, part in enumerate(item.parts):
        form = _FORMS.get(type(part)) or (_FUNCTION if item.kind == "function_call" else _CUSTOM)
        at = b'"item_id":%b,"output_index":%d,' % (item.id, item.index)
        if form.place:
            at += b'"%b":%d,' % (form.place, n)
        yield _Spoken(item, form, at, n == 0, n == len(item.parts) - 1)


def _started(part: _Spoken, piece: Started, numbers: count[int]) -> Iterator[Frame]:
    if part.first:
        added = b'"output_index":%d,"item":%b' % (part.item.index, part.item.begun())
        yield _event(b"output_item.added", numbers, added, piece)
    if part.form.part:
        begun = b'%b"part":%b' % (part.at, content(piece.part, ""))
        yield _event(part.form.part + b".added", numbers, begun, piece)


def _ended(part: _Spoken, piece: Ended, numbers: count[int], done: list[bytes]) -> Iterator[Frame]:
    form, said = part.form, encode(piece.part.arguments if isinstance(piece.part, ToolCall) else piece.part.text)
    yield _event(form.text + b".done", numbers, b'%b%b"%b":%b' % (part.at, form.more, form.said, said), piece)
    if form.part:
        yield _event(form.part + b".done", numbers, b'%b"part":%b' % (part.at, content(piece.part)), piece)
    if part.last:
        done.append(part.item.whole())
        yield _event(b"output_item.done", numbers, b'"output_index":%d,"item":%b' % (part.item.index, done[-1]), piece)


def _silent(item: Item, numbers: count[int], done: list[bytes]) -> Iterator[Frame]:
    """An item without a part."""
    done.append(item.whole())
    yield _event(b"output_item.added", numbers, b'"output_index":0,"item":%b' % item.begun())
    yield _event(b"output_item.done", numbers, b'"output_index":0,"item":%b' % done[-1])
