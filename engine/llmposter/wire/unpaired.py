"""Where a body has the call or the result that a history was found to lack the other half of.

Places are counted from the end: what the provider held for the client stands before what was sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llmposter.model import Turn, Unpaired

_T = TypeVar("_T")


def sent(turn: Turn, field: str) -> list[dict[str, Any]]:
    """What a body lists under *field*; nothing for a turn that was made without one."""
    listed = msgspec.json.decode(turn.request.body).get(field)
    return listed if isinstance(listed, list) else []


def result_of(turn: Turn, found: Unpaired, results: Sequence[_T]) -> _T | None:
    """Of the *results* that were sent the one that was found; None where it was not among them."""
    after = len(turn.messages[found.message].results) - found.at - 1
    return _from_end(results, after + sum(len(each.results) for each in turn.messages[found.message + 1 :]))


def answer_of(turn: Turn, found: Unpaired, answers: Sequence[_T]) -> _T | None:
    """Of the assistant's messages that were sent the one whose call was found; None where it was not among them."""
    return _from_end(answers, sum(each.role == "assistant" for each in turn.messages[found.message + 1 :]))


def _from_end(listed: Sequence[_T], after: int) -> _T | None:
    return listed[-1 - after] if after < len(listed) else None
