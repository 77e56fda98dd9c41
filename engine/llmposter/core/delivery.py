"""How an answer goes out, as data: a reply cut into pieces, spoken by a wire, with the waits between.

Pure and lazy: nothing is cut or encoded before the transport asks for it, and no time passes here.
"""

from __future__ import annotations

import re
from functools import lru_cache, partial
from itertools import chain, islice
from typing import TYPE_CHECKING, Final, assert_never

from llmposter.core.pacing import paced
from llmposter.model import SHORT, Delta, Ended, Failure, Miss, Plan, Reply, Send, Started, ToolCall, Wait

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from llmposter.core.conversation import Damage, Step
    from llmposter.model import Item, Part, Piece, Response, Turn, Wire
    from llmposter_dsl.program import Chunk, Fault

_WORD: Final = re.compile(r"\s*+\S++(?:\s++\Z)?|\s++\Z")
_JSON_WORD: Final = re.compile(r"\W*+\w++(?:\W++\Z)?|\W++\Z")
_BYTES_A_TOKEN: Final = 4
"""As `core.tokens` estimates, so that as many tokens go out as the usage says."""


def plan(step: Step, turn: Turn, wire: Wire, now: float) -> Plan:
    """What to send for a step; *now* is Unix time in seconds."""
    if step.faults:
        from llmposter.core import faults

        return faults.of_step(step, turn, wire, now).plan
    match step.outcome:
        case Reply() as reply if turn.stream:
            said, rhythm = pieces(reply, step.delivery.chunk), step.rhythm
            items: Iterable[Item] = (
                wire.stream(turn, reply, said)
                if rhythm is None
                else paced(said, rhythm, partial(wire.stream, turn, reply))
            )
            return Plan(200, wire.head(turn, reply), streamed=True, items=_after(step.latency, items))
        case Reply() as reply:
            return _at_once(step.latency, wire.whole(turn, reply))
        case Failure() as failure:
            return _at_once(step.latency, wire.failure(failure, now))
        case Miss(message=message):
            return _at_once(step.latency, wire.miss(message, now))
        case _:
            assert_never(step.outcome)


def damage(turn: Turn, wire: Wire, step: Step) -> Damage:
    """What the faults of a step do to its answer."""
    from llmposter.core import faults

    return faults.of_step(step, turn, wire, 0.0).damage


def broken(response: Response, faults: Sequence[Fault], failure: Callable[[Failure], Response]) -> Plan:
    """How an answer goes out that is one body and no reply, with its faults; *failure* words an error."""
    from llmposter.core.faults import of_response

    return of_response(response, faults, failure).plan


def _at_once(latency: float, response: Response) -> Plan:
    return Plan(response.status, response.headers, streamed=False, items=_after(latency, (Send(response.body),)))


def _after(latency: float, items: Iterable[Item]) -> Iterable[Item]:
    return chain((Wait(latency),), items) if latency > 0 else items


def pieces(reply: Reply, chunk: Chunk) -> Iterator[Piece]:
    """The reply as it is spoken: each part begun, its text or arguments in chunks, and ended."""
    return iter(_spoken_before(reply.parts, chunk)) if reply.size <= SHORT else _spoken(reply.parts, chunk)


@lru_cache(maxsize=256)
def _spoken_before(parts: tuple[Part, ...], chunk: Chunk) -> tuple[Piece, ...]:
    return tuple(_spoken(parts, chunk))


def _spoken(parts: tuple[Part, ...], chunk: Chunk) -> Iterator[Piece]:
    for index, part in enumerate(parts):
        yield Started(index, part)
        for text in _cut(part, chunk):
            yield Delta(index, part, text)
        yield Ended(index, part)


def _cut(part: Part, chunk: Chunk) -> Iterable[str]:
    text = part.arguments if isinstance(part, ToolCall) else part.text
    if not text:
        return ()
    match chunk.unit:
        case "whole":
            return (text,)
        case "characters":
            return _by_characters(text, chunk.size)
        case "tokens":
            return _by_bytes(text, chunk.size * _BYTES_A_TOKEN)
        case "words":
            # Arguments are JSON without white space: their words are what stands between the punctuation.
            return _by_words(text, chunk.size, _JSON_WORD if isinstance(part, ToolCall) else _WORD)
        case _:
            assert_never(chunk.unit)


def _by_bytes(text: str, size: int) -> Iterable[str]:
    """At most *size* bytes of UTF-8 at a time, never a part of a character."""
    return _by_characters(text, size) if text.isascii() else _by_whole_characters(text, size)


def _by_characters(text: str, size: int) -> Iterator[str]:
    return (text[at : at + size] for at in range(0, len(text), size))


def _by_whole_characters(text: str, size: int) -> Iterator[str]:
    data = text.encode("utf-8", "surrogatepass")
    at = 0
    while at < len(data):
        end = min(at + size, len(data))
        while end < len(data) and data[end] & 0xC0 == 0x80:
            end -= 1
        yield data[at:end].decode("utf-8", "surrogatepass")
        at = end


def _by_words(text: str, size: int, word: re.Pattern[str]) -> Iterator[str]:
    """*size* words at a time, each with the white space before it; what ends the text goes with the last."""
    words = word.finditer(text)
    while taken := list(islice(words, size)):
        yield text[taken[0].start() : taken[-1].end()]
