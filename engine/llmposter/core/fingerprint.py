"""What is left of a history once all is taken off that a client may change on the way, as one hash for each prefix.

Pure: each message or tool result has a digest of its own, which a message keeps once it is known, and a prefix is
known by the hash of its digests; so a history that comes again with a little more costs little more.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from operator import attrgetter
from typing import TYPE_CHECKING, Final

import msgspec

from llmposter.model import Message, Refusal, Reply, Text, ToolCall, ToolUse

if TYPE_CHECKING:
    from collections.abc import Sequence

EMPTY = b""
"""The fingerprint of no message at all."""

_encode = msgspec.msgpack.Encoder().encode
_SIZE: Final = 15
"""Bytes of a fingerprint: so many never meet by chance, and one more would make each object that holds one larger."""
_LONG: Final = 32_768
"""Characters of a system prompt above which it is not kept to be known again."""
_SHORT: Final = 2_048
"""Characters of an answer up to which its digest is remembered."""
_BLANK = b" \t\r\n\x0b\x0c"


class Prints:
    """The fingerprints of one history.

    Args:
        messages: in order. begun: how the answer to them begins, where the client says it and not the machine.

    Attributes:
        last: where the last assistant message is; -1 where there is none.
        plain: it has neither calls nor results, for certain.
        full: the fingerprint of the whole history.
    """

    __slots__ = ("_answered", "_answers", "_begun", "_digests", "_ends", "_hash", "_messages", "full", "last", "plain")

    def __init__(self, messages: Sequence[Message], begun: str = "") -> None:
        self._messages, self._begun = messages, begun
        self._hash: blake2b | None = None
        self._answers: list[int] | None = None
        last = len(messages) - 1
        while last >= 0 and messages[last].role != "assistant":
            last -= 1
        self.last = last
        for message in reversed(messages):
            if message.__dict__:
                break  # it came before, and with it all before it
            _learn(message)
        try:
            self._digests, self._ends, self.plain = b"".join(map(_PRINT, messages)), None, True
        except AttributeError:
            self._digests, self._ends = _with_tools(messages)
            self.plain = False
        self.full = self._digests if len(self._digests) <= _SIZE else self._hashed()

    def _hashed(self) -> bytes:
        """The fingerprint of the whole, on the way from that of what was answered to that of the next answer."""
        answered = self._end(self.last + 1) * _SIZE
        self._hash = blake2b(self._digests[:answered], digest_size=_SIZE)
        self._answered = self._hash.digest() if answered > _SIZE else self._digests[:answered]
        self._hash.update(self._digests[answered:])
        return self._hash.digest()

    @property
    def answers(self) -> list[int]:
        """Where the assistant messages are."""
        if self._answers is None:
            self._answers = [index for index, message in enumerate(self._messages) if message.role == "assistant"]
        return self._answers

    def upto(self, count: int) -> bytes:
        """Of the first *count* messages."""
        if count == self.last + 1 and self._hash is not None:
            return self._answered
        return _print(self._digests[: self._end(count) * _SIZE])

    @property
    def openings(self) -> tuple[bytes, ...]:
        """This history, and each that it extends by no more than input, longest first."""
        if self.last + 2 >= len(self._messages) and self._ends is None:
            return (self.full,)
        first, last = self._end(self.last + 1), self._end(len(self._messages))
        return self.full, *(_print(self._digests[: number * _SIZE]) for number in range(last - 1, first, -1))

    def after_answer(self, reply: Reply) -> bytes:
        """The fingerprint of the history and this answer to it, as it will be when the client sends it back."""
        parts = reply.parts
        if len(parts) == 1 and type(only := parts[0]) is Text:
            digest = _digest_of_text(self._begun + only.text)
        else:
            told = spoken(reply)
            digest = _digest(_assistant(self._begun + told.text, told.calls))
        if self._hash is None:
            return _print(self._digests + digest)
        after = self._hash.copy()
        after.update(digest)
        return after.digest()

    def _end(self, count: int) -> int:
        """How many digests the first *count* messages have."""
        return count if self._ends is None else self._ends[count]


_PRINT: Final = attrgetter("print")


def _learn(message: Message) -> bytes | None:
    """The digest of what a user or the assistant said, kept with it; None for what has none, or not by itself."""
    match message.role:
        case "user":
            digest = _digest(_user(message))
        case "assistant" if message.calls:
            digest = _digest(_assistant(message.text, message.calls))
        case "assistant":
            digest = _digest_of_text(message.text)
        case _:
            return None
    # Under another name with calls or results, so that a history of plain messages is told by its having "print" alone.
    message.__dict__["print with calls" if message.calls or message.results else "print"] = digest
    return digest


def _with_tools(messages: Sequence[Message]) -> tuple[bytes, list[int]]:
    """The digests of a history, and how many there are up to each message; a result has one that tells its call."""
    digests: list[bytes] = []
    ends = [0]
    calls: tuple[ToolUse, ...] = ()
    for message in messages:
        kept = message.__dict__
        if message.role == "tool":
            told = kept.get("print of results")
            if told is None or told[0] is not calls:
                told = kept["print of results"] = calls, [_digest(atom) for atom in _results(message, calls)]
            digests += told[1]
        elif (known := kept.get("print") or kept.get("print with calls") or _learn(message)) is not None:
            digests.append(known)
            if message.role == "assistant":
                calls = message.calls
        ends.append(len(digests))
    return b"".join(digests), ends


def spoken(reply: Reply) -> Message:
    """The assistant message that a client makes of a reply."""
    if len(reply.parts) == 1 and isinstance(only := reply.parts[0], Text):
        return Message("assistant", only.text)
    return Message(
        role="assistant",
        text="\n".join(part.text for part in reply.parts if isinstance(part, Text | Refusal)),
        calls=tuple(ToolUse(p.id, p.tool, p.arguments) for p in reply.parts if isinstance(p, ToolCall)),
    )


def client_of(system: str, *, counts: bool = False) -> bytes:
    """What tells alike clients apart: the system prompt without digits, for agents put clocks there.

    One that sends retry *counts* and one that does not are two.
    """
    if not system:
        return b"+" if counts else b"-"
    return _client_of(system, counts) if len(system) > _LONG else _client_known(system, counts)


def _client_of(system: str, counts: bool) -> bytes:  # noqa: FBT001 - lru_cache keeps names and places apart
    kept = system.encode("utf-8", "surrogatepass").translate(None, b"0123456789" + _BLANK)
    return (blake2b(kept, digest_size=8).digest() if kept else b"") + (b"+" if counts else b"-")


_client_known = lru_cache(maxsize=64)(_client_of)


def _digest(atom: bytes) -> bytes:
    return blake2b(atom, digest_size=_SIZE).digest()


@lru_cache(maxsize=256)
def _known_text(text: str) -> bytes:
    return _digest(_assistant(text, ()))


def _digest_of_text(text: str) -> bytes:
    """Of an answer that is one text; many are given again and again."""
    return _known_text(text) if len(text) < _SHORT else _digest(_assistant(text, ()))


def _print(digests: bytes) -> bytes:
    """One digest is its own, none is `EMPTY`."""
    return digests if len(digests) <= _SIZE else blake2b(digests, digest_size=_SIZE).digest()


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
        return msgspec.json.encode(_decode(trimmed or "{}"), order="sorted")
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return _trimmed(trimmed)


def _whole(number: str) -> float | int:
    # A client in JavaScript that reads 22.0 and -0.0 writes 22 and 0, and exact integers end where its own do.
    value = float(number)
    return int(value) if value.is_integer() and abs(value) <= 2**53 else value


_decode = msgspec.json.Decoder(float_hook=_whole).decode
