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
        # A lone surrogate has no UTF-8; JSON can say it as an escape, and that is what a client would have sent.
        return json.dumps(value, separators=(",", ":")).encode("ascii")


def event(data: bytes) -> bytes:
    """An event without a name."""
    return b"data: " + data + b"\n\n"
