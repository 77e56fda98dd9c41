"""What is left of a history once all is taken off that a client may change on the way, as one hash for each prefix.

Pure and linear: each request hashes its history once, one link of the chain for each message or tool result.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

import msgspec

from llmposter.model import Message, Refusal, Reply, Text, ToolCall, ToolUse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

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
        calls: Mapping[str, int] = {}
        for index, message in enumerate(messages):
            for atom in _atoms(message, calls):
                link = _link(link, atom)
                tail.append(link)
            if message.role == "assistant":
                answers.append(index)
                tail.clear()
                calls = {call.id: order for order, call in enumerate(message.calls)}
            after.append(link)
        self.after, self.answers, self.tail, self.full = after, answers, tail, link


def after_answer(full: bytes, reply: Reply) -> bytes:
    """The fingerprint of a history and this answer to it, as it will be when the client sends it back."""
    (atom,) = _atoms(spoken(reply), {})
    return _link(full, atom)


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


def _atoms(message: Message, calls: Mapping[str, int]) -> Iterator[bytes]:
    match message.role:
        case "assistant":
            # White space goes altogether: APIs that give the text in several parts join them each in its own way.
            text = message.text.encode("utf-8", "surrogatepass").translate(None, _BLANK)
            yield _encode(("a", text, [(call.tool, canonical(call.arguments)) for call in message.calls]))
        case "tool":
            # Ids may be rewritten on the way, but which call a result answers may not.
            ordered = sorted((calls.get(result.id, len(calls)), n) for n, result in enumerate(message.results))
            for call, n in ordered:
                yield _encode(("t", call, _trimmed(message.results[n].text), message.results[n].error))
        case "user":
            yield _encode(("u", _trimmed(message.text), message.images, message.files))
        case "system":
            return


def _trimmed(text: str) -> bytes:
    return text.strip().encode("utf-8", "surrogatepass")


def canonical(arguments: str) -> bytes:
    """JSON text with its keys in order and no white space between; other text only trimmed."""
    try:
        return msgspec.json.encode(msgspec.json.decode(arguments or "{}"), order="sorted")
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return _trimmed(arguments)
