"""Ids of tool calls as Anthropic writes them: those of the server's own making are translated, all others stay.

So a scenario sees one id whatever API carries it. An id also tells whether its answer had thinking, so that a client
that left the thinking out of its history is told apart from one that never had any.
"""

from __future__ import annotations

import re
from typing import Final

_OURS: Final = re.compile(r"call_([0-9a-f]{24})")
_THEIRS: Final = re.compile(r"toolu_(?:01)?([0-9a-f]{24})")
_THOUGHT: Final = "toolu_01"
ANSWER: Final = "msg_"
"""Stands before the id of an answer."""
FIT: Final = re.compile(r"[a-zA-Z0-9_-]+")
"""What an id of a tool call may look like."""


def outward(id_: str, *, thought: bool) -> str:
    """The id as it is sent; *thought*: its answer has thinking."""
    made = _OURS.fullmatch(id_)
    return f"{_THOUGHT if thought else 'toolu_'}{made[1]}" if made else id_


def inward(id_: str) -> str:
    """The id as a scenario sees it."""
    made = _THEIRS.fullmatch(id_)
    return f"call_{made[1]}" if made else id_


def has_thought(id_: str) -> bool:
    """Whether the call came with thinking; False where the id does not tell."""
    return id_.startswith(_THOUGHT) and _THEIRS.fullmatch(id_) is not None
