"""Tokens that are others in another scenario; the language finds those that are alike in one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmposter_dsl.diagnostic import Diagnostic, Related
from llmposter_dsl.place import Within

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from llmposter_dsl.place import Place
    from llmposter_dsl.program import Program, Token


def between(programs: Iterable[Program]) -> Iterator[tuple[Program, Diagnostic]]:
    """Scenarios with a token that another has otherwise: requests are let in before they are anybody's."""
    first: dict[str, tuple[Program, Token]] = {}
    for program in programs:
        for index, token in enumerate(() if program.auth is None else program.auth.tokens):
            for known in (f"name {token.name}", f"value {token.value}"):
                other, same = first.setdefault(known, (program, token))
                if other is not program and same != token:
                    related = (Related(_auth(other), "the first one is here"),)
                    message = f'the token "{token.name}" is another one in the scenario "{other.name}"'
                    help_ = "give it another name and value, or the same uses and lifetime"
                    yield program, Diagnostic("LP502", message, _auth(program, index), help_, related)
                    break


def _auth(program: Program, index: int | None = None) -> Place:
    place = program.place
    if not isinstance(place, Within):
        return place
    return place.key("auth") if index is None else place.child("auth", "tokens", index)
