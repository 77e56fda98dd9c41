"""What a client must send back unchanged: a token that names the answer it came with and seals the text beside it.

Anthropic's and Gemini's signatures and OpenAI's encrypted reasoning are such tokens. Pure: nothing has to be
remembered to open one.
"""

from __future__ import annotations

import base64
import binascii
from hashlib import blake2b
from typing import Final

from llmposter.model import Struct

_MARK: Final = b"\x12\x0cllmposter\x01"
_SIZE: Final = 16


class Seal(Struct, frozen=True):
    """A token that was opened.

    Attributes:
        answer: `Reply.id` of the answer that it came with. unbroken: the text beside it is still the same.
    """

    answer: str
    unbroken: bool


def sealed(answer: str, text: str) -> str:
    """The token, in base64, of the text in the answer of this `Reply.id`."""
    name = answer.encode("utf-8", "surrogatepass")
    return base64.b64encode(_MARK + _digest(name, text) + name).decode("ascii")


def opened(token: str, text: str) -> Seal | None:
    """What *token* says when it comes back beside *text*; None where `sealed` never made it."""
    try:
        data = base64.b64decode(token, validate=True)
    except (binascii.Error, ValueError):
        return None
    digest, name = data[len(_MARK) : len(_MARK) + _SIZE], data[len(_MARK) + _SIZE :]
    if not data.startswith(_MARK) or len(digest) < _SIZE:
        return None
    return Seal(name.decode("utf-8", "replace"), digest == _digest(name, text))


def _digest(name: bytes, text: str) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_SIZE, key=blake2b(name).digest()).digest()
