"""A request to Gemini, read into a `Turn`: any bytes give one or a `BadRequest`.

A result without an id is given that of the call it answers, found by name and order.
"""

from __future__ import annotations

from itertools import chain
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec
from msgspec.structs import replace

from llmposter.model import BadRequest, Message, ToolResult, ToolUse, Turn
from llmposter.wire import gemini_body as sent
from llmposter.wire import gemini_signature as signature
from llmposter.wire.gemini_contents import heard_of, text_of
from llmposter.wire.gemini_options import DECLARED, asked, bounds, params
from llmposter.wire.gemini_wording import NO_CONTENTS, NOT_JSON, refusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from llmposter.model import Request, Unpaired

T = TypeVar("T")
# Not strict, for a number may stand in quotes (ProtoJSON).
_BODY: Final = msgspec.json.Decoder(sent.Body, strict=False)
_ENVELOPE: Final = msgspec.json.Decoder(sent.Envelope, strict=False)
_RAWS: Final = msgspec.json.Decoder(list[msgspec.Raw])
_IS_PLAIN: Final = attrgetter("is_plain")
_MESSAGES: Final = attrgetter("messages")
_ROLE: Final = attrgetter("role")

VERSIONS: Final = ("v1beta", "v1", "v1alpha")
ACTIONS: Final = tuple(f"/{version}/{kind}/{{model}}" for version in VERSIONS for kind in ("models", "tunedModels"))
"""The paths of models; what is asked of one follows a colon."""
ORDER: Final = (
    "Please ensure that function call turn comes immediately after a user turn or after a function response turn."
)
COUNT: Final = (
    "Please ensure that the number of function response parts is equal to the number of function call parts of the "
    "function call turn."
)
STRAY: Final = "Please ensure that function response turn comes immediately after a function call turn."


def read(provider: str, request: Request) -> Turn | BadRequest:
    """The request in our words; any bytes give one or the other."""
    data = request.body
    try:
        # As text where it may not be: the decoder leaves bytes alone that no field wants, and Google does not.
        body = _ENVELOPE.decode(data if data.isascii() else data.decode("utf-8"))
        heard = heard_of(_listed(body.contents))
        declared = DECLARED.get(bytes(body.tools)) if body.tools != sent.NOTHING else sent.Declared()
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return refused(_BODY, data)
    return _turn(provider, request, body, heard, declared)


def decoded(decoder: msgspec.json.Decoder[T], data: bytes) -> T | BadRequest:
    """A body as *decoder* has it, or what is wrong with it."""
    try:
        return decoder.decode(data.decode("utf-8"))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return refused(decoder, data)


def refused(decoder: msgspec.json.Decoder[Any], data: bytes) -> BadRequest:
    """What is wrong with a body that *decoder* does not take, its place told from the top."""
    try:
        decoder.decode(data.decode("utf-8"))
    except msgspec.ValidationError as error:
        return refusal(str(error), data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    return NOT_JSON


def _listed(raw: msgspec.Raw) -> list[bytes]:
    given = bytes(raw)
    if given.startswith(b"["):
        return list(map(bytes, _RAWS.decode(given)))
    return [] if raw == sent.NOTHING else [given]


# --- the turn ---------------------------------------------------------------------------------------------------


def _turn(provider: str, request: Request, body: sent.Envelope, heard: list[sent.Heard], tools: sent.Declared) -> Turn:
    of_path = path(request)
    generation = body.generationConfig or body.generation_config
    messages = _messages(heard)
    return Turn(
        provider,
        request,
        of_path[0],
        of_path[1] == "streamGenerateContent",
        text_of(body.systemInstruction or body.system_instruction),
        messages,
        tools.tools,
        params(body, generation),
        body.labels or {},
        None,
        (*_breaches(heard, messages, generation), *tools.faults),
        asked(request, generation),
        # The signature of an answer that reasoned names it; others have none.
        echoes=generation is not None and (generation.thinkingConfig or generation.thinking_config) is not None,
        continues=bool(messages) and messages[-1].role == "assistant" and not messages[-1].calls,
    )


def path(request: Request) -> tuple[str, str]:
    """The model and the action of ``/v1beta/models/MODEL:ACTION``; a tuned model is named with what it stands under."""
    _, _, kind, named = request.path.split("/", 3)
    name, _, action = named.rpartition(":")
    return (name if kind == "models" else f"{kind}/{name}"), action


def _messages(heard: list[sent.Heard]) -> tuple[Message, ...]:
    messages = tuple(chain.from_iterable(map(_MESSAGES, heard)))
    return tuple(_joined(messages)) if "tool" in map(_ROLE, messages) else messages


def _joined(messages: Iterable[Message]) -> Iterator[Message]:
    """The messages, results that follow each other as one and each with the id of its call."""
    calls: tuple[ToolUse, ...] = ()
    waiting: list[Message] = []
    for message in messages:
        if message.role == "tool":
            waiting.append(message)
            continue
        if waiting:
            yield _answered(waiting, calls)
            waiting = []
        if message.role == "assistant":
            calls = message.calls
        yield message
    if waiting:
        yield _answered(waiting, calls)


def _answered(messages: list[Message], calls: tuple[ToolUse, ...]) -> Message:
    results = [result for message in messages for result in message.results]
    if len(messages) == 1 and all(result.id for result in results):
        return messages[0]
    open_ = [call for call in calls if call.id not in {result.id for result in results}]
    named: list[ToolResult] = []
    for result in results:
        call = None if result.id else next((call for call in open_ if call.tool == result.tool), None)
        if call is not None:
            open_.remove(call)
        named.append(result if call is None else replace(result, id=call.id))
    images, files = sum(message.images for message in messages), sum(message.files for message in messages)
    return Message("tool", results=tuple(named), images=images, files=files)


# --- what Gemini refuses with a 400 although the body can be read -----------------------------------------------


def _breaches(heard: list[sent.Heard], messages: tuple[Message, ...], given: sent.Generation | None) -> Iterator[str]:
    if not heard:
        yield NO_CONTENTS
    if not all(map(_IS_PLAIN, heard)):
        yield from _faults(heard)
        yield from dict.fromkeys(_order(messages))
    if given is not None:
        yield from bounds(given)


def _faults(heard: list[sent.Heard]) -> Iterator[str]:
    content = 0
    asked = max((n for n, each in enumerate(heard) if each.asks), default=-1)
    for n, each in enumerate(heard):
        for fault in each.faults:
            at = f"contents[{content + fault.content}]"
            yield fault.message.format(at=at if fault.part < 0 else f"{at}.parts[{fault.part}]")
        # Signatures of turns that are over are not asked for.
        if each.unsigned and n > asked:
            yield signature.missing(each.unsigned, content + 1)
        content += each.contents


def unpaired(turn: Turn, found: Unpaired) -> BadRequest:
    """What Gemini says of a call or a result that has no other half: it counts them, and looks at no name and no id."""
    before = turn.messages[found.message - 1] if found.message else None
    if found.kind == "unanswered":
        told = COUNT
    elif before is None or not before.calls:
        told = STRAY
    elif len(before.calls) != len(turn.messages[found.message].results):
        told = COUNT
    else:
        told = found.sentence
    return BadRequest(told)


def _order(messages: tuple[Message, ...]) -> Iterator[str]:
    """What Gemini says of calls and results before it looks any closer; it names none of them."""
    before: Message | None = None
    for message in messages:
        called = len(before.calls) if before is not None else 0
        if message.role == "tool" and not called:
            yield STRAY
        elif called and len(message.results) != called:
            yield COUNT
        if before is None and message.calls:
            yield ORDER
        before = message
