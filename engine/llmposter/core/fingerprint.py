"""What is left of a history once all is taken off that a client may change on the way, as one hash for each prefix.

Pure and linear: each request hashes its history once, one link of the chain for each message or tool result.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

import msgspec

from llmposter.model import Message, Refusal, Reply, Text, ToolCall, ToolUse

if TYPE_CHECKING:
    from collections.abc import Sequence

EMPTY = b""
"""The fingerprint of no message at all."""

_encode = msgspec.msgpack.Encoder().encode
_BLANK = b" \t\r\n\x0b\x0c"


class Prints:
    """The fingerprints of one history.

    Attributes:
        after: `after[n]` is that of the first n messages.
        answers: where the assistant messages are.
        tail: after each message or tool result that follows the last assistant message; the last is `full`.
        full: of the whole history.
    """

    __slots__ = ("after", "answers", "full", "tail")

    def __init__(self, messages: Sequence[Message]) -> None:
        link = EMPTY
        after = [link]
        answers: list[int] = []
        tail: list[bytes] = []
        calls: tuple[ToolUse, ...] = ()
        for index, message in enumerate(messages):
            match message.role:
                case "user":
                    tail.append(link := _link(link, _user(message)))
                case "assistant":
                    link = _link(link, _assistant(message.text, message.calls))
                    answers.append(index)
                    tail, calls = [], message.calls
                case "tool":
                    for atom in _results(message, calls):
                        tail.append(link := _link(link, atom))
                case "system":
                    pass
            after.append(link)
        self.after, self.answers, self.tail, self.full = after, answers, tail, link


def after_answer(full: bytes, reply: Reply) -> bytes:
    """The fingerprint of a history and this answer to it, as it will be when the client sends it back."""
    told = spoken(reply)
    return _link(full, _assistant(told.text, told.calls))


def spoken(reply: Reply) -> Message:
    """The assistant message that a client makes of a reply."""
    return Message(
        role="assistant",
        text="\n".join(part.text for part in reply.parts if isinstance(part, Text | Refusal)),
        calls=tuple(ToolUse(p.id, p.tool, p.arguments) for p in reply.parts if isinstance(p, ToolCall)),
    )


def client_of(system: str) -> bytes:
    """What tells alike clients apart: the system prompt without digits, for agents put clocks there."""
    kept = system.encode("utf-8", "surrogatepass").translate(None, b"0123456789" + _BLANK)
    return blake2b(kept, digest_size=8).digest() if kept else b""


def _link(before: bytes, atom: bytes) -> bytes:
    return blake2b(before + atom, digest_size=16).digest()


# Each kind of atom begins with its own letter, so that none is taken for another.


def _user(message: Message) -> bytes:
    if message.images or message.files:
        return _encode((message.images, message.files, _trimmed(message.text)))
    return b"u" + _trimmed(message.text)


def _assistant(text: str, calls: Sequence[ToolUse]) -> bytes:
    # White space goes altogether: APIs that give the text in several parts join them each in its own way.
    kept = text.encode("utf-8", "surrogatepass").translate(None, _BLANK)
    return _encode(("a", kept, [(call.tool, canonical(call.arguments)) for call in calls])) if calls else b"a" + kept


def _results(message: Message, calls: Sequence[ToolUse]) -> list[bytes]:
    """In the order of their calls: ids may be rewritten on the way, but which call a result answers may not."""
    order = {call.id: number for number, call in enumerate(calls)}
    told = sorted((order.get(result.id, len(calls)), n) for n, result in enumerate(message.results))
    return [_encode(("t", call, _trimmed(message.results[n].text), message.results[n].error)) for call, n in told]


def _trimmed(text: str) -> bytes:
    return text.strip().encode("utf-8", "surrogatepass")


def canonical(arguments: str) -> bytes:
    """JSON text with its keys in order and no white space between; other text only trimmed."""
    trimmed = arguments.strip()
    try:
        return msgspec.json.encode(msgspec.json.decode(trimmed or "{}"), order="sorted")
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return _trimmed(trimmed)
