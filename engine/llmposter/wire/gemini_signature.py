"""Gemini's thought signatures: where they stand in an answer, and whether they came back as they went out.

The first call of an answer that reasoned is signed, else the end of its text
(https://ai.google.dev/gemini-api/docs/thought-signatures). The id of a signed call says that it was signed, so that a
signature which is left out is noticed although nothing is remembered.
"""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Final

import msgspec

from llmposter.model import Text, Thinking, ToolCall
from llmposter.wire import seal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from llmposter.model import Reply

_OWN: Final = re.compile(r"call_[0-9a-f]{24}")
_SIGNED: Final = re.compile(r"(call_[0-9a-f]{24})s")
_STANDARD: Final = str.maketrans("-_", "+/")
_WHOLE_NUMBER: Final = re.compile(rb"(?<=\d)\.0(?=[,\]}])")

UNCHECKED: Final = frozenset(
    form
    for text in (b"context_engineering_is_the_way_to_go", b"skip_thought_signature_validator")
    for form in (text.decode(), base64.urlsafe_b64encode(text).decode())
)
"""What Google's documentation lets stand in place of a signature in a history that another model wrote; clients send it
plain, or as the bytes that it is."""
CORRUPTED: Final = "Corrupted thought signature."
INVALID: Final = "Thought signature is not valid."


def missing(tool: str, position: int) -> str:
    """What Gemini says of a call that lacks its signature; *position* counts contents from 1."""
    return (
        "Function call is missing a thought_signature in functionCall parts. This is required for tools to work "
        "correctly, and missing thought_signature may lead to degraded model performance. Additional data, function "
        f"call `default_api:{tool}` , position {position}. Please refer to "
        "https://ai.google.dev/gemini-api/docs/thought-signatures for more details."
    )


def is_signed(reply: Reply) -> bool:
    """Whether the answer has a signature: it reasoned."""
    return any(isinstance(part, Thinking) for part in reply.parts)


def of_call(reply: Reply, call: ToolCall) -> str:
    """The signature of a call."""
    return seal.sealed(reply.id, called(call.tool, call.arguments))


def of_text(reply: Reply) -> str:
    """The signature of all that the answer says."""
    return seal.sealed(reply.id, said(part.text for part in reply.parts if isinstance(part, Text)))


def call_id(call: ToolCall, *, signed: bool) -> str:
    """The id of a call as it goes out."""
    return f"{call.id}s" if signed and _OWN.fullmatch(call.id) else call.id


def known_id(sent: str) -> tuple[str, bool]:
    """The id that came back as a scenario knows it, and whether its call went out signed."""
    signed = _SIGNED.fullmatch(sent)
    return (signed[1], True) if signed else (sent, False)


def called(tool: str, arguments: str) -> str:
    """What a call's signature seals: key order and ``1.0`` for ``1`` are no change."""
    try:
        plain = msgspec.json.encode(msgspec.json.decode(arguments or "{}"), order="sorted")
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return f"{tool}({arguments})"
    return f"{tool}({_WHOLE_NUMBER.sub(b'', plain).decode()})"


def opened(signature: str, beside: Iterable[str]) -> tuple[str, str]:
    """The answer that a signature came with, and what is wrong with it; "" for either where there is nothing.

    It seals one of the texts *beside* it, of which there is at least one.
    """
    if signature in UNCHECKED:
        return "", ""
    # Clients send bytes in either alphabet of base64, with padding or without (ProtoJSON).
    token = signature.translate(_STANDARD).rstrip("=")
    token += "=" * (-len(token) % 4)
    answer = ""
    for text in beside:
        found = seal.opened(token, text)
        if found is None:
            return "", CORRUPTED
        if found.unbroken:
            return found.answer, ""
        answer = found.answer
    return answer, INVALID


def said(texts: Iterable[str]) -> str:
    """What a text's signature seals: clients join and trim the chunks of a stream each in its own way."""
    return "".join("".join(texts).split())
