"""What is left of a history once all is taken off that a client may change on the way, as one hash for each prefix.

Pure: each message or tool result has a digest of its own, which a message keeps once it is known, and a prefix is
known by the hash of its digests; so a history that comes again with a little more costs little more.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

import msgspec

from llmposter.model import Message, Refusal, Reply, Text, ToolCall, ToolUse

if TYPE_CHECKING:
    from collections.abc import Sequence

EMPTY = b""
"""The fingerprint of no message at all."""

_encode = msgspec.msgpack.Encoder().encode
_SIZE: Final = 16
_LONG: Final = 32_768
"""Characters of a system prompt above which it is not kept to be known again."""
_BLANK = b" \t\r\n\x0b\x0c"


class Prints:
    """The fingerprints of one history.

    Attributes:
        answers: where the assistant messages are.
        full: of the whole history.
    """

    __slots__ = ("_digests", "_ends", "answers", "full")

    def __init__(self, messages: Sequence[Message]) -> None:
        digests: list[bytes] = []
        ends = [0]
        answers: list[int] = []
        calls: tuple[ToolUse, ...] = ()
        for index, message in enumerate(messages):
            role = message.role
            if role == "tool":
                digests += [_digest(atom) for atom in _results(message, calls)]
            elif role != "system":
                digests.append(message.__dict__.get("print") or _kept(message))
                if role == "assistant":
                    answers.append(index)
                    calls = message.calls
            ends.append(len(digests))
        self.answers, self._ends, self._digests = answers, ends, b"".join(digests)
        self.full = _print(self._digests)

    def upto(self, count: int) -> bytes:
        """Of the first *count* messages."""
        return _print(self._digests[: self._ends[count] * _SIZE])

    @property
    def tail(self) -> list[bytes]:
        """After each message or tool result that follows the last assistant message; the last is `full`."""
        first, last = self._ends[self.answers[-1] + 1] if self.answers else 0, self._ends[-1]
        shorter = [_print(self._digests[: number * _SIZE]) for number in range(first + 1, last)]
        return [*shorter, self.full] if last > first else []

    def after_answer(self, reply: Reply) -> bytes:
        """The fingerprint of the history and this answer to it, as it will be when the client sends it back."""
        told = spoken(reply)
        return _print(self._digests + _digest(_assistant(told.text, told.calls)))


def spoken(reply: Reply) -> Message:
    """The assistant message that a client makes of a reply."""
    if len(reply.parts) == 1 and isinstance(only := reply.parts[0], Text):
        return Message("assistant", only.text)
    return Message(
        role="assistant",
        text="\n".join(part.text for part in reply.parts if isinstance(part, Text | Refusal)),
        calls=tuple(ToolUse(p.id, p.tool, p.arguments) for p in reply.parts if isinstance(p, ToolCall)),
    )


def client_of(system: str) -> bytes:
    """What tells alike clients apart: the system prompt without digits, for agents put clocks there."""
    return b"" if not system else _client_of(system) if len(system) > _LONG else _client_known(system)


def _client_of(system: str) -> bytes:
    kept = system.encode("utf-8", "surrogatepass").translate(None, b"0123456789" + _BLANK)
    return blake2b(kept, digest_size=8).digest() if kept else b""


_client_known = lru_cache(maxsize=64)(_client_of)


def _kept(message: Message) -> bytes:
    """The digest of what a user or the assistant said, worked out once for each message."""
    atom = _user(message) if message.role == "user" else _assistant(message.text, message.calls)
    message.__dict__["print"] = digest = _digest(atom)
    return digest


def _digest(atom: bytes) -> bytes:
    return blake2b(atom, digest_size=_SIZE).digest()


def _print(digests: bytes) -> bytes:
    return blake2b(digests, digest_size=_SIZE).digest() if digests else EMPTY


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
    return [_encode(("t", call, _trimmed(message.results[n].text), bool(message.results[n].error))) for call, n in told]


def _trimmed(text: str) -> bytes:
    return text.strip().encode("utf-8", "surrogatepass")


def canonical(arguments: str) -> bytes:
    """JSON text with its keys in order and no white space between; other text only trimmed."""
    trimmed = arguments.strip()
    try:
        return msgspec.json.encode(msgspec.json.decode(trimmed or "{}"), order="sorted")
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return _trimmed(trimmed)
