"""What OpenAI's older endpoints take for text: one, a list of them, tokens in place of one, or a list of such."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from llmposter.model import BadRequest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Input: TypeAlias = str | list[str | int | list[int]]


class Each(NamedTuple):
    """One text.

    Attributes:
        place: of it in the body: ``input[2]``.
        text: as it was sent; of tokens their ids, a space between.
        tokens: how many there are, where tokens were sent.
    """

    place: str
    text: str
    tokens: int | None = None


def each(field: str, given: Input) -> list[Each] | BadRequest:
    """Every text that a field holds, in order."""
    found = []
    for place, one in _apart(field, given):
        if isinstance(one, str):
            found.append(Each(place, one))
        elif all(isinstance(token, int) and token >= 0 for token in one):
            found.append(Each(place, " ".join(map(str, one)), len(one)))
        else:
            return BadRequest(f"Invalid '{place}': expected a string, or an array of token ids.", field)
    return found


def _apart(field: str, given: Input) -> Iterator[tuple[str, str | Sequence[str | int | list[int]]]]:
    if isinstance(given, str) or not given or any(isinstance(one, int) for one in given):
        yield field, given
        return
    for n, one in enumerate(given):
        if not isinstance(one, int):
            yield f"{field}[{n}]", one
