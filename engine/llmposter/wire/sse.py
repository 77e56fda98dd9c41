"""Server-sent events and the JSON in them, as bytes (WHATWG HTML, section 9.2).

JSON that is encoded here has no line break, so an event is never cut by its own data.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from llmposter.model import Json

HEADERS: Final = (("content-type", "text/event-stream; charset=utf-8"), ("cache-control", "no-cache"))
"""What a streamed answer is sent with."""

_ENCODER: Final = msgspec.json.Encoder()


def encode(value: Json) -> bytes:
    """*value* as JSON without white space."""
    try:
        return _ENCODER.encode(value)
    except UnicodeEncodeError:
        # Half a surrogate pair has no UTF-8, and strict parsers refuse its escape too; whole pairs become characters.
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode("utf-8")


def event(data: bytes) -> bytes:
    """An event without a name."""
    return b"data: " + data + b"\n\n"


def named(name: bytes, data: bytes) -> bytes:
    """An event with a name."""
    return b"event: " + name + b"\ndata: " + data + b"\n\n"
