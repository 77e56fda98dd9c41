"""Ids of the items that the Responses API gives out: each names its answer, and what must come back beside it.

So a client's own history tells, without anything remembered, whose answer it holds and whether it holds all of it.
"""

from __future__ import annotations

import re
from typing import Final

from llmposter.model import Struct

RESPONSE: Final = "resp_"
CONVERSATION: Final = "conv_"
PREFIXES: Final = {"message": "msg", "reasoning": "rs", "function_call": "fc", "custom_tool_call": "ctc"}
_KINDS: Final = {prefix: kind for kind, prefix in PREFIXES.items()}
_OURS: Final = re.compile(r"(?:msg|rs|fc|ctc)_([0-9a-f]{24})([01])([0-9a-f]{3})([0-9a-f]{3})")


class Named(Struct, frozen=True):
    """An id of ours, taken apart.

    Attributes:
        answer: `Reply.id`. stored: OpenAI keeps the item, so that it can be referred to.
        reasoning: the place of the reasoning that must stand with it, for a reasoning item its own where something
            must follow it; -1 for none. index: its place in the output.
    """

    answer: str
    stored: bool
    reasoning: int
    index: int


def named(kind: str, answer: str, index: int, reasoning: int = -1, *, stored: bool = True) -> str:
    """The id of the item of this type at *index* of an answer."""
    return f"{PREFIXES[kind]}_{answer}{stored:d}{reasoning + 1:03x}{index:03x}"


def kind(id_: str) -> str:
    """The type of the item that an id of ours is of."""
    return _KINDS[id_.partition("_")[0]]


def opened(id_: str | None) -> Named | None:
    """What an id says; None for one that is not ours."""
    if not id_ or (found := _OURS.fullmatch(id_)) is None:
        return None
    answer, stored, reasoning, index = found.groups()
    return Named(answer, stored == "1", int(reasoning, 16) - 1, int(index, 16))
